// @ts-check
// Light or dark: as the system says, unless the person chose. More contrast and forced colours are
// the system's alone.

import { byId, setAttribute, setText } from './dom.js';
import * as strings from '../words/kit.js';

const STORED = 'raftarium.theme';
const choices = ['auto', 'light', 'dark'];
const signs = { auto: '◐', light: '○', dark: '●' };

export class Theme {
  #chosen = 'auto';
  #changed;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
    try {
      const stored = localStorage.getItem(STORED);
      if (stored && choices.includes(stored)) this.#chosen = stored;
    } catch {
      // Where nothing can be stored, it is as the system says.
    }
    this.#apply();
    byId('theme', HTMLButtonElement).addEventListener('click', () => this.next());
    for (const wish of ['(prefers-color-scheme: dark)', '(prefers-contrast: more)', '(forced-colors: active)']) {
      matchMedia(wish).addEventListener('change', () => this.#changed());
    }
  }

  next() {
    this.#chosen = choices[(choices.indexOf(this.#chosen) + 1) % choices.length];
    try {
      localStorage.setItem(STORED, this.#chosen);
    } catch {
      // As above.
    }
    this.#apply();
    this.#changed();
  }

  #apply() {
    document.documentElement.dataset.theme = this.#chosen;
    const button = byId('theme', HTMLButtonElement);
    setText(button, signs[/** @type {keyof typeof signs} */ (this.#chosen)]);
    setAttribute(button, 'aria-label', strings.themeTitle(this.#chosen));
    button.title = strings.themeTitle(this.#chosen);
  }
}
