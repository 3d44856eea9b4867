// @ts-check
// The panel of dials: sets how the network is from now on, and warns when messages can take longer
// than election timeouts.

/** @typedef {import('../../web/view.d.ts').DialsView} DialsView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('./panel.js').Page} Page */

import { withTerms } from '../kit/explained.js';
import { make, setAttribute, setText } from '../kit/dom.js';
import { Lateness } from './lateness.js';
import { whyNot } from '../run/source.js';
import * as dialsWords from '../words/dials.js';

const words = dialsWords.dials;

/**
 * A slider from 0 to 100, for a value from `least` to `most`, finer where it is small.
 * @typedef {object} Scale
 * @property {keyof DialsView} name
 * @property {string} words
 * @property {number} least
 * @property {number} most
 * @property {(value: number) => string} say
 */
/** @type {Scale[]} */
const NETWORK = [
  { name: 'latencyMin', words: words.latencyMin, least: 500, most: 1_000_000, say: words.length },
  { name: 'latencyMax', words: words.latencyMax, least: 500, most: 1_000_000, say: words.length },
  { name: 'loss', words: words.loss, least: 0, most: 900_000, say: words.share },
  { name: 'duplication', words: words.duplication, least: 0, most: 900_000, say: words.share },
];
/** A value rounded to two digits. @param {number} value */
function rounded(value) {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  return Math.round(value / unit) * unit;
}

/** @param {Scale} scale @param {number} place 0 to 100 */
const valueAt = ({ least, most }, place) =>
  rounded(least > 0 ? least * (most / least) ** (place / 100) : most * (place / 100) ** 2);
/** @param {Scale} scale @param {number} value */
const placeOf = ({ least, most }, value) =>
  100 * (least > 0 ? Math.log(Math.max(value, least) / least) / Math.log(most / least) : Math.sqrt(value / most));

/**
 * Whether messages can take longer than election timeouts, and what comes of it.
 * @param {Pick<DialsView, 'latencyMin' | 'latencyMax' | 'electionTimeoutMin' |
 * 'heartbeatInterval'>} timing
 */
export function latencyWarning({ latencyMin, latencyMax, electionTimeoutMin, heartbeatInterval }) {
  const least = words.length(electionTimeoutMin);
  const late = heartbeatInterval + latencyMax - latencyMin;
  const outlives = latencyMax >= electionTimeoutMin;
  const bad = outlives || late >= electionTimeoutMin;
  return {
    bad,
    words: outlives
      ? words.outlive(words.length(latencyMax), least)
      : bad
        ? words.late(words.length(late), least)
        : words.fine,
  };
}

/** @param {Page} page */
export const panel = (page) => new Dials(page);

class Dials {
  #warning = make('p', { class: 'dial-warning', role: 'status' });
  #timing = make('p', { class: 'hint' });
  #only = make('p', { class: 'hint', hidden: true });
  #network;
  #lateness = new Lateness();
  /** @type {Source | null} */ #source = null;
  /** What is set, or being set. @type {DialsView | null} */ #view = null;
  /** @type {Map<keyof DialsView, { input: HTMLInputElement, output: HTMLOutputElement, scale: Scale }>} */ #dials =
    new Map();
  #shown = '';
  #seen = '';

  /** @param {Page} page */
  constructor({ newRun }) {
    const dials = NETWORK.map((scale) => this.#dial(scale));
    this.#network = make('fieldset', {}, make('legend', {}, words.network), this.#only, ...dials);
    this.dom = make(
      'div',
      { tabindex: 0 },
      this.#warning,
      this.#network,
      this.#lateness.dom,
      make(
        'fieldset',
        {},
        make('legend', {}, words.timing),
        this.#timing,
        make('button', { onclick: newRun }, words.otherTiming),
      ),
    );
  }

  /** @param {Scale} scale */
  #dial(scale) {
    const input = make('input', { type: 'range', min: 0, max: 100, step: 0.5, id: `dial-${scale.name}` });
    const output = make('output', { for: input.id, 'aria-live': 'off' });
    this.#dials.set(scale.name, { input, output, scale });
    input.addEventListener('input', () => this.#preview(scale));
    input.addEventListener('change', () => this.#apply());
    return make('label', { class: 'dial' }, make('span', {}, scale.words), input, output);
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#seen = this.#shown = '';
    const why = whyNot(source, 'acting');
    setText(this.#only, why);
    this.#only.hidden = !why;
    this.#network.toggleAttribute('disabled', Boolean(why));
    this.#lateness.reset(source);
  }

  /** @param {Frame} frame */
  update({ events, epoch }) {
    const state = `${events} ${epoch}`;
    // A dial that is being dragged is left where it is.
    if (!this.#source || state === this.#seen || this.dom.querySelector('input:active')) return;
    this.#seen = state;
    const view = this.#source.dials() ?? null;
    const shown = JSON.stringify(view);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#view = view;
    this.#show();
  }

  #show() {
    const view = this.#view;
    if (!view) return;
    for (const [name, { input, output, scale }] of this.#dials) {
      input.value = String(placeOf(scale, view[name]));
      setText(output, scale.say(view[name]));
      setAttribute(input, 'aria-valuetext', scale.say(view[name]));
    }
    this.#timing.replaceChildren(...withTerms(words.timingWords(view)));
    this.#warn(view);
  }

  /** @param {Scale} scale */
  #preview(scale) {
    const dial = this.#dials.get(scale.name);
    if (!this.#view || !dial) return;
    this.#shown = '';
    const { input, output } = dial;
    const value = valueAt(scale, Number(input.value));
    this.#view = { ...this.#view, [scale.name]: value };
    // Where the shortest latency is set above the longest, both become the same; and the other way
    // round.
    const { name } = scale;
    if (name === 'latencyMin') this.#push(name, 'latencyMax', Math.max);
    if (name === 'latencyMax') this.#push(name, 'latencyMin', Math.min);
    setText(output, scale.say(value));
    setAttribute(input, 'aria-valuetext', scale.say(value));
    this.#warn(this.#view);
  }

  /**
   * @param {keyof DialsView} from
   * @param {keyof DialsView} other
   * @param {(a: number, b: number) => number} pick
   */
  #push(from, other, pick) {
    const view = this.#view;
    const dial = this.#dials.get(other);
    if (!view || !dial) return;
    view[other] = pick(view[from], view[other]);
    dial.input.value = String(placeOf(dial.scale, view[other]));
    setText(dial.output, dial.scale.say(view[other]));
    setAttribute(dial.input, 'aria-valuetext', dial.scale.say(view[other]));
  }

  /** @param {DialsView} view */
  #warn(view) {
    const { words, bad } = latencyWarning(view);
    setText(this.#warning, words);
    this.#warning.classList.toggle('bad', bad);
  }

  #apply() {
    const view = this.#view;
    const now = this.#source?.dials();
    const acting = this.#source?.acting;
    if (!view || !now || !acting) return;
    /** @type {import('../pkg/tables.js').Action[]} */
    const actions = [];
    if (view.latencyMin !== now.latencyMin || view.latencyMax !== now.latencyMax)
      actions.push({ do: 'set-latency', min: view.latencyMin, max: view.latencyMax });
    if (view.loss !== now.loss) actions.push({ do: 'set-loss', share: view.loss });
    if (view.duplication !== now.duplication) actions.push({ do: 'set-duplication', share: view.duplication });
    acting.act(...actions);
  }
}
