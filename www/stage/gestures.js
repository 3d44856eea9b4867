// @ts-check
// Gestures on the stage. A press, a long press or the context-menu key opens the menu of what is
// there. A stroke across links cuts them; one across the whole ring splits the network.

/** @typedef {import('../run/page-state.js').PageState} PageState */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('./ring.js').Ring} Ring */
/** @typedef {import('./geometry.js').Point} Point */

import { byId, setText } from '../kit/dom.js';
import { linkNear, linkSpot, messageNear, messageSpot, pairsOf } from './geometry.js';
import { lazily, whenIdle } from '../kit/lazy.js';
import { closeMenu, openMenu } from '../kit/menu.js';
import { whyNot } from '../run/source.js';
import * as common from '../words/common.js';
import * as strings from '../words/stage.js';
import { sidesOf } from './cuts.js';

const LONG_PRESS = 450;
/** A press that moves further than this is a stroke, in px. */
const STROKE = 9;

/**
 * @typedef {object} Callbacks
 * @property {() => Source} source
 * @property {(id: number) => void} inspect
 * @property {() => void} openNetwork
 * @property {() => (() => void)} pauseForNow pauses while a message's menu is open; returns what
 * resumes the run
 * @property {() => void} changed
 */

export class StageGestures {
  #ring;
  #state;
  #callbacks;
  #canvas = byId('ring', HTMLCanvasElement);
  #menus = lazily(() => import('./menus.js'));
  #live = byId('live', HTMLElement);
  /** @type {Point[]} */ #path = [];
  #pointer = -1;
  #pressed = 0;
  /** Whether this press has done something already: the click that follows it does nothing. */
  #used = false;

