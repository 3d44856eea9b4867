// @ts-check
// Play, pause, step and speed.

/** @typedef {import('./clock.js').Clock} Clock */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */

import { byId, make, setAttribute, setText } from '../kit/dom.js';
import { whyNot } from '../run/source.js';
import * as common from '../words/common.js';
import * as strings from '../words/app.js';

/**
 * The speed at first: so slow that a message can be followed across the ring, so fast that an
 * election comes within seconds.
 */
const DEFAULT_EXPONENT = -1.4;

/** @param {string} path */
function icon(path) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const shape = document.createElementNS(space, 'path');
  shape.setAttribute('d', path);
  svg.append(shape);
  return svg;
}

export class Transport {
  #clock;
  #play = byId('play', HTMLButtonElement);
  #speed = byId('speed', HTMLInputElement);
  /** The speed that is shown. */
  #said = 0;
  #shownPlaying = /** @type {boolean | null} */ (null);
  /** Whether the clock has slowed by itself, and the speed that is shown isn't the chosen one. */
  #shownSlow = false;

  /**
   * @param {Clock} clock
   * @param {{ toggle: () => void, step: (forward: boolean) => void }} actions
   */
  constructor(clock, actions) {
    this.#clock = clock;
    this.#play.addEventListener('click', actions.toggle);
    const steps = /** @type {const} */ ([
      ['step-back', 'M13 3L7 8l6 5z M3 3h2v10H3z', strings.stepBack, strings.stepBackTitle, false],
      ['step', 'M3 3l6 5-6 5z M11 3h2v10h-2z', strings.step, strings.stepTitle, true],
    ]);
    for (const [id, path, words, title, forward] of steps) {
      const button = byId(id, HTMLButtonElement);
      button.append(icon(path));
      button.title = title;
      button.setAttribute('aria-label', words);
      button.addEventListener('click', () => actions.step(forward));
    }
    const [box, unfold] = [byId('transport', HTMLElement), byId('unfold', HTMLButtonElement)];
    // In a small window, only a row of it is shown.
    unfold.addEventListener('click', () => {
      const open = box.classList.toggle('unfolded');
      unfold.setAttribute('aria-expanded', String(open));
      if (open) box.scrollIntoView({ block: 'end' });
    });
    this.#speed.addEventListener('input', () => this.#setSpeed(Number(this.#speed.value)));
    this.#setSpeed(DEFAULT_EXPONENT);
  }

  /** Makes the run faster (+1) or slower (−1), by one step. @param {number} by */
  change(by) {
    if (!this.#speed.disabled) this.#setSpeed(Number(this.#speed.value) + by * 0.25);
  }

  /** @param {number} exponent of ten */
  #setSpeed(exponent) {
    this.#speed.value = String(exponent);
    this.#clock.speed = 10 ** Number(this.#speed.value);
    this.#sayIt();
  }

  #sayIt() {
    this.#said = this.#clock.speed;
    setText(byId('speed-value', HTMLOutputElement), strings.speedWords(this.#clock.speed));
    setAttribute(this.#speed, 'aria-valuetext', strings.speedSpoken(this.#clock.speed));
  }

  /** @param {Source} source */
  reset(source) {
    const why = whyNot(source, 'pacing');
    this.#speed.disabled = Boolean(why);
    this.#speed.title = why;
    this.#setSpeed(why ? 0 : Number(this.#speed.value));
  }

  /** @param {Frame} frame */
  update({ now }) {
    setText(byId('now', HTMLElement), common.seconds(now));
    const { playing, pace, speed } = this.#clock;
    if (speed !== this.#said) {
      // Whoever else has chosen it chose it exactly.
      this.#speed.value = String(Math.log10(speed));
      this.#sayIt();
    }
    const slowed = playing && pace < speed * 0.95;
    if (slowed || this.#shownSlow)
      setText(byId('speed-value', HTMLOutputElement), strings.speedWords(slowed ? pace : speed));
    this.#shownSlow = slowed;
    byId('speed-value', HTMLOutputElement).classList.toggle('slowed', slowed);
    if (playing === this.#shownPlaying) return;
    this.#shownPlaying = playing;
    this.#play.replaceChildren(
      icon(playing ? 'M4 3h3v10H4z M9 3h3v10H9z' : 'M4 2.5l9 5.5-9 5.5z'),
      make('span', {}, playing ? strings.pause : strings.play),
    );
  }
}
