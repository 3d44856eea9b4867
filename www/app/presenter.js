// @ts-check
// Presenter mode: the ring and the sentence in large, and the keys of a remote control.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/page-state.js').PageState} PageState */
/** @typedef {keyof PageState['presented']} Presented */

import { byId, make, setAttribute, setText } from '../kit/dom.js';
import * as strings from '../words/app.js';
import { toast } from '../kit/toast.js';

/**
 * The stage's height in its own px, and its least width. On a larger screen everything is larger.
 */
const STAGE = { width: 360, height: 430 };
/** The buttons are hidden when the pointer hasn't moved for so long, in ms. */
const STAYS = 3_000;

/**
 * @typedef {object} Actions
 * @property {() => void} toggle
 * @property {(forward: boolean) => void} jump
 * @property {(forward: boolean) => void} step
 * @property {() => boolean} playing
 * @property {(index: number) => void} stopAtCommit pauses, and goes back to where this entry was
 * committed
 */

export class Presenter {
  on = false;
  #state;
  #actions;
  #bar = byId('presenter', HTMLElement);
  #play = make('button', { onclick: () => this.#actions.toggle() });
  /**
   * By what they show: the buttons that are pressed while it is shown.
   * @type {Map<Presented, HTMLElement>}
   */
  #switches = new Map();
  /** The highest index that was known to be committed, when it was looked at last. */
  #committed = 0;
  #idle = 0;
  #full = false;
  /** @type {Element | null} */ #back = null;

  /** @param {PageState} state @param {Actions} actions */
  constructor(state, actions) {
    this.#state = state;
    this.#actions = actions;
    const { present } = strings;
    const button = (/** @type {string} */ words, /** @type {string} */ sign, /** @type {() => void} */ act) =>
      make('button', { 'aria-label': words, title: words, onclick: act }, sign);
    this.#bar.append(
      button(present.previous, '‹', () => actions.jump(false)),
      this.#play,
      button(present.next, '›', () => actions.jump(true)),
      ...['reading', 'quorum', 'commits'].map((what) => this.#switch(/** @type {Presented} */ (what))),
      button(present.leave, '×', () => this.leave()),
    );
    document.addEventListener('keydown', (event) => this.#key(event), true);
    for (const type of ['pointermove', 'pointerdown', 'focusin']) {
      document.addEventListener(type, () => this.on && this.#stir());
    }
    // In full screen, Escape belongs to the browser: it is meant for what is open, if anything is.
    document.addEventListener('fullscreenchange', () => {
      if (this.#full && !document.fullscreenElement && !this.#close()) this.leave();
      this.#full = Boolean(document.fullscreenElement);
    });
    addEventListener('resize', () => this.#fit());
  }

  enter() {
    if (this.on) return;
    this.on = true;
    this.#back = document.activeElement;
    document.documentElement.dataset.mode = 'present';
    this.#bar.hidden = false;
    this.#committed = Infinity;
    this.#mark();
    // Browsers allow full screen only after a press or a key; otherwise the window must do.
    if (navigator.userActivation?.isActive) document.documentElement.requestFullscreen?.().catch(() => {});
    this.#fit();
    this.#stir();
    toast(strings.present.keys);
  }

  leave() {
    if (!this.on) return;
    this.on = false;
    delete document.documentElement.dataset.mode;
    document.documentElement.removeAttribute('data-blank');
    this.#bar.hidden = true;
    this.#mark();
    if (document.fullscreenElement) document.exitFullscreen();
    this.#fit();
    if (this.#back instanceof HTMLElement) this.#back.focus();
  }

  /** Shows the logs and the panels beside the ring. */
  read() {
    if (!this.#state.presented.reading) this.#flip('reading');
  }

  /** @param {Presented} what */
  #switch(what) {
    const [words, title] = strings.present.shows[what];
    const button = make('button', { title, 'aria-pressed': 'false', onclick: () => this.#flip(what) }, words);
    this.#switches.set(what, button);
    return button;
  }

  /** Shows something that isn't shown, and the other way round. @param {Presented} what */
  #flip(what) {
    const { presented } = this.#state;
    this.#state.set({ presented: { ...presented, [what]: !presented[what] } });
    this.#mark();
    this.#fit();
  }

  /** Tells the style sheet and the buttons what is shown. */
  #mark() {
    for (const [what, button] of this.#switches) {
      const shown = this.#state.presented[what];
      setAttribute(button, 'aria-pressed', String(shown));
      document.documentElement.toggleAttribute(`data-${what}`, this.on && shown);
    }
  }

  /** Closes what is open over the stage; whether anything was. */
  #close() {
    const dialog = document.querySelector('dialog[open]');
    if (dialog instanceof HTMLDialogElement) dialog.close();
    else if (this.#state.presented.reading) this.#flip('reading');
    else return false;
    return true;
  }

  reset() {
    this.#committed = Infinity;
  }

  /** @param {Frame} frame @param {boolean} playing */
  update({ servers }, playing) {
    if (!this.on) return;
    setText(this.#play, playing ? strings.pause : strings.play);
    const committed = Math.max(...servers.map(({ commitIndex }) => commitIndex));
    const more = committed > this.#committed;
    this.#committed = committed;
    if (playing && more && this.#state.presented.commits) this.#actions.stopAtCommit(committed);
  }

  #fit() {
    const panel = byId('stage-panel', HTMLElement);
    const part = Number(getComputedStyle(panel).getPropertyValue('--part')) / 100;
    const { width, height } = this.on ? { width: panel.clientWidth, height: innerHeight * part } : STAGE;
    const zoom = this.on ? Math.max(1, Math.min(width / STAGE.width, height / STAGE.height)) : 1;
    this.#state.set({ stageZoom: zoom });
    byId('stage', HTMLElement).style.setProperty('--zoom', String(zoom));
  }

  /** Somebody moves the pointer or presses: the buttons are shown. */
  #stir() {
    const { classList } = this.#bar;
    classList.remove('idle');
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => classList.toggle('idle', !this.#bar.matches(':focus-within, :hover')), STAYS);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.on || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('.menu, dialog[open]'))
      return;
    // What is beside the ring has keys of its own.
    const own = event.target instanceof Element && event.target.closest('[role=toolbar], #reading');
    if (own && event.key !== 'Escape') return;
    const { jump, step, toggle } = this.#actions;
    /** @type {Record<string, () => void>} */
    const keys = {
      PageDown: () => jump(true),
      PageUp: () => jump(false),
      ArrowRight: () => jump(true),
      ArrowLeft: () => jump(false),
      ArrowDown: () => step(true),
      ArrowUp: () => step(false),
      Escape: () => this.#close() || this.leave(),
      l: () => this.#flip('reading'),
      q: () => this.#flip('quorum'),
      c: () => this.#flip('commits'),
    };
    // Its own buttons are pressed with it; on the ring, Enter is left for that.
    if (!this.#bar.contains(document.activeElement)) keys[' '] = toggle;
    const blanks = event.key === 'b' || event.key === '.';
    const act = keys[event.key];
    const root = document.documentElement;
    const dark = root.hasAttribute('data-blank');
    // Whatever is pressed in the dark lights the screen.
    if (!act && !blanks && !dark) return;
    event.preventDefault();
    event.stopPropagation();
    root.toggleAttribute('data-blank', blanks && !dark);
    act?.();
  }
}
