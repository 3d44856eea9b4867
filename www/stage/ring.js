// @ts-check
// The stage: one canvas, which is drawn as a whole, from a frame alone.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */
/** @typedef {import('./geometry.js').Layout} Layout */
/** @typedef {import('./geometry.js').Point} Point */
/** @typedef {import('../run/page-state.js').PageState} PageState */
/** @typedef {import('../run/source.js').Source} Source */

import { lessMotion } from '../kit/dom.js';
import { NOTHING } from '../run/page-state.js';
import { clientAt, layOut, messageSpot } from './geometry.js';
import { drawGlyph, halo, loudness, pin, strike } from '../draw/glyphs.js';
import { drawClient, drawName, drawServer } from './nodes.js';
import { readPalette } from '../draw/palette.js';
import { Sprites } from './sprites.js';
import { cutSet, drawImpaired, drawLinks, drawStroke, hearingOf } from './cuts.js';

export class Ring {
  /** @type {Layout} */
  layout;
  /**
   * A stroke under way, and the links it would cut.
   * @type {{ path: Point[], cut: [number, number][] } | null}
   */
  stroke = null;

  #canvas;
  #state;
  #c;
  #palette = readPalette();
  #sprites = new Sprites();
  /**
   * Whether it is drawn elsewhere than on the stage: without sprites, which fit the stage alone.
   */
  #away = false;
  #servers = 1;
  #ratio = 0;
  /** Clients seen so far: they keep their places. @type {Set<number>} */
  #clients = new Set([1]);

  /** @param {HTMLCanvasElement} canvas @param {PageState} state */
  constructor(canvas, state) {
    const c = canvas.getContext('2d');
    if (!c) throw new Error('this browser has no 2D canvas');
    this.#canvas = canvas;
    this.#c = c;
    this.#state = state;
    this.layout = this.#fit();
  }

  /** Another run is shown. @param {Source} source */
  reset({ frame }) {
    this.#servers = frame.servers.length;
    this.#clients = new Set([1]);
    this.stroke = null;
    this.layout = this.#fit();
  }

  /** The stage has another size, or the screen another resolution. */
  resize() {
    this.layout = this.#fit();
  }

  get palette() {
    return this.#palette;
  }

  /** The colours changed. */
  recolour() {
    this.#palette = readPalette();
    this.#sprites.clear();
  }

  #fit() {
    const { clientWidth, clientHeight } = this.#canvas;
    const ratio = (devicePixelRatio || 1) * this.#state.stageZoom;
    this.#ratio = ratio;
    this.#canvas.width = Math.round(clientWidth * ratio);
    this.#canvas.height = Math.round(clientHeight * ratio);
    this.#c.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#sprites.clear();
    return layOut(clientWidth, clientHeight, this.#servers);
  }

