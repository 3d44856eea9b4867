// @ts-check
// The command line: a person is client 1.

/** @typedef {import('../run/model.js').Model} Model */

import { byId, make, setText } from '../kit/dom.js';
import { wordsOf } from '../kit/errors.js';
import { answerWords } from '../panels/operations.js';
import * as strings from '../words/strings.js';

export class Console {
  #field = byId('command', HTMLInputElement);
  #answer = byId('answer', HTMLOutputElement);
  /** @type {() => Model | null} */ #model;
  /** @type {string[]} */ #past = [];
  /** Which of the past lines the field shows; beyond the last, it is the line being written. */
  #at = 0;
  #draft = '';
  /** The number of the operation whose answer is awaited; 0: none. */
  #waiting = 0;
  #line = '';
  #revision = -1;

  /** @param {() => Model | null} model */
  constructor(model) {
    this.#model = model;
    byId('console', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
        event.preventDefault();
        this.#browse(event.key === 'ArrowUp' ? -1 : 1);
      } else if (event.key === 'Escape') this.#field.blur();
    });
    this.reset();
  }

  reset() {
    this.#waiting = 0;
    this.#revision = -1;
    this.#say(strings.commandForms, '');
  }

  /** @param {Model} model @param {boolean} playing */
  update(model, playing) {
    if (!this.#waiting) return;
    const { operationsRevision } = model.frame;
    if (operationsRevision !== this.#revision) {
      this.#revision = operationsRevision;
      const operation = model.operations(200).find(({ id }) => id === this.#waiting);
      if (operation && operation.state !== 'pending') {
        this.#waiting = 0;
        this.#say(`${this.#line} → ${answerWords(operation)}`, operation.state);
        // Each may be written right to left without turning the other around.
        const parts = [this.#line, answerWords(operation)].map((words) => make('bdi', {}, words));
        this.#answer.replaceChildren(parts[0], ' → ', parts[1]);
        return;
      }
    }
    this.#say(playing ? strings.sentWaiting : strings.sentWhilePaused, 'pending');
  }

  #submit() {
    const line = this.#field.value.trim();
    const model = this.#model();
    if (!line || !model) return;
    try {
      this.#line = line;
      this.#revision = -1;
      this.#waiting = model.submit(line);
      if (this.#past.at(-1) !== line) this.#past.push(line);
      this.#at = this.#past.length;
      this.#draft = '';
      this.#field.value = '';
    } catch (error) {
      this.#waiting = 0;
      this.#say(wordsOf(error), 'failed');
    }
  }

  /** @param {number} by */
  #browse(by) {
    const to = Math.max(0, Math.min(this.#past.length, this.#at + by));
    if (to === this.#at) return;
    if (this.#at === this.#past.length) this.#draft = this.#field.value;
    this.#at = to;
    this.#field.value = this.#past[to] ?? this.#draft;
    this.#field.setSelectionRange(this.#field.value.length, this.#field.value.length);
  }

  /** @param {string} words @param {string} state */
  #say(words, state) {
    setText(this.#answer, words);
    if (this.#answer.className !== state) this.#answer.className = state;
    this.#answer.title = words;
  }
}
