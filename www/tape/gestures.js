// @ts-check
// Gestures on the tape: one pointer scrubs along it, two fingers zoom, dragging the scale pans, and
// the wheel does both.

/** @typedef {import('./data.js').Sight} Sight */

import { SIGNS, BAND } from './paint.js';
import { toTime } from './data.js';

/**
 * @typedef {object} Callbacks
 * @property {() => Sight} sight
 * @property {(time: number) => void} scrub
 * @property {(from: number, length: number) => void} show a stretch
 * @property {(by: number, x: number) => void} zoom
 * @property {(held: boolean) => void} hold somebody has begun or ended a gesture
 * @property {(x: number | null) => void} point the pointer is here, with nothing pressed
 */

/** A finger that moves further scrubs, in px. Until then it may be the first of two. */
const SETTLED = 4;

export class TapeGestures {
  /** Where each finger or button is that is down. @type {Map<number, number>} */ #down = new Map();
  /**
   * Where two fingers began: how far apart they were, and the time between them.
   * @type {{ span: number, middle: number, length: number } | null}
   */
  #pinch = null;
  /** The time at which the scale is being dragged. @type {number | null} */ #grip = null;
  /** Where a finger is that hasn't moved yet. @type {number | null} */ #waiting = null;
  #box;
  #callbacks;

  /** @param {HTMLElement} box @param {Callbacks} callbacks */
  constructor(box, callbacks) {
    this.#box = box;
    this.#callbacks = callbacks;
    box.addEventListener('pointerdown', (event) => this.#press(event));
    box.addEventListener('pointermove', (event) => this.#move(event));
    box.addEventListener('pointerup', (event) => this.#release(event));
    box.addEventListener('pointercancel', (event) => this.#release(event));
    box.addEventListener('pointerleave', () => this.#down.size || callbacks.point(null));
    box.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
  }

  get busy() {
    return this.#down.size > 0;
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0) return;
    const { offsetX: x, offsetY: y, pointerId, pointerType } = event;
    this.#box.setPointerCapture(pointerId);
    if (!this.busy) this.#callbacks.hold(true);
    this.#down.set(pointerId, x);
    if (this.#down.size === 2) {
      const [a, b] = [...this.#down.values()];
      const sight = this.#callbacks.sight();
      this.#waiting = null;
      const middle = toTime(sight, (a + b) / 2);
      this.#pinch = { span: Math.max(20, Math.abs(a - b)), middle, length: sight.to - sight.from };
    } else if (y > SIGNS + BAND && pointerType === 'mouse') this.#grip = toTime(this.#callbacks.sight(), x);
    else if (pointerType === 'touch') this.#waiting = x;
    else this.#callbacks.scrub(toTime(this.#callbacks.sight(), x));
  }

  /** @param {PointerEvent} event */
  #move({ pointerId, pointerType, offsetX: x }) {
    const sight = this.#callbacks.sight();
    if (!this.#down.has(pointerId)) {
      if (pointerType !== 'touch') this.#callbacks.point(x);
      return;
    }
    this.#down.set(pointerId, x);
    if (this.#pinch) {
      if (this.#down.size < 2) return;
      const [a, b] = [...this.#down.values()];
      const { span, middle, length } = this.#pinch;
      const long = (length * span) / Math.max(20, Math.abs(a - b));
      this.#callbacks.show(middle - (long * (a + b)) / 2 / sight.width, long);
    } else if (this.#grip !== null) {
      const length = sight.to - sight.from;
      this.#callbacks.show(this.#grip - (x / sight.width) * length, length);
    } else if (this.#waiting === null || Math.abs(x - this.#waiting) > SETTLED) {
      this.#waiting = null;
      this.#callbacks.point(x);
      this.#callbacks.scrub(toTime(sight, x));
    }
  }

  /** @param {PointerEvent} event */
  #release({ pointerId, pointerType }) {
    if (!this.#down.delete(pointerId)) return;
    // After a pinch, the finger that stays doesn't scrub.
    if (this.busy) return;
    if (this.#waiting !== null) this.#callbacks.scrub(toTime(this.#callbacks.sight(), this.#waiting));
    this.#waiting = null;
    this.#pinch = this.#grip = null;
    if (pointerType === 'touch') this.#callbacks.point(null);
    this.#callbacks.hold(false);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const { from, to, width } = this.#callbacks.sight();
    // A wheel may count in lines or pages.
    const unit = [1, 16, width][event.deltaMode];
    const along = (event.shiftKey ? event.deltaY : event.deltaX) * unit;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.#callbacks.show(from + (along / width) * (to - from), to - from);
    } else this.#callbacks.zoom(Math.exp(-event.deltaY * unit * 0.0022), event.offsetX);
  }
}
