// @ts-check
// A new run: a fresh seed or a given one, one to nine servers.

/** @typedef {import('./link.js').Wanted} Wanted */

import { dressDialog } from './dialog.js';
import { byId, make, setText } from './dom.js';
import { wordsOf } from './errors.js';
import * as strings from './strings.js';

export class RunDialog {
  #dialog = byId('run-dialog', HTMLDialogElement);
  #seed = make('input', { id: 'run-seed', type: 'text', inputmode: 'numeric', autocomplete: 'off', spellcheck: 'false', autofocus: true, 'aria-describedby': 'run-seed-help run-error' });
  #error = make('p', { class: 'error', id: 'run-error', role: 'alert' });
  #choices = make('span', { class: 'choices' });
  #start;
  #current;

  /**
   * @param {() => Wanted} current the run that is on
   * @param {(wanted: Wanted) => void} start throws an Error with a sentence when it can't
   */
  constructor(current, start) {
    this.#current = current;
    this.#start = start;
    const form = make(
      'form',
      { id: 'run-form', novalidate: true },
      make('label', { for: 'run-seed' }, strings.runSeed),
      this.#seed,
      make('p', { class: 'hint', id: 'run-seed-help' }, strings.runSeedHelp),
      make('fieldset', {}, make('legend', {}, strings.runServers), this.#choices),
      this.#error,
      make(
        'p',
        { class: 'row' },
        make('button', { class: 'primary', type: 'submit' }, strings.start),
        make('button', { type: 'button', onclick: () => this.#try(this.#current()) }, strings.again),
      ),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const chosen = form.querySelector('input[name=run-servers]:checked');
      const servers = chosen instanceof HTMLInputElement ? Number(chosen.value) : 5;
      this.#try({ seed: this.#seed.value.trim(), servers });
    });
    dressDialog(this.#dialog, strings.runTitle, form);
  }

  open() {
    const { servers } = this.#current();
    this.#seed.value = '';
    setText(this.#error, '');
    this.#choices.replaceChildren(
      ...Array.from({ length: 9 }, (_, i) => {
        const input = make('input', { type: 'radio', name: 'run-servers', value: i + 1 });
        input.checked = i + 1 === servers;
        return make('label', {}, input, make('span', {}, String(i + 1)));
      }),
    );
    this.#dialog.showModal();
  }

  /** @param {Wanted} wanted */
  #try(wanted) {
    try {
      this.#start(wanted);
      this.#dialog.close();
    } catch (error) {
      setText(this.#error, wordsOf(error));
    }
  }
}