  /** @param {Ring} ring @param {PageState} state @param {Callbacks} callbacks */
  constructor(ring, state, callbacks) {
    this.#ring = ring;
    this.#state = state;
    this.#callbacks = callbacks;
    const canvas = this.#canvas;
    whenIdle(() => this.#menus());
    canvas.addEventListener('pointerdown', (event) => this.#press(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    canvas.addEventListener('pointerup', (event) => this.#release(event));
    canvas.addEventListener('pointercancel', () => this.#let());
    canvas.addEventListener('click', (event) => this.#click(event));
    canvas.addEventListener('contextmenu', (event) => {
      event.preventDefault();
      if (!this.#used) this.#openAt(event, true);
    });
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#let();
    });
  }

  /** @param {number} id @param {HTMLElement | null} [back] */
  async server(id, back = null) {
    const menus = await this.#menus();
    const { layout } = this.#ring;
    const spot = layout.servers[id - 1];
    if (!menus || !spot) return;
    this.#open(menus.serverMenu(this.#callbacks.source(), id, this.#callbacks.inspect), spot, layout.node + 10, back);
  }

  /** @param {number} a @param {number} b @param {HTMLElement | null} [back] */
  async link(a, b, back = null) {
    const menus = await this.#menus();
    if (menus) this.#open(menus.linkMenu(this.#callbacks.source(), a, b), linkSpot(this.#ring.layout, a, b), 10, back);
  }

  /** @param {number} id @param {HTMLElement | null} [back] */
  async message(id, back = null) {
    const goOn = this.#callbacks.pauseForNow();
    const menus = await this.#menus();
    const source = this.#callbacks.source();
    const message = source.frame.messages.find((m) => m.id === id);
    if (!menus || !message) {
      goOn();
      return;
    }
    const { at } = messageSpot(this.#ring.layout, message, source.now);
    this.#open(menus.messageMenu(source, message), at, 14, back, goOn);
  }

  /** @param {Point} at @param {() => void} openNetwork */
  async #cluster(at, openNetwork) {
    const menus = await this.#menus();
    if (menus) this.#open(menus.clusterMenu(this.#callbacks.source(), openNetwork), at, 2, null);
  }

  /**
   * @param {import('../kit/menu.js').Content} content @param {Point} at @param {number} clear
   * @param {HTMLElement | null} back @param {() => void} [closed]
   */
  #open(content, { x, y }, clear, back, closed) {
    const stage = this.#canvas.getBoundingClientRect();
    // In presenter mode, the stage is drawn larger than it is laid out.
    const { stageZoom: zoom } = this.#state;
    const rect = new DOMRect(
      stage.x + (x - clear) * zoom,
      stage.y + (y - clear) * zoom,
      2 * clear * zoom,
      2 * clear * zoom,
    );
    openMenu(content, { at: rect, back, closed });
  }

  /** @param {MouseEvent} event @param {boolean} anywhere whether the empty stage has a menu too */
  #openAt(event, anywhere) {
    const at = { x: event.offsetX, y: event.offsetY };
    const touch = event instanceof PointerEvent && event.pointerType === 'touch';
    const { layout } = this.#ring;
    const { frame } = this.#callbacks.source();
    const message = messageNear(layout, frame, at, touch ? 20 : 14, this.#state.shows);
    const link = linkNear(layout, at, touch ? 14 : 8);
    if (message) this.message(message.id);
    else if (link) this.link(...link);
    else if (anywhere) this.#cluster(at, this.#callbacks.openNetwork);
  }

  /** @param {MouseEvent} event */
  #click(event) {
    if (!this.#used) this.#openAt(event, false);
    this.#used = false;
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0 || this.#pointer >= 0) return;
    this.#used = false;
    this.#pointer = event.pointerId;
    this.#path = [{ x: event.offsetX, y: event.offsetY }];
    this.#canvas.setPointerCapture(event.pointerId);
    if (event.pointerType !== 'touch') return;
    this.#pressed = setTimeout(() => {
      if (this.#path.length > 1) return;
      this.#openAt(event, true);
      this.#let();
      this.#used = true;
    }, LONG_PRESS);
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const last = this.#path[this.#path.length - 1];
    const at = { x: event.offsetX, y: event.offsetY };
    if (Math.hypot(at.x - last.x, at.y - last.y) < STROKE) return;
    clearTimeout(this.#pressed);
    closeMenu();
    const why = whyNot(this.#callbacks.source(), 'acting');
    if (why) {
      setText(byId('hint', HTMLElement), why);
      return;
    }
    this.#path.push(at);
    this.#ring.stroke = { path: this.#path, cut: this.#crossed() };
    setText(byId('hint', HTMLElement), strings.strokeWords(this.#ring.stroke.cut, this.#sides()));
    this.#callbacks.changed();
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (event.pointerId !== this.#pointer) return;
    if (this.#path.length > 1) {
      const cut = this.#crossed();
      const sides = this.#sides();
      this.#used = true;
      const { acting } = this.#callbacks.source();
      if (sides) acting?.act({ do: 'partition', groups: sides });
      else if (cut.length)
        acting?.cutLinks(
          cut.flatMap(([a, b]) => [
            [a, b],
            [b, a],
          ]),
        );
      if (cut.length) setText(this.#live, strings.strokeWords(cut, sides));
    }
    this.#let();
  }

  #let() {
    clearTimeout(this.#pressed);
    if (this.#pointer >= 0 && this.#canvas.hasPointerCapture(this.#pointer))
      this.#canvas.releasePointerCapture(this.#pointer);
    this.#pointer = -1;
    this.#path = [];
    if (!this.#ring.stroke) return;
    this.#ring.stroke = null;
    setText(byId('hint', HTMLElement), common.text.hint);
    this.#callbacks.changed();
  }

  /** The links that the stroke crosses. @returns {[number, number][]} */
  #crossed() {
    const { servers, shown } = this.#ring.layout;
    const path = this.#path;
    return pairsOf(shown).filter(([a, b]) =>
      path.some((point, i) => i > 0 && cross(path[i - 1], point, servers[a - 1], servers[b - 1])),
    );
  }

  /**
   * The sides of a partition, if the stroke crosses exactly the links between them and no link is
   * cut.
   */
  #sides() {
    const { frame } = this.#callbacks.source();
    if (frame.cuts.length) return null;
    const cut = new Set(this.#crossed().map(([a, b]) => a * 256 + b));
    const isCut = (/** @type {number} */ a, /** @type {number} */ b) => cut.has(Math.min(a, b) * 256 + Math.max(a, b));
    const { shown } = this.#ring.layout;
    const sides = sidesOf(shown.length, (from, to) => isCut(shown[from - 1], shown[to - 1]));
    // Who is hidden stays with the first server.
    return sides && frame.servers.map(({ id }) => sides[shown.indexOf(id)] ?? 0);
  }
}

/**
 * Whether two line segments cross.
 * @param {Point} a
 * @param {Point} b
 * @param {Point} p
 * @param {Point} q
 */
function cross(a, b, p, q) {
  /** @param {Point} o @param {Point} u @param {Point} v */
  const side = (o, u, v) => Math.sign((u.x - o.x) * (v.y - o.y) - (u.y - o.y) * (v.x - o.x));
  return side(a, b, p) !== side(a, b, q) && side(p, q, a) !== side(p, q, b);
}