  /** @param {Frame} frame */
  update(frame) {
    const { length } = frame.servers;
    // A server has joined; or the window has moved to another screen.
    if (this.#servers !== length) {
      this.#servers = length;
      this.resize();
    } else if (this.#ratio !== (devicePixelRatio || 1) * this.#state.stageZoom) this.resize();
    this.#c.clearRect(0, 0, this.layout.width, this.layout.height);
    this.#paint(frame);
  }

  /**
   * Draws a frame on another canvas, without marking what the pointer is on.
   * @param {Frame} frame @param {CanvasRenderingContext2D} c
   */
  drawOn(c, frame) {
    const own = this.#c;
    this.#c = c;
    this.#away = true;
    this.#paint(frame);
    this.#away = false;
    this.#c = own;
  }

  /** @param {Frame} frame */
  #paint(frame) {
    const c = this.#c;
    const { layout } = this;
    const hop = lessMotion.matches;
    const lit = this.#lit;
    drawLinks(c, this.#palette, layout, cutSet(frame.cuts), lit.link);
    drawImpaired(c, this.#palette, layout, frame.impaired);
    for (const message of frame.messages) {
      if (message.from < 0) this.#clients.add(-message.from);
      if (message.to < 0) this.#clients.add(-message.to);
    }
    for (const number of this.#clients) {
      drawClient(c, this.#palette, clientAt(layout, number), number, layout.label - 1);
    }
    // A client's messages may pass a server on their way: they are drawn under it.
    const [clients, quiet, loud] = byLayer(frame.messages.filter(this.#state.shows));
    for (const message of clients) this.#drawMessage(message, frame.now, hop);
    for (const server of frame.servers) {
      const how = { lit: lit.server === server.id, hop, hearing: hearingOf(frame, server.id) };
      drawServer(c, this.#palette, layout, server, how);
    }
    for (const message of quiet) this.#drawMessage(message, frame.now, hop);
    for (const message of loud) this.#drawMessage(message, frame.now, hop);
    for (const server of frame.servers) drawName(c, this.#palette, layout, server);
    if (this.stroke) drawStroke(c, this.#palette, layout, this.stroke);
  }

  /** What is marked: nothing, elsewhere than on the stage. */
  get #lit() {
    return this.#away ? NOTHING : this.#state.lit;
  }

  /** @param {MessageView} message @param {number} now @param {boolean} hop */
  #drawMessage(message, now, hop) {
    const c = this.#c;
    const { arrives, lost, held, kind } = message;
    const { way, part, gone, at } = messageSpot(this.layout, message, now, hop);
    const colour = this.#palette.term(message.term);
    const alpha = gone ? 1 - 0.75 * Math.min(1, (now - lost) / Math.max(1, arrives - lost)) : loudness(kind);
    if (!gone)
      this.#drawTail(at, way.angle, Math.min(30, part * way.length), colour, kind === 'heartbeat' ? 1.25 : 2, alpha);
    c.globalAlpha = alpha;
    const { entries, success } = message;
    const sign = { kind, colour, angle: way.angle, entries, success };
    const scale = this.layout.node > 28 ? 1 : 0.82;
    if (this.#away) drawGlyphAt(c, this.#palette, sign, at, scale);
    else this.#sprites.draw(c, this.#palette, sign, at, scale);
    const lit = this.#lit.message === message.id;
    if (gone || held || lit) {
      c.save();
      c.translate(at.x, at.y);
      if (gone) strike(c, this.#palette);
      else if (held) pin(c, this.#palette);
      if (lit) halo(c, this.#palette);
      c.restore();
    }
    c.globalAlpha = 1;
  }

  /**
   * The last part of a message's way, so that its direction can be seen even in a still picture.
   * @param {Point} at @param {number} angle @param {number} length
   * @param {string} colour @param {number} width @param {number} alpha
   */
  #drawTail({ x, y }, angle, length, colour, width, alpha) {
    if (length < 2) return;
    const c = this.#c;
    c.globalAlpha = alpha * 0.35;
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.lineCap = 'butt';
    c.beginPath();
    c.moveTo(x - Math.cos(angle) * length, y - Math.sin(angle) * length);
    c.lineTo(x, y);
    c.stroke();
  }
}

/**
 * In the order of drawing: clients' messages, then those drawn faintly, then the most important.
 * @param {MessageView[]} messages
 */
function byLayer(messages) {
  /** @type {[MessageView[], MessageView[], MessageView[]]} */
  const layers = [[], [], []];
  for (const message of messages) {
    const client = message.from < 0 || message.to < 0;
    layers[client ? 0 : loudness(message.kind) < 1 ? 1 : 2].push(message);
  }
  return layers;
}

/**
 * @param {CanvasRenderingContext2D} c @param {import('../draw/palette.js').Palette} palette
 * @param {import('../draw/glyphs.js').Sign} sign @param {Point} at @param {number} scale
 */
function drawGlyphAt(c, palette, sign, { x, y }, scale) {
  c.save();
  c.translate(x, y);
  drawGlyph(c, palette, sign, scale);
  c.restore();
}
