// @ts-check
// The command line: a person is client 1.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */

import { byId, make, setText } from '../kit/dom.js';
import { wordsOf } from '../kit/errors.js';
import { whyNot } from '../run/source.js';
import * as common from '../words/common.js';
import * as strings from '../words/app.js';

export class Console {
  #field = byId('command', HTMLInputElement);
  #answer = byId('answer', HTMLOutputElement);
  #send = byId('send', HTMLButtonElement);
  /** @type {Source | null} */ #source = null;
  /** @type {string[]} */ #past = [];
  /** Which of the past lines the field shows; beyond the last, it is the line being written. */
  #at = 0;
  #draft = '';
  /** The number of the operation whose answer is awaited; 0: none. */
  #waiting = 0;
  #line = '';
  #revision = -1;
  /**
   * What is told of: an operation, and in which epoch that was known last; null: nothing.
   * @type {{ id: number, began: number, epoch: number } | null}
   */
  #told = null;

  constructor() {
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
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#waiting = 0;
    this.#told = null;
    this.#revision = -1;
    const why = whyNot(source, 'acting');
    this.#field.disabled = this.#send.disabled = Boolean(why);
    this.#say(why || strings.commandForms, '');
  }

  /** @param {Frame} frame @param {boolean} playing */
  update({ operationsRevision, epoch }, playing) {
    if (!this.#source) return;
    if (this.#told && this.#told.epoch !== epoch) this.#lookAgain(this.#source, this.#told, epoch);
    if (!this.#waiting) return;
    if (operationsRevision !== this.#revision) {
      this.#revision = operationsRevision;
      const operation = this.#source.operations(200).find(({ id }) => id === this.#waiting);
      if (operation && operation.state !== 'pending') {
        this.#waiting = 0;
        this.#say(`${this.#line} → ${common.answerWords(operation)}`, operation.state);
        // Each may be written right to left without turning the other around.
        const parts = [this.#line, common.answerWords(operation)].map((words) => make('bdi', {}, words));
        this.#answer.replaceChildren(parts[0], ' → ', parts[1]);
        return;
      }
    }
    this.#say(playing ? strings.sentWaiting : strings.sentWhilePaused, 'pending');
  }

  /**
   * Somebody went back, or to another branch: is what is told of still so?
   * @param {Source} source @param {{ id: number, began: number, epoch: number }} told
   * @param {number} epoch
   */
  #lookAgain(source, told, epoch) {
    const operation = source.operations(200).find(({ id }) => id === told.id);
    told.epoch = epoch;
    if (operation?.began === told.began) {
      if (operation.state === 'pending') this.#waiting = told.id;
      return;
    }
    this.#told = null;
    this.#waiting = 0;
    this.#say(strings.commandForms, '');
  }

  #submit() {
    const line = this.#field.value.trim();
    const source = this.#source;
    const acting = source?.acting;
    if (!line || !acting) return;
    try {
      this.#line = line;
      this.#revision = -1;
      this.#waiting = acting.submit(line);
      const { epoch, now } = source.frame;
      this.#told = { id: this.#waiting, began: now, epoch };
      if (this.#past.at(-1) !== line) this.#past.push(line);
      this.#at = this.#past.length;
      this.#draft = '';
      this.#field.value = '';
    } catch (error) {
      this.#waiting = 0;
      this.#told = null;
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
