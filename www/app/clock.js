// @ts-check
// Decides when the page draws: at every animation frame while the run plays and the page can be
// seen, once after a change, and otherwise never.

import { frameTime } from '../kit/frame-time.js';

/** The most real time that one frame may catch up with, in ms. */
const LONGEST_FRAME = 100;

export class Clock {
  playing = false;
  /** How much virtual time passes per real time, as somebody has chosen. */
  speed = 1 / 25;
  /** How much does now: less around turning points. */
  pace = 1 / 25;

  #advance;
  #draw;
  #paceAt;
  #request = 0;
  #last = 0;
  #frames = 0;

  /**
   * @param {{ advance: (micros: number) => void, draw: () => void, paceAt: (speed: number, passed:
   * number) => number }} work `paceAt` says how fast to play on, if that speed is chosen and so
   * many milliseconds have passed since the last frame
   */
  constructor({ advance, draw, paceAt }) {
    this.#advance = advance;
    this.#draw = draw;
    this.#paceAt = paceAt;
    document.documentElement.dataset.frames = '0';
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#stop();
      else this.invalidate();
    });
  }

  play() {
    this.playing = true;
    this.#last = 0;
    this.invalidate();
  }

  pause() {
    this.playing = false;
    this.invalidate();
  }

  /** Something changed: draw it once. */
  invalidate() {
    if (this.#request || document.hidden) return;
    this.#request = requestAnimationFrame((time) => this.#frame(time));
  }

  #stop() {
    cancelAnimationFrame(this.#request);
    this.#request = 0;
    this.#last = 0;
  }

  /** @param {number} time */
  #frame(time) {
    this.#request = 0;
    frameTime.begin(this.playing);
    document.documentElement.dataset.frames = String(++this.#frames);
    if (this.playing) {
      const passed = this.#last ? Math.min(LONGEST_FRAME, Math.max(0, time - this.#last)) : 0;
      this.#last = time;
      this.pace = this.#paceAt(this.speed, passed);
      this.#advance(passed * 1000 * this.pace);
    }
    this.#draw();
    if (this.playing) this.invalidate();
  }
}
