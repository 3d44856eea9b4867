// @ts-check
// The canvas for those who don't point at it: a real button over every server and every link, with a name
// that says its state. The links' buttons leave the pointer alone (the stage finds the nearest link).

/** @typedef {import('../web/view.d.ts').Frame} Frame */
/** @typedef {import('./ring.js').Ring} Ring */

import { byId, make, setAttribute } from './dom.js';
import { linkNear, linkSpot, pairs } from './geometry.js';
import * as strings from './strings.js';
import { cutSet } from './walls.js';

/**
 * @typedef {object} Actions
 * @property {(server: number) => void} server
 * @property {(a: number, b: number) => void} link
 * @property {() => void} changed something is lit, or no longer
 */

export class Twins {
  #ring;
  #actions;
  #serverBox = byId('server-twins', HTMLElement);
  #linkBox = byId('link-twins', HTMLElement);
  /** @type {HTMLButtonElement[]} */ #servers = [];
  /** @type {{ a: number, b: number, button: HTMLButtonElement }[]} */ #links = [];

  /** @param {Ring} ring @param {HTMLElement} stage @param {Actions} actions */
  constructor(ring, stage, actions) {
    this.#ring = ring;
    this.#actions = actions;
    this.#linkBox.addEventListener('keydown', (event) => this.#moveAlongLinks(event));
    const canvas = byId('ring', HTMLCanvasElement);
    canvas.addEventListener('pointermove', (event) => {
      if (event.pointerType !== 'touch') this.#light(0, this.#linkUnder(event, 8));
    });
    stage.addEventListener('pointerleave', () => this.#light(0, null));
    canvas.addEventListener('click', (event) => {
      const touch = event instanceof PointerEvent && event.pointerType === 'touch';
      const link = this.#linkUnder(event, touch ? 14 : 8);
      if (link) actions.link(...link);
    });
  }

  /** Makes the buttons of a new run. @param {number} servers */
  reset(servers) {
    this.#servers = Array.from({ length: servers }, (_, i) => {
      const button = make('button', { class: 'twin', 'data-server': i + 1, onclick: () => this.#actions.server(i + 1) });
      this.#lightFor(button, i + 1, null);
      return button;
    });
    this.#serverBox.replaceChildren(...this.#servers);
    this.#links = pairs(servers).map(([a, b], i) => {
      const button = make('button', {
        class: 'twin link-twin',
        'data-link': `${a}-${b}`,
        tabindex: i === 0 ? 0 : -1,
        onclick: () => this.#actions.link(a, b),
      });
      this.#lightFor(button, 0, [a, b]);
      return { a, b, button };
    });
    this.#linkBox.replaceChildren(...this.#links.map(({ button }) => button));
    this.#linkBox.hidden = this.#links.length === 0;
    this.place();
  }

  /** Puts the buttons where the ring now draws what they stand for. */
  place() {
    const { layout } = this.#ring;
    const size = Math.max(44, 2 * (layout.node + 12));
    this.#servers.forEach((button, i) => put(button, layout.servers[i], size));
    for (const { a, b, button } of this.#links) put(button, linkSpot(layout, a, b), 24);
  }

  /** @param {Frame} frame */
  update(frame) {
    frame.servers.forEach((server, i) => setAttribute(this.#servers[i], 'aria-label', strings.serverLabel(server)));
    const isCut = cutSet(frame.cuts);
    for (const { a, b, button } of this.#links) {
      setAttribute(button, 'aria-label', strings.linkLabel(a, b, isCut(a, b), isCut(b, a)));
      setAttribute(button, 'aria-pressed', String(isCut(a, b) || isCut(b, a)));
    }
  }

  /** @param {MouseEvent} event @param {number} within */
  #linkUnder(event, within) {
    return linkNear(this.#ring.layout, { x: event.offsetX, y: event.offsetY }, within);
  }

  /** @param {HTMLButtonElement} button @param {number} server @param {[number, number] | null} link */
  #lightFor(button, server, link) {
    const on = () => this.#light(server, link);
    const off = () => this.#light(0, null);
    button.addEventListener('focus', on);
    button.addEventListener('blur', off);
    button.addEventListener('pointerenter', (event) => event.pointerType === 'touch' || on());
    button.addEventListener('pointerleave', off);
  }

  /** @param {number} server @param {[number, number] | null} link */
  #light(server, link) {
    const { lit } = this.#ring;
    if (lit.server === server && String(lit.link) === String(link)) return;
    this.#ring.lit = { server, link };
    byId('ring', HTMLCanvasElement).classList.toggle('on-link', link !== null);
    this.#actions.changed();
  }

  /** One tab stop for all links; arrows, Home and End move along them. @param {KeyboardEvent} event */
  #moveAlongLinks(event) {
    const at = this.#links.findIndex(({ button }) => button === document.activeElement);
    const last = this.#links.length - 1;
    /** @type {Record<string, number>} */
    const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last };
    if (at < 0 || !(event.key in next)) return;
    event.preventDefault();
    const to = (next[event.key] + this.#links.length) % this.#links.length;
    this.#links[at].button.tabIndex = -1;
    this.#links[to].button.tabIndex = 0;
    this.#links[to].button.focus();
  }
}

/** @param {HTMLElement} button @param {{ x: number, y: number }} at @param {number} size */
function put(button, at, size) {
  button.style.left = `${at.x - size / 2}px`;
  button.style.top = `${at.y - size / 2}px`;
  button.style.width = button.style.height = `${size}px`;
}
