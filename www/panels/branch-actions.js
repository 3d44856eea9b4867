// @ts-check
// What can be done with branches, wherever that is asked for: in the list, at a lane of the tape,
// by a key; and the chip beside the tape, which names the branch being played.

/** @typedef {import('../../web/view.d.ts').BranchView} BranchView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/page-state.js').PageState} PageState */
/** @typedef {import('../run/source.js').Source} Source */

import { byId, setText } from '../kit/dom.js';
import { openMenu } from '../kit/menu.js';
import { whyNot } from '../run/source.js';
import * as common from '../words/common.js';
import { toast } from '../kit/toast.js';

const { branches } = common;

export class BranchActions {
  /** All there are; the one that was deleted last is among them. @type {BranchView[]} */
  all = [];
  /** Grows when they are read again. */
  revision = 0;

  #chip = byId('open-branches', HTMLButtonElement);
  #state;
  #show;
  #draw;
  /** @type {Source | null} */ #source = null;
  #known = '';
  #count = 0;
  #playing = 0;

  /**
   * @param {PageState} state @param {() => void} show brings the list into sight
   * @param {() => void} draw draws the page at once
   */
  constructor(state, show, draw) {
    this.#state = state;
    this.#show = show;
    this.#draw = draw;
    for (const id of ['open-branches', 'more-branches']) byId(id, HTMLButtonElement).addEventListener('click', show);
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#known = '';
    this.#playing = 0;
    this.all = [];
    this.#chip.hidden = !source.branching;
  }

  /** @param {Frame} frame */
  update({ branch, branches: count }) {
    const { renamed = 0, branching = null } = this.#source ?? {};
    if (!branching) return;
    const begun = this.#playing > 0 && branch !== this.#playing && count > this.#count;
    if (begun) toast(branches.begun(this.nameOf(this.#playing)));
    this.#count = count;
    const known = `${branch} ${count} ${renamed}`;
    if (known === this.#known) return;
    this.#known = known;
    this.read();
  }

  /** Reads them again, at once. */
  read() {
    const { branching = null, frame } = this.#source ?? {};
    if (!branching || !frame) return;
    this.all = branching.branches();
    this.revision++;
    this.#playing = frame.branch;
    const there = this.there;
    setText(byId('branch-name', HTMLElement), this.nameOf(frame.branch));
    this.#chip.title = branches.chip(this.nameOf(frame.branch), there.length);
    this.#chip.setAttribute('aria-label', this.#chip.title);
    if (!there.some(({ id, playing }) => id === this.#state.beside && !playing)) this.#state.beside = 0;
  }

  /** Those that aren't deleted. */
  get there() {
    const deleted = this.#source?.branching?.deleted;
    return this.all.filter(({ id }) => id !== deleted);
  }

  /** @param {number} id */
  nameOf = (id) => this.all.find((branch) => branch.id === id)?.name ?? '';

  /**
   * The menu of another branch, at its lane.
   * @param {BranchView} branch
   * @param {HTMLElement} lane
   */
  menu(branch, lane) {
    const { name } = branch;
    const go = { words: branches.go, act: () => this.switchTo(branch) };
    const others = [
      { words: branches.compare, act: () => this.compare(branch.id, true) },
      { words: branches.rename, act: () => this.rename(branch.id) },
      { words: branches.delete, act: () => this.delete(branch, lane) },
    ];
    // The embedded player has no list of branches.
    const items = document.documentElement.dataset.mode === 'embed' ? [go] : [go, ...others];
    const content = { title: name, facts: branches.facts(branch, this.nameOf(branch.origin)), groups: [{ items }] };
    openMenu(content, { at: lane.getBoundingClientRect(), back: lane });
  }

  /** @param {BranchView} branch */
  switchTo({ id, name }) {
    const source = this.#source;
    if (!source?.branching) return;
    const before = this.#playing;
    const { now } = source;
    source.branching.switchTo(id);
    // A comparison goes on with the same two branches.
    if (this.#state.beside === id) this.#state.beside = before;
    toast(branches.switched(name, source.now, source.now < now));
  }

  /** @param {number} id @param {boolean} on */
  compare(id, on) {
    if (on) this.#show();
    this.#state.set({ beside: on ? id : 0 });
  }

  /** Begins to rename one: the list has a field for it. @param {number} id */
  rename(id) {
    this.#show();
    this.#state.set({ renaming: id });
    // The field must be there at once: what is typed next is the name.
    this.#draw();
  }

  /** Ends renaming. @param {number} id @param {string} [name] the new one, if there is one */
  named(id, name) {
    if (name !== undefined) this.#source?.branching?.renameBranch(id, name);
    this.#state.set({ renaming: 0 });
  }

  /** @param {BranchView} branch @param {HTMLElement} back */
  delete({ id, name }, back) {
    this.#source?.branching?.deleteBranch(id);
    toast(branches.deleted(name), [branches.undo, () => this.undelete()]);
    if (!back.isConnected || back.closest('#tape')) this.#chip.focus();
  }

  /** Brings back what was deleted last. */
  undelete() {
    const source = this.#source;
    if (!source?.branching) {
      if (source) toast(whyNot(source, 'branching'));
      return;
    }
    const { deleted } = source.branching;
    if (!deleted) {
      toast(branches.noneDeleted);
      return;
    }
    source.branching.undelete();
    this.read();
    toast(branches.undone(this.nameOf(deleted)));
    if (document.activeElement === document.body) this.#chip.focus();
  }
}
