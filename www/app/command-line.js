// @ts-check
// The command line: a person is client 1.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */

import { byId, make, setText } from '../kit/dom.js';
import { wordsOf } from '../kit/errors.js';
import { whyNot } from '../run/source.js';
import * as common from '../words/common.js';
import * as strings from '../words/app.js';

/**
 * A command that was sent: the number of its operation, when that began, in which epoch it was
 * looked at last, and whether its answer is awaited.
 * @typedef {{ line: string, id: number, began: number, epoch: number, waits: boolean }} Told
 */

export class Console {
  #field = byId('command', HTMLInputElement);
  #answer = byId('answer', HTMLOutputElement);
  #send = byId('send', HTMLButtonElement);
  /** @type {Source | null} */ #source = null;
  /** @type {string[]} */ #past = [];
  /** Which of the past lines the field shows; beyond the last, it is the line being written. */
  #at = 0;
  #draft = '';
  /** What is told of; null: nothing. @type {Told | null} */ #told = null;
  #revision = -1;

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
    this.#told = null;
    this.#revision = -1;
    const why = whyNot(source, 'acting');
    this.#field.disabled = this.#send.disabled = Boolean(why);
    this.#say(why || strings.commandForms, '');
  }

  /** @param {Frame} frame @param {boolean} playing */
  update({ operationsRevision, epoch }, playing) {
    if (this.#told && this.#told.epoch !== epoch) this.#lookAgain(this.#told, epoch);
    const told = this.#told;
    if (!told?.waits) return;
    if (operationsRevision !== this.#revision) {
      this.#revision = operationsRevision;
      const operation = this.#operationOf(told);
      if (operation && operation.state !== 'pending') {
        told.waits = false;
        const answer = common.answerWords(operation);
        this.#say(`${told.line} → ${answer}`, operation.state);
        // Each may be written right to left without turning the other around.
        const parts = [told.line, answer].map((words) => make('bdi', {}, words));
        this.#answer.replaceChildren(parts[0], ' → ', parts[1]);
        return;
      }
    }
    this.#say(playing ? strings.sentWaiting : strings.sentWhilePaused, 'pending');
  }

  /** @param {Told} told */
  #operationOf({ id }) {
    return this.#source?.operations(200).find((operation) => operation.id === id);
  }

  /**
   * Somebody went back, or to another branch: is what is told of still so?
   * @param {Told} told @param {number} epoch
   */
  #lookAgain(told, epoch) {
    const operation = this.#operationOf(told);
    told.epoch = epoch;
    if (operation?.began === told.began) {
      if (operation.state === 'pending') told.waits = true;
      return;
    }
    this.#told = null;
    this.#say(strings.commandForms, '');
  }

  #submit() {
    const line = this.#field.value.trim();
    const source = this.#source;
    const acting = source?.acting;
    if (!line || !acting) return;
    try {
      this.#revision = -1;
      const id = acting.submit(line);
      const { epoch, now } = source.frame;
      this.#told = { line, id, began: now, epoch, waits: true };
      if (this.#past.at(-1) !== line) this.#past.push(line);
      this.#at = this.#past.length;
      this.#draft = '';
      this.#field.value = '';
    } catch (error) {
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
