// @ts-check
// The panel of branches: a list of all ways the run went, with what can be done to each, and a
// comparison of two.

/** @typedef {import('../../web/view.d.ts').BranchView} BranchView */
/** @typedef {import('../run/model.js').Model} Model */

import { comparison, firstOf } from './compare.js';
import { byId, make, setText } from '../kit/dom.js';
import { openMenu } from '../kit/menu.js';
import * as strings from '../words/strings.js';
import { toast } from '../kit/toast.js';

const { branches } = strings;
/** Entries of each log that are compared, counted from the end. */
const COMPARED = 300;
/** While the run plays, the part of the time that comparing may take. */
const SHARE = 1 / 12;

export class Branches {
  #panel = byId('branches', HTMLElement);
  #chip = byId('open-branches', HTMLButtonElement);
  #list = make('ul', { class: 'branch-list' });
  #undo = make('button', { hidden: true, onclick: () => this.undelete() });
  #empty = make('p', { class: 'empty' }, branches.only);
  #title = make('h3', {});
  #summary = make('p', { role: 'status' });
  #table = make('div', {});
  #comparison = make('section', { hidden: true }, this.#title, this.#summary, this.#table);
  #actions;
  #known = '';
  #count = 0;
  /** @type {BranchView[]} */ #all = [];
  #playing = 0;
  /** The branch that is being renamed, and the one that is compared; 0: none. */
  #renaming = 0;
  #beside = 0;
  #compared = '';
  #comparedAt = 0;
  #comparingTook = 0;

  /**
   * @param {{ model: () => Model, changed: () => void, show: () => void }} actions `show`: brings
   * the panel into sight
   */
  constructor(actions) {
    this.#actions = actions;
    this.#panel.append(this.#empty, this.#list, this.#undo, this.#comparison);
    for (const id of ['open-branches', 'more-branches'])
      byId(id, HTMLButtonElement).addEventListener('click', actions.show);
  }

  reset() {
    this.#known = this.#compared = '';
    this.#playing = this.#renaming = this.#beside = 0;
  }

