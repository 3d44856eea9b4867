// @ts-check
// Jumps along the run: to the previous and the next moment of a chosen kind.

/** @typedef {import('../run/source.js').Source} Source */

import { byId, setText } from '../kit/dom.js';
import { openMenu } from '../kit/menu.js';
import * as strings from '../words/app.js';
import { toast } from '../kit/toast.js';

const { jumps } = strings;
/** How far beyond what is known a jump looks, in virtual microseconds. */
const AHEAD = 30_000_000;
/** Kinds of moments that are not notable. */
const EVERYDAY = ['commit', 'write-began', 'write-ended'];
/**
 * The kinds of moments that each choice stands for; the first stands for all that are notable.
 * @type {Record<keyof typeof jumps.kinds, string[]>}
 */
const KINDS = {
  notable: [],
  election: ['election'],
  commit: ['commit'],
  crash: ['crash'],
  cut: ['cut', 'heal'],
  membership: ['membership'],
  violation: ['violation'],
};

export class Jumps {
  #which = byId('jump-kind', HTMLButtonElement);
  /** @type {keyof typeof KINDS} */ #kind = 'election';
  #actions;

  /** @param {{ source: () => Source, pause: () => void }} actions */
  constructor(actions) {
    this.#actions = actions;
    byId('jump-back', HTMLButtonElement).addEventListener('click', () => this.jump(false));
    byId('jump-on', HTMLButtonElement).addEventListener('click', () => this.jump(true));
    this.#which.addEventListener('click', () => this.choose());
    this.#take(this.#kind);
  }

  /** Opens the menu of kinds. */
  choose() {
    const items = /** @type {(keyof typeof KINDS)[]} */ (Object.keys(KINDS)).map((kind) => ({
      words: jumps.kinds[kind],
      kind: /** @type {const} */ ('radio'),
      checked: kind === this.#kind,
      act: () => this.#take(kind),
    }));
    const at = this.#which.getBoundingClientRect();
    openMenu({ title: jumps.title, groups: [{ items }] }, { at, back: this.#which });
  }

  /** @param {keyof typeof KINDS} kind */
  #take(kind) {
    this.#kind = kind;
    const words = jumps.kinds[kind];
    setText(this.#which, words);
    this.#which.setAttribute('aria-label', `${jumps.title} ${words}`);
    for (const [id, label] of [
      ['jump-back', jumps.back(words)],
      ['jump-on', jumps.on(words)],
    ]) {
      byId(id, HTMLButtonElement).title = label;
      byId(id, HTMLButtonElement).setAttribute('aria-label', label);
    }
  }

  /** @param {boolean} forward @param {keyof typeof KINDS} [kind] else the chosen one */
  jump(forward, kind = this.#kind) {
    const source = this.#actions.source();
    const words = jumps.kinds[kind];
    const kinds = kind === 'notable' ? source.momentKinds.filter((name) => !EVERYDAY.includes(name)) : KINDS[kind];
    this.#actions.pause();
    const from = source.now;
    if (source.jump(kinds, forward, AHEAD)) {
      // The sentence under the ring says where the jump led; this is for those who can't see it.
      setText(byId('live', HTMLElement), jumps.arrived(words, source.now));
    } else if (!source.dead) {
      toast(jumps.none(words, forward, forward ? Math.max(source.frame.end, from + AHEAD) : from));
    }
  }
}
