// @ts-check
// Buttons for those who use the keyboard or a screen reader: a real one over every server, every
// link and, while the run is paused, every message on the canvas. Its name says the state of what
// it stands for, and it opens that thing's menu. The pointer reaches only the buttons of servers;
// stage-gestures.js finds out what else it is on.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('./ring.js').Ring} Ring */
/** @typedef {import('../run/page-state.js').Lit} Lit */
/** @typedef {import('../run/page-state.js').PageState} PageState */
/** @typedef {import('../run/source.js').Source} Source */

import { byId, lessMotion, make, setAttribute } from '../kit/dom.js';
import { isPlaced, linkNear, linkSpot, messageNear, messageSpot, pairs } from './geometry.js';
import { NOTHING } from '../run/page-state.js';
import { buttonsOf, roveFocus } from '../kit/roving-focus.js';
import * as common from '../words/common.js';
import * as strings from '../words/stage.js';
import { cutSet, hearingOf } from './cuts.js';

/** More messages than anyone steps through. */
const MOST_MESSAGES = 60;
/** While the run plays, the buttons' names are renewed this often, in ms. */
const LABEL_EVERY = 100;

/**
 * @typedef {object} Actions
 * @property {(server: number, button: HTMLElement) => void} server
 * @property {(a: number, b: number, button: HTMLElement) => void} link
 * @property {(id: number, button: HTMLElement) => void} message
 */

export class StageButtons {
  #ring;
  #state;
  #actions;
  #canvas = byId('ring', HTMLCanvasElement);
  #serverBox = byId('server-buttons', HTMLElement);
  #linkBox = byId('link-buttons', HTMLElement);
  #messageBox = byId('message-buttons', HTMLElement);
  /** @type {HTMLButtonElement[]} */ #servers = [];
  /** @type {{ a: number, b: number, button: HTMLButtonElement }[]} */ #links = [];
  /** By the message's number. @type {Map<number, HTMLButtonElement>} */ #messages = new Map();
  /** @type {Frame | null} */ #frame = null;
  #labelled = 0;
  /** Which servers had a place when the buttons got theirs. */
  #shown = '';

