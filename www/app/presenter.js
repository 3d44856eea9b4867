// @ts-check
// Presenter mode: the ring and the sentence in large, and the keys of a remote control.

/** @typedef {import('../run/page-state.js').PageState} PageState */

import { byId, make, setText } from '../kit/dom.js';
import * as strings from '../words/strings.js';
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
 */

export class Presenter {
  on = false;
  #state;
  #actions;
  #bar = byId('presenter', HTMLElement);
  #play = make('button', { onclick: () => this.#actions.toggle() });
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
      button(present.leave, '×', () => this.leave()),
    );
    document.addEventListener('keydown', (event) => this.#key(event), true);
    for (const type of ['pointermove', 'pointerdown', 'focusin']) {
      document.addEventListener(type, () => this.on && this.#stir());
    }
    // In full screen, Escape belongs to the browser.
    document.addEventListener('fullscreenchange', () => {
      if (this.#full && !document.fullscreenElement) this.leave();
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
    if (document.fullscreenElement) document.exitFullscreen();
    this.#fit();
    if (this.#back instanceof HTMLElement) this.#back.focus();
  }

  reset() {}

  update() {
    if (this.on) setText(this.#play, this.#actions.playing() ? strings.pause : strings.play);
  }

  #fit() {
    const { width, height } = this.on ? { width: innerWidth, height: innerHeight * 0.66 } : STAGE;
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
    if (!this.on || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('.menu')) return;
    if (event.target instanceof Element && event.target.closest('[role=toolbar]')) return;
    const { jump, step, toggle } = this.#actions;
    /** @type {Record<string, () => void>} */
    const keys = {
      PageDown: () => jump(true),
      PageUp: () => jump(false),
      ArrowRight: () => jump(true),
      ArrowLeft: () => jump(false),
      ArrowDown: () => step(true),
      ArrowUp: () => step(false),
      Escape: () => this.leave(),
    };
    // Its own buttons are pressed with it; on the ring, Enter is left for that.
    if (!this.#bar.contains(document.activeElement)) keys[' '] = toggle;
    const blanks = event.key === 'b' || event.key === '.';
    const act = keys[event.key];
    if (!act && !blanks) return;
    event.preventDefault();
    event.stopPropagation();
    const root = document.documentElement;
    root.toggleAttribute('data-blank', blanks && !root.hasAttribute('data-blank'));
    act?.();
  }
}
