// @ts-check
// The panel of branches: a list of all ways the run went, with what can be done to each, and a
// comparison of two.

/** @typedef {import('../../web/view.d.ts').BranchView} BranchView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('./panel.js').Page} Page */

import { comparison, firstOf } from './compare.js';
import { make, setText } from '../kit/dom.js';
import { whyNot } from '../run/source.js';
import * as common from '../words/common.js';
import * as compareWords from '../words/compare.js';

const { branches } = common;
/** Entries of each log that are compared, counted from the end. */
const COMPARED = 300;
/** While the run plays, the part of the time that comparing may take. */
const SHARE = 1 / 12;

/** @param {Page} page */
export const panel = (page) => new Branches(page);

class Branches {
  #list = make('ul', { class: 'branch-list' });
  #undo = make('button', { hidden: true, onclick: () => this.#undelete() });
  #empty = make('p', { class: 'empty' }, branches.only);
  #title = make('h3', {});
  #summary = make('p', { role: 'status' });
  #table = make('div', {});
  #comparison = make('section', { hidden: true }, this.#title, this.#summary, this.#table);
  dom = make('div', { tabindex: 0 }, this.#empty, this.#list, this.#undo, this.#comparison);
  #actions;
  #state;
  /** @type {Source | null} */ #source = null;
  #listed = '';
  /** The branch that was just brought back here: it gets the focus. */
  #restored = 0;
  /** The branch that was compared last. */
  #beside = 0;
  #compared = '';
  #comparedAt = 0;
  #comparingTook = 0;

  /** @param {Page} page */
  constructor({ branches, state }) {
    this.#actions = branches;
    this.#state = state;
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#listed = this.#compared = '';
    this.#beside = 0;
    const why = whyNot(source, 'branching');
    setText(this.#empty, why || branches.only);
    for (const part of [this.#list, this.#undo, this.#comparison]) part.hidden = Boolean(why);
    this.#empty.hidden = !why;
  }

  /** @param {Frame} frame @param {boolean} playing */
  update(frame, playing) {
    const { branching = null } = this.#source ?? {};
    if (!branching) return;
    const { beside, renaming } = this.#state;
    const listed = `${this.#actions.revision} ${beside} ${renaming}`;
    if (listed !== this.#listed) {
      this.#listed = listed;
      this.#fillList(branching.deleted, renaming);
    }
    if (beside !== this.#beside) {
      this.#beside = beside;
      this.#compared = '';
      this.#comparedAt = 0;
    }
    this.#comparison.hidden = beside === 0;
    if (beside) this.#fillComparison(frame, playing);
  }

  #undelete() {
    this.#restored = this.#source?.branching?.deleted ?? 0;
    this.#actions.undelete();
  }

  /** @param {number} deleted @param {number} renaming */
  #fillList(deleted, renaming) {
    const { there, nameOf } = this.#actions;
    this.#empty.hidden = there.length > 1;
    this.#undo.hidden = deleted === 0;
    setText(this.#undo, branches.undoLong(nameOf(deleted)));
    const held = document.activeElement?.closest('.branch-list [data-act]');
    const [id, act] = [held?.closest('li')?.dataset.branch, held?.getAttribute('data-act')];
    this.#list.replaceChildren(...there.map((branch) => this.#item(branch)));
    const field = this.#list.querySelector('input');
    const again = this.#list.querySelector(`[data-branch="${this.#restored}"] button`);
    this.#restored = 0;
    if (renaming && field) field.select();
    else if (again instanceof HTMLElement) again.focus();
    else if (held) {
      const item = this.#list.querySelector(`[data-branch="${id}"]`) ?? this.#list.querySelector('[data-branch]');
      const next = item?.querySelector(`[data-act="${act}"]`) ?? item?.querySelector('button');
      if (next instanceof HTMLElement) next.focus();
    }
  }

  /** @param {BranchView} branch */
  #item(branch) {
    const { id, name, playing } = branch;
    if (id === this.#state.renaming) return this.#form(branch);
    /** @param {string} act @param {string} words @param {(button: HTMLElement) => void} action */
    const button = (act, words, action) => {
      const node = make('button', { 'data-act': act, 'aria-label': `${words} ${name}` }, words);
      node.addEventListener('click', () => action(node));
      return node;
    };
    const compare = button('compare', branches.compare, () => this.#actions.compare(id, this.#state.beside !== id));
    compare.setAttribute('aria-pressed', String(this.#state.beside === id));
    const others = [button('go', branches.go, () => this.#actions.switchTo(branch)), compare];
    return make(
      'li',
      { 'data-branch': id, 'aria-current': playing ? 'true' : 'false' },
      make('b', {}, name),
      make('span', { class: 'hint' }, branches.words(branch, this.#actions.nameOf(branch.origin))),
      make(
        'span',
        { class: 'row' },
        ...(playing ? [] : others),
        button('rename', branches.rename, () => this.#actions.rename(id)),
        ...(playing ? [] : [button('delete', branches.delete, (node) => this.#actions.delete(branch, node))]),
      ),
    );
  }

  /** @param {BranchView} branch */
  #form({ id, name }) {
    const label = branches.newName(name);
    const attributes = { type: 'text', value: name, maxlength: 40, 'aria-label': label, 'data-act': 'rename' };
    const input = make('input', attributes);
    const form = make('form', { class: 'row' }, input, make('button', {}, branches.save));
    const end = (/** @type {string | null} */ fresh) => {
      this.#actions.named(id, fresh !== null && fresh !== name ? fresh : undefined);
    };
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      end(input.value);
    });
    form.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.preventDefault();
      end(null);
    });
    return make('li', { 'data-branch': id }, form);
  }

  /** @param {Frame} frame @param {boolean} playing */
  #fillComparison(frame, playing) {
    const source = this.#source;
    const { branching = null } = source ?? {};
    if (!source || !branching) return;
    const { events, epoch, branch, now } = frame;
    const wanted = `${events} ${epoch} ${branch} ${this.#beside} ${this.#actions.revision}`;
    const clock = performance.now();
    if (wanted === this.#compared || (playing && clock - this.#comparedAt < this.#comparingTook / SHARE)) return;
    this.#compared = wanted;
    const other = branching.beside(this.#beside);
    if (!other) return;
    const first = firstOf(frame, other, COMPARED);
    const [here, there] = [this.#actions.nameOf(branch), this.#actions.nameOf(this.#beside)];
    const { table, differing, of } = comparison(
      { name: here, frame, logs: source.logs(first, COMPARED) },
      { name: there, frame: other, logs: branching.besideLogs(this.#beside, first, COMPARED) },
    );
    setText(this.#title, compareWords.compare.title(here, there));
    const words = [compareWords.compare.summary(differing, of)];
    if (first > 1) words.push(compareWords.compare.newest(COMPARED));
    if (other.now < now) words.push(compareWords.compare.short(there, other.now));
    setText(this.#summary, words.join(' '));
    this.#table.replaceChildren(table);
    if (this.#comparedAt === 0) this.#comparison.scrollIntoView({ block: 'nearest' });
    this.#comparedAt = clock;
    this.#comparingTook = performance.now() - clock;
  }
}