  /**
   * @param {Ring} ring @param {PageState} state @param {HTMLElement} stage @param {Actions} actions
   */
  constructor(ring, state, stage, actions) {
    this.#ring = ring;
    this.#state = state;
    this.#actions = actions;
    roveFocus(this.#linkBox);
    roveFocus(this.#messageBox);
    this.#canvas.addEventListener('pointermove', (event) => {
      if (event.pointerType !== 'touch' && event.buttons === 0)
        this.#light(this.#under({ x: event.offsetX, y: event.offsetY }));
    });
    stage.addEventListener('pointerleave', () => this.#light(NOTHING));
  }

  /** @param {Source} source */
  reset({ frame }) {
    this.#begin(frame.servers.length);
  }

  /**
   * Makes the buttons: for a new run, or when a server has joined.
   * @param {number} servers
   */
  #begin(servers) {
    this.#labelled = 0;
    this.#servers = Array.from({ length: servers }, (_, i) => {
      const id = i + 1;
      const button = this.#button({ ...NOTHING, server: id }, { 'data-server': id }, (button) =>
        this.#actions.server(id, button),
      );
      return button;
    });
    this.#serverBox.replaceChildren(...this.#servers);
    this.#links = pairs(servers).map(([a, b], i) => {
      const attributes = { 'data-link': `${a}-${b}`, tabindex: i === 0 ? 0 : -1 };
      const button = this.#button({ ...NOTHING, link: [a, b] }, attributes, (button) =>
        this.#actions.link(a, b, button),
      );
      return { a, b, button };
    });
    this.#linkBox.replaceChildren(...this.#links.map(({ button }) => button));
    this.#linkBox.hidden = this.#links.length === 0;
    this.place();
  }

  /** Puts each button where the ring now draws what it stands for. */
  place() {
    const { layout } = this.#ring;
    // None lies on its neighbour, and each is large enough for a finger where that can be.
    const size = Math.max(24, Math.min(layout.gap, Math.max(44, 2 * (layout.node + 12))));
    this.#shown = layout.shown.join();
    this.#servers.forEach((button, i) => {
      button.hidden = !layout.shown.includes(i + 1);
      put(button, layout.servers[i], size);
    });
    for (const { a, b, button } of this.#links) {
      button.hidden = !isPlaced(layout, { from: a, to: b });
      put(button, linkSpot(layout, a, b), 24);
    }
    // The focus doesn't stay on what is hidden.
    const reached = this.#links.find(({ button }) => button.tabIndex === 0);
    if (!reached?.button.hidden) return;
    reached.button.tabIndex = -1;
    const next = this.#links.find(({ button }) => !button.hidden);
    if (next) next.button.tabIndex = 0;
  }

  /** @param {Frame} frame @param {boolean} playing */
  update(frame, playing) {
    this.#frame = frame;
    if (frame.servers.length !== this.#servers.length) this.#begin(frame.servers.length);
    else if (this.#ring.layout.shown.join() !== this.#shown) this.place();
    const clock = performance.now();
    if (!playing || clock - this.#labelled > LABEL_EVERY) this.#label(frame, clock);
    this.#updateMessages(playing ? [] : this.#seen(frame).slice(0, MOST_MESSAGES), frame.now);
  }

  /** The messages that can be seen. @param {Frame} frame */
  #seen({ messages }) {
    return messages.filter((message) => this.#state.shows(message) && isPlaced(this.#ring.layout, message));
  }

  /** @param {Frame} frame @param {number} clock */
  #label(frame, clock) {
    this.#labelled = clock;
    frame.servers.forEach((server, i) => {
      const words = [strings.serverLabel(server), ...strings.hearingWords(hearingOf(frame, server.id))];
      setAttribute(this.#servers[i], 'aria-label', words.join(', '));
    });
    const isCut = cutSet(frame.cuts);
    for (const { a, b, button } of this.#links) {
      setAttribute(button, 'aria-label', strings.linkLabel(a, b, isCut(a, b), isCut(b, a)));
    }
  }

  /** @param {Frame['messages']} messages @param {number} now */
  #updateMessages(messages, now) {
    if (messages.length === 0 && this.#messages.size === 0) return;
    const gone = new Set(this.#messages.keys());
    const focused = this.#messageBox.contains(document.activeElement);
    for (const message of messages) {
      const { id } = message;
      let button = this.#messages.get(id);
      if (!button) {
        button = this.#button({ ...NOTHING, message: id }, { 'data-message': id, tabindex: -1 }, (button) =>
          this.#actions.message(id, button),
        );
        this.#messages.set(id, button);
        this.#messageBox.append(button);
      }
      gone.delete(id);
      setAttribute(button, 'aria-label', common.messageLabel(message));
      put(button, messageSpot(this.#ring.layout, message, now, lessMotion.matches).at, 26);
    }
    for (const id of gone) {
      this.#messages.get(id)?.remove();
      this.#messages.delete(id);
    }
    this.#messageBox.hidden = messages.length === 0;
    const buttons = buttonsOf(this.#messageBox);
    if (!buttons.some((button) => button.tabIndex === 0) && buttons[0]) buttons[0].tabIndex = 0;
    // The message that had the focus has arrived: the next one gets the focus, or the play button.
    if (focused && !this.#messageBox.contains(document.activeElement)) {
      const next = buttons.find((button) => button.tabIndex === 0);
      (next ?? byId('step', HTMLButtonElement)).focus();
    }
  }

  /** @param {{ x: number, y: number }} at @returns {Lit} */
  #under(at) {
    if (!this.#frame) return NOTHING;
    const message = messageNear(this.#ring.layout, this.#frame, at, 14, this.#state.shows);
    if (message) return { ...NOTHING, message: message.id };
    return { ...NOTHING, link: linkNear(this.#ring.layout, at, 8) };
  }

  /**
   * @param {Lit} lit what it stands for
   * @param {Record<string, string | number>} attributes
   * @param {(button: HTMLElement) => void} act
   */
  #button(lit, attributes, act) {
    const button = make('button', {
      class: lit.server ? 'stage-button' : 'stage-button seen-with-focus',
      'aria-haspopup': 'menu',
      ...attributes,
    });
    button.addEventListener('click', () => act(button));
    button.addEventListener('contextmenu', (event) => {
      event.preventDefault();
      act(button);
    });
    const on = () => this.#light(lit);
    const off = () => this.#light(NOTHING);
    // A finger or a click gives it the focus, too, but marks it no longer than it touches it.
    button.addEventListener('focus', () => button.matches(':focus-visible') && on());
    button.addEventListener('blur', off);
    button.addEventListener('pointerenter', (event) => event.pointerType === 'touch' || on());
    button.addEventListener('pointerleave', off);
    return button;
  }

  /** @param {Lit} wanted */
  #light(wanted) {
    const { lit } = this.#state;
    if (lit.server === wanted.server && lit.message === wanted.message && String(lit.link) === String(wanted.link))
      return;
    this.#canvas.classList.toggle('on-something', wanted.link !== null || wanted.message > 0);
    this.#state.set({ lit: wanted });
  }
}

/** @param {HTMLElement} button @param {{ x: number, y: number }} at @param {number} size */
function put(button, at, size) {
  button.style.left = `${at.x - size / 2}px`;
  button.style.top = `${at.y - size / 2}px`;
  button.style.width = button.style.height = `${size}px`;
}
