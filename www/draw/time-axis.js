// @ts-check
// The stretch of time that a diagram shows. It is moved by dragging, by the wheel and by two
// fingers, and follows the playhead until somebody moves it.

import { NAMES } from './lanes.js';

const SPAN_MIN = 2_000;
const SPAN_MAX = 60_000_000;
/** Where the playhead stands while the diagram follows it. */
const AHEAD = 0.92;
/** A press that moves further is a drag, in px. */
const DRAG = 5;

/**
 * @typedef {object} Listeners
 * @property {() => void} changed the stretch or the size has changed
 * @property {(x: number, y: number, touch: boolean) => void} press
 * @property {(at: { x: number, y: number } | null) => void} hover
 */

export class TimeView {
  /** The diagram's size in px; 0 until it can be seen. */
  width = 0;
  height = 0;

  #listeners;
  #stretch;
  /** @type {{ x: number, from: number, moved: boolean } | null} */ #grip = null;
  /** Where each finger on the diagram is. @type {Map<number, number>} */ #fingers = new Map();

  /**
   * @param {HTMLElement} box @param {import('../run/page-state.js').Stretch} stretch what it shows,
   * which is changed here @param {Listeners} listeners
   */
  constructor(box, stretch, listeners) {
    this.#listeners = listeners;
    this.#stretch = stretch;
    // To ask for the size in a frame would make the browser lay out the page at once.
    new ResizeObserver(() => {
      [this.width, this.height] = [box.clientWidth, box.clientHeight];
      listeners.changed();
    }).observe(box);
    box.addEventListener('pointerdown', (event) => {
      this.#fingers.set(event.pointerId, event.offsetX);
      box.setPointerCapture(event.pointerId);
      this.#grip = this.#fingers.size === 1 ? { x: event.offsetX, from: this.from, moved: false } : null;
    });
    box.addEventListener('pointermove', (event) => this.#move(event));
    for (const type of /** @type {const} */ (['pointerup', 'pointercancel'])) {
      box.addEventListener(type, (event) => {
        this.#fingers.delete(event.pointerId);
        if (type === 'pointerup' && this.#grip && !this.#grip.moved)
          listeners.press(event.offsetX, event.offsetY, event.pointerType === 'touch');
        this.#grip = null;
      });
    }
    box.addEventListener('pointerleave', (event) => event.pointerType === 'touch' || listeners.hover(null));
    box.addEventListener('blur', () => listeners.hover(null));
    box.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
  }

  /** Micros at the left edge. */
  get from() {
    return this.#stretch.from;
  }

  /** Micros up to the right edge. */
  get span() {
    return this.#stretch.span;
  }

  get following() {
    return this.#stretch.following;
  }

  /** The micros under a place. @param {number} x */
  at(x) {
    return this.from + ((x - NAMES) / (this.width - NAMES)) * this.span;
  }

  /** Keeps the playhead in sight. @param {number} now */
  keepUp(now) {
    if (this.following) this.#stretch.from = now - this.span * AHEAD;
  }

  /** @param {boolean} on */
  follow(on) {
    this.#stretch.following = on;
    this.#listeners.changed();
  }

  /** Zooms about a time. @param {number} by @param {number} [about] */
  zoom(by, about = this.from + this.span / 2) {
    const span = Math.max(SPAN_MIN, Math.min(SPAN_MAX, this.span * by));
    this.#stretch.from = about - ((about - this.from) * span) / this.span;
    this.#stretch.span = span;
    this.#listeners.changed();
  }

  /** @param {number} by micros */
  pan(by) {
    this.#stretch.from += by;
    this.follow(false);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
      this.pan(((event.deltaX || event.deltaY) / this.width) * this.span);
    } else this.zoom(2 ** (event.deltaY / 300), this.at(event.offsetX));
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const { offsetX: x, offsetY: y } = event;
    const before = this.#fingers.get(event.pointerId);
    if (this.#fingers.size === 2 && before !== undefined) {
      const other = [...this.#fingers].find(([id]) => id !== event.pointerId)?.[1] ?? 0;
      const [was, is] = [Math.abs(before - other), Math.abs(x - other)];
      if (was > 8 && is > 8) this.zoom(was / is, this.at((x + other) / 2));
      this.#fingers.set(event.pointerId, x);
    } else if (this.#grip) {
      const by = x - this.#grip.x;
      if (!this.#grip.moved && Math.abs(by) < DRAG) return;
      this.#grip.moved = true;
      this.#stretch.from = this.#grip.from - (by / this.width) * this.span;
      this.follow(false);
    } else if (event.pointerType !== 'touch') this.#listeners.hover({ x, y });
  }
}
