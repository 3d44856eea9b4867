// @ts-check
// The list of the clients' operations and their answers, newest first.

/** @typedef {import('../../web/view.d.ts').OperationView} OperationView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('./panel.js').Page} Page */

import { make, setLines } from '../kit/dom.js';
import { frameTime } from '../kit/frame-time.js';
import * as common from '../words/common.js';
import * as clientsWords from '../words/clients.js';

const SHOWN = 80;
/** How many are read when only one's own are shown. */
const READ = 400;

export class Operations {
  #list = make('ol', { class: 'lines' });
  #mine = make('input', { type: 'checkbox', id: 'only-mine' });
  #state;
  /** @type {Source | null} */ #source = null;
  #shown = '';
  /** What it consists of. */
  parts = [make('label', { class: 'filter' }, this.#mine, clientsWords.onlyMine), this.#list];

  /** @param {Page} page */
  constructor({ state }) {
    this.#state = state;
    this.#mine.addEventListener('change', () => state.set({ onlyMine: this.#mine.checked }));
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#shown = '';
    this.#list.replaceChildren();
  }

  /** @param {Frame} frame */
  update({ operationsRevision }) {
    const mine = this.#state.onlyMine;
    this.#mine.checked = mine;
    const wanted = `${operationsRevision} ${mine}`;
    if (!this.#source || wanted === this.#shown || !frameTime.has(this)) return;
    this.#shown = wanted;
    const all = this.#source.operations(mine ? READ : SHOWN).filter(({ client }) => !mine || client === 1);
    const shown = all.slice(-SHOWN).reverse();
    const keyOf = (/** @type {OperationView} */ { id, state, answer }) => `${id} ${state} ${answer}`;
    if (shown.length)
      setLines(
        this.#list,
        shown.map((operation) => [keyOf(operation), () => line(operation)]),
      );
    else this.#list.replaceChildren(make('li', { class: 'empty' }, clientsWords.operationsEmpty));
  }
}

/** @param {OperationView} operation */
function line(operation) {
  const { id, client, state, began } = operation;
  return make(
    'li',
    { class: `operation ${state}${client === 1 ? ' mine' : ''}`, 'data-operation': id },
    make('time', {}, common.seconds(began)),
    make('span', { class: 'who' }, common.clientName(client)),
    make('code', {}, operation.text),
    make('span', { class: 'answer' }, common.answerWords(operation)),
  );
}
