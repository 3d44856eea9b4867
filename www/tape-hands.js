// @ts-check
// Hands on the tape: one pointer scrubs along it, two fingers zoom, the scale below pans, the wheel
// does both.

/** @typedef {import('./reel.js').Sight} Sight */

import { SIGNS, BAND } from './tape-paint.js';
import { toTime } from './reel.js';

/**
 * @typedef {object} Held
 * @property {() => Sight} sight
 * @property {(time: number) => void} scrub
 * @property {(from: number, length: number) => void} show a stretch
 * @property {(by: number, x: number) => void} zoom
 * @property {(held: boolean) => void} hold a hand is on it, or no longer
 * @property {(x: number | null) => void} point nothing is pressed, but the pointer is here
 */

/** A finger that moves further scrubs, in px; before that it may be the first of two. */
const SETTLED = 4;

export class TapeHands {
  /** Fingers and buttons that are down: where each is. @type {Map<number, number>} */ #down = new Map();
  /**
   * What two fingers took hold of: how far apart they were, and the time between them.
   * @type {{ span: number, middle: number, length: number } | null}
   */
  #pinch = null;
  /** The time that was taken hold of on the scale. @type {number | null} */ #grip = null;
  /** Where a finger is that hasn't moved yet. @type {number | null} */ #waiting = null;
  #box;
  #held;

  /** @param {HTMLElement} box @param {Held} held */
  constructor(box, held) {
    this.#box = box;
    this.#held = held;
    box.addEventListener('pointerdown', (event) => this.#press(event));
    box.addEventListener('pointermove', (event) => this.#move(event));
    box.addEventListener('pointerup', (event) => this.#release(event));
    box.addEventListener('pointercancel', (event) => this.#release(event));
    box.addEventListener('pointerleave', () => this.#down.size || held.point(null));
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
    if (!this.busy) this.#held.hold(true);
    this.#down.set(pointerId, x);
    if (this.#down.size === 2) {
      const [a, b] = [...this.#down.values()];
      const sight = this.#held.sight();
      this.#waiting = null;
      const middle = toTime(sight, (a + b) / 2);
      this.#pinch = { span: Math.max(20, Math.abs(a - b)), middle, length: sight.to - sight.from };
    } else if (y > SIGNS + BAND && pointerType === 'mouse') this.#grip = toTime(this.#held.sight(), x);
    else if (pointerType === 'touch') this.#waiting = x;
    else this.#held.scrub(toTime(this.#held.sight(), x));
  }

  /** @param {PointerEvent} event */
  #move({ pointerId, pointerType, offsetX: x }) {
    const sight = this.#held.sight();
    if (!this.#down.has(pointerId)) {
      if (pointerType !== 'touch') this.#held.point(x);
      return;
    }
    this.#down.set(pointerId, x);
    if (this.#pinch) {
      if (this.#down.size < 2) return;
      const [a, b] = [...this.#down.values()];
      const { span, middle, length } = this.#pinch;
      const long = (length * span) / Math.max(20, Math.abs(a - b));
      this.#held.show(middle - (long * (a + b)) / 2 / sight.width, long);
    } else if (this.#grip !== null) {
      const length = sight.to - sight.from;
      this.#held.show(this.#grip - (x / sight.width) * length, length);
    } else if (this.#waiting === null || Math.abs(x - this.#waiting) > SETTLED) {
      this.#waiting = null;
      this.#held.point(x);
      this.#held.scrub(toTime(sight, x));
    }
  }

  /** @param {PointerEvent} event */
  #release({ pointerId, pointerType }) {
    if (!this.#down.delete(pointerId)) return;
    // The finger that stays after a pinch doesn't scrub.
    if (this.busy) return;
    if (this.#waiting !== null) this.#held.scrub(toTime(this.#held.sight(), this.#waiting));
    this.#waiting = null;
    this.#pinch = this.#grip = null;
    if (pointerType === 'touch') this.#held.point(null);
    this.#held.hold(false);
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const { from, to, width } = this.#held.sight();
    // Lines and pages, where a wheel counts in these.
    const unit = [1, 16, width][event.deltaMode];
    const along = (event.shiftKey ? event.deltaY : event.deltaX) * unit;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      this.#held.show(from + (along / width) * (to - from), to - from);
    } else this.#held.zoom(Math.exp(-event.deltaY * unit * 0.0022), event.offsetX);
  }
}