  /**
   * What can be done to another branch, at its lane.
   * @param {BranchView} branch
   * @param {HTMLElement} lane
   */
  menu(branch, lane) {
    const { name } = branch;
    const go = { words: branches.go, act: () => this.#switch(branch) };
    const others = [
      { words: branches.compare, act: () => this.#compare(branch.id, true) },
      { words: branches.rename, act: () => this.#rename(branch.id) },
      { words: branches.delete, act: () => this.#delete(branch, lane) },
    ];
    // The embedded player has no list of branches.
    const items = document.documentElement.dataset.mode === 'embed' ? [go] : [go, ...others];
    const content = { title: name, facts: branches.facts(branch, this.#nameOf(branch.origin)), groups: [{ items }] };
    openMenu(content, { at: lane.getBoundingClientRect(), back: lane });
  }

  /** @param {Model} model @param {boolean} playing */
  update(model, playing) {
    const { frame } = model;
    const begun = this.#playing > 0 && frame.branch !== this.#playing && frame.branches > this.#count;
    if (begun) toast(branches.begun(this.#nameOf(this.#playing)));
    this.#count = frame.branches;
    if (this.#state(model) !== this.#known) this.#read(model);
    if (!this.#panel.hidden && this.#beside) this.#fillComparison(model, playing);
  }

  /** @param {number} id */
  #nameOf = (id) => this.#all.find((branch) => branch.id === id)?.name ?? '';

  /** What the list depends on. @param {Model} model */
  #state({ frame, renamed }) {
    const [renaming, beside, { hidden }] = [this.#renaming, this.#beside, this.#panel];
    return `${frame.branch} ${frame.branches} ${renamed} ${renaming} ${beside} ${hidden}`;
  }

  /** @param {Model} model */
  #read(model) {
    this.#all = model.branches();
    this.#playing = model.frame.branch;
    const there = this.#all.filter(({ id }) => id !== model.deleted);
    setText(byId('branch-name', HTMLElement), this.#nameOf(this.#playing));
    this.#chip.title = branches.chip(this.#nameOf(this.#playing), there.length);
    this.#chip.setAttribute('aria-label', this.#chip.title);
    if (!there.some(({ id, playing }) => id === this.#beside && !playing)) this.#beside = 0;
    this.#known = this.#state(model);
    this.#comparison.hidden = this.#beside === 0;
    if (this.#panel.hidden) return;
    this.#empty.hidden = there.length > 1;
    this.#undo.hidden = model.deleted === 0;
    setText(this.#undo, branches.undoLong(this.#nameOf(model.deleted)));
    const held = document.activeElement?.closest('.branch-list [data-act]');
    const [id, act] = [held?.closest('li')?.dataset.branch, held?.getAttribute('data-act')];
    this.#list.replaceChildren(...there.map((branch) => this.#item(branch)));
    if (!held) return;
    const item = this.#list.querySelector(`[data-branch="${id}"]`) ?? this.#list.querySelector('[data-branch]');
    const next = item?.querySelector(`[data-act="${act}"]`) ?? item?.querySelector('button');
    if (next instanceof HTMLElement) next.focus();
  }

  /** @param {BranchView} branch */
  #item(branch) {
    const { id, name, playing } = branch;
    if (id === this.#renaming) return this.#form(branch);
    /** @param {string} act @param {string} words @param {(button: HTMLElement) => void} action */
    const button = (act, words, action) => {
      const node = make('button', { 'data-act': act, 'aria-label': `${words} ${name}` }, words);
      node.addEventListener('click', () => action(node));
      return node;
    };
    const compare = button('compare', branches.compare, () => this.#compare(id, this.#beside !== id));
    compare.setAttribute('aria-pressed', String(this.#beside === id));
    const others = [button('go', branches.go, () => this.#switch(branch)), compare];
    return make(
      'li',
      { 'data-branch': id, 'aria-current': playing ? 'true' : 'false' },
      make('b', {}, name),
      make('span', { class: 'hint' }, branches.words(branch, this.#nameOf(branch.origin))),
      make(
        'span',
        { class: 'row' },
        ...(playing ? [] : others),
        button('rename', branches.rename, () => this.#rename(id)),
        ...(playing ? [] : [button('delete', branches.delete, (node) => this.#delete(branch, node))]),
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
      this.#renaming = 0;
      if (fresh !== null && fresh !== name) this.#actions.model().renameBranch(id, fresh);
      this.#read(this.#actions.model());
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

  /** @param {BranchView} branch */
  #switch({ id, name }) {
    const before = this.#playing;
    const model = this.#actions.model();
    const { now } = model;
    model.switchTo(id);
    // A comparison goes on with the same two branches.
    if (this.#beside === id) this.#beside = before;
    toast(branches.switched(name, model.now, model.now < now));
  }

  /** @param {number} id @param {boolean} on */
  #compare(id, on) {
    this.#beside = on ? id : 0;
    this.#compared = '';
    this.#comparedAt = 0;
    if (on) this.#actions.show();
    this.#actions.changed();
  }

  /** @param {number} id */
  #rename(id) {
    this.#renaming = id;
    this.#actions.show();
    // The field must be there at once: what is typed next is the name.
    this.#read(this.#actions.model());
    this.#list.querySelector('input')?.select();
  }

  /** @param {BranchView} branch @param {HTMLElement} back */
  #delete({ id, name }, back) {
    this.#actions.model().deleteBranch(id);
    toast(branches.deleted(name), [branches.undo, () => this.undelete()]);
    if (!this.#panel.contains(back)) this.#chip.focus();
  }

  /** Brings back what was deleted last. */
  undelete() {
    const model = this.#actions.model();
    const { deleted } = model;
    if (!deleted) {
      toast(branches.noneDeleted);
      return;
    }
    const held = this.#undo.contains(document.activeElement);
    model.undelete();
    this.#read(model);
    toast(branches.undone(this.#nameOf(deleted)));
    const again = this.#list.querySelector(`[data-branch="${deleted}"] button`);
    if (held && again instanceof HTMLElement) again.focus();
    else if (document.activeElement === document.body) this.#chip.focus();
  }

  /** @param {Model} model @param {boolean} playing */
  #fillComparison(model, playing) {
    const { events, epoch, branch } = model.frame;
    const wanted = `${events} ${epoch} ${branch} ${this.#beside} ${model.renamed}`;
    const clock = performance.now();
    if (wanted === this.#compared || (playing && clock - this.#comparedAt < this.#comparingTook / SHARE)) return;
    this.#compared = wanted;
    const other = model.beside(this.#beside);
    if (!other) return;
    const first = firstOf(model.frame, other, COMPARED);
    const [here, there] = [this.#nameOf(branch), this.#nameOf(this.#beside)];
    const { table, differing, of } = comparison(
      { name: here, frame: model.frame, logs: model.logs(first, COMPARED) },
      { name: there, frame: other, logs: model.besideLogs(this.#beside, first, COMPARED) },
    );
    setText(this.#title, strings.compare.title(here, there));
    const words = [strings.compare.summary(differing, of)];
    if (first > 1) words.push(strings.compare.newest(COMPARED));
    if (other.now < model.now) words.push(strings.compare.short(there, other.now));
    setText(this.#summary, words.join(' '));
    this.#table.replaceChildren(table);
    if (this.#comparedAt === 0) this.#comparison.scrollIntoView({ block: 'nearest' });
    this.#comparedAt = clock;
    this.#comparingTook = performance.now() - clock;
  }
}
