// @ts-check
// The list of the clients' operations and their answers, newest first.

/** @typedef {import('../../web/view.d.ts').OperationView} OperationView */
/** @typedef {import('../run/model.js').Model} Model */

import { byId, make, setLines } from '../kit/dom.js';
import { frameTime } from '../kit/frame-time.js';
import * as strings from '../words/strings.js';

const SHOWN = 80;
/** How many are read when only one's own are shown. */
const READ = 400;

export class Operations {
  #panel = byId('operations', HTMLElement);
  #list = make('ol', { class: 'lines' });
  #mine = make('input', { type: 'checkbox', id: 'only-mine' });
  #revision = -1;

  /** @param {() => void} changed */
  constructor(changed) {
    const filter = make('label', { class: 'filter' }, this.#mine, strings.onlyMine);
    this.#panel.append(filter, this.#list);
    this.#mine.addEventListener('change', () => {
      this.#revision = -1;
      changed();
    });
  }

  reset() {
    this.#revision = -1;
    this.#list.replaceChildren();
  }

  /** Does nothing while the panel is hidden. @param {Model} model */
  update(model) {
    const { operationsRevision } = model.frame;
    if (this.#panel.hidden || operationsRevision === this.#revision || !frameTime.has(this)) return;
    this.#revision = operationsRevision;
    const mine = this.#mine.checked;
    const all = model.operations(mine ? READ : SHOWN).filter(({ client }) => !mine || client === 1);
    const shown = all.slice(-SHOWN).reverse();
    const keyOf = (/** @type {OperationView} */ { id, state, answer }) => `${id} ${state} ${answer}`;
    if (shown.length)
      setLines(
        this.#list,
        shown.map((operation) => [keyOf(operation), () => line(operation)]),
      );
    else this.#list.replaceChildren(make('li', { class: 'empty' }, strings.operationsEmpty));
  }
}

/** @param {OperationView} operation */
function line(operation) {
  const { id, client, state, began } = operation;
  return make(
    'li',
    { class: `operation ${state}${client === 1 ? ' mine' : ''}`, 'data-operation': id },
    make('time', {}, strings.seconds(began)),
    make('span', { class: 'who' }, strings.clientName(client)),
    make('code', {}, operation.text),
    make('span', { class: 'answer' }, answerWords(operation)),
  );
}

/** The answer, or why there is none. @param {OperationView} operation */
export function answerWords({ state, answer }) {
  if (state === 'pending') return strings.pending;
  if (answer) return answer;
  return state === 'unknown' ? strings.unknownOutcome : state;
}
