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
import { aboutOf } from '../run/about.js';
import { clientAt, isPlaced, layOut, messageSpot } from './geometry.js';
import { drawGlyph, halo, loudness, pin, strike } from '../draw/glyphs.js';
import { drawClient, drawName, drawServer } from './nodes.js';
import { readPalette } from '../draw/palette.js';
import { alike } from '../draw/shapes.js';
import { Sprites } from './sprites.js';
import { cutSet, drawImpaired, drawLinks, drawStroke, hearingOf } from './cuts.js';

/**
 * A message where it is drawn.
 * @typedef {ReturnType<typeof messageSpot> & { message: MessageView, alpha: number, colour: string
 * }} Placed
 */

export class Ring {
  layout = layOut(0, 0, 1, [1], 1);
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
  /** How many servers there are. */
  #servers = 1;
  /** The ids of those that are drawn. */
  #shown = [1];
  #ratio = 0;
  /** What its size and layout were made for. */
  #fits = '';
  /** How many clients have a place: those that the source knows of, and all that were seen. */
  #clients = 1;

  /** @param {HTMLCanvasElement} canvas @param {PageState} state */
  constructor(canvas, state) {
    const c = canvas.getContext('2d');
    if (!c) throw new Error('this browser has no 2D canvas');
    this.#canvas = canvas;
    this.#c = c;
    this.#state = state;
  }

  /** Another run is shown. @param {Source} source */
  reset({ frame, clients }) {
    this.#servers = frame.servers.length;
    this.#shown = this.#state.serversShown(frame);
    this.#clients = clients;
    this.stroke = null;
    this.resize();
  }

  /** The stage may have another size, the screen another resolution, or there are others on it. */
  resize() {
    const { clientWidth, clientHeight } = this.#canvas;
    const ratio = (devicePixelRatio || 1) * this.#state.stageZoom;
    const fits = `${clientWidth} ${clientHeight} ${ratio} ${this.#servers} ${this.#shown} ${this.#clients}`;
    // A canvas that is given its size is empty, even if that is the size it had.
    if (fits === this.#fits) return;
    this.#fits = fits;
    this.#ratio = ratio;
    this.#canvas.width = Math.round(clientWidth * ratio);
    this.#canvas.height = Math.round(clientHeight * ratio);
    this.#c.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#sprites.clear();
    this.layout = layOut(clientWidth, clientHeight, this.#servers, this.#shown, this.#clients);
  }

  get palette() {
    return this.#palette;
  }

  /** The colours changed. */
  recolour() {
    this.#palette = readPalette();
    this.#sprites.clear();
  }

  /** @param {Frame} frame */
  update(frame) {
    const { length } = frame.servers;
    const shown = this.#state.serversShown(frame);
    const clients = frame.messages.reduce((most, { from, to }) => Math.max(most, -from, -to), this.#clients);
    // A server has joined or left, a client is new; or the window has moved to another screen.
    if (this.#servers !== length || this.#clients !== clients || String(this.#shown) !== String(shown)) {
      this.#servers = length;
      this.#shown = shown;
      this.#clients = clients;
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
    const impaired = frame.impaired.filter(([from, to]) => isPlaced(layout, { from, to }));
    drawImpaired(c, this.#palette, layout, impaired);
    // Where several have one place, the first of them is drawn there.
    for (let number = this.#clients; number > 0; number--) {
      drawClient(c, this.#palette, clientAt(layout, number), number, layout.label - 1);
    }
    // A client's messages may pass a server on their way: they are drawn under it.
    const [clients, quiet, loud] = byLayer(
      frame.messages.filter((message) => this.#state.shows(message) && isPlaced(layout, message)),
    );
    this.#drawMessages(clients, frame.now, hop);
    const servers = layout.shown.map((id) => frame.servers[id - 1]);
    for (const server of servers) {
      const how = { lit: lit.server === server.id, hop, hearing: hearingOf(frame, server.id) };
      drawServer(c, this.#palette, layout, server, how);
    }
    this.#drawMessages(quiet, frame.now, hop);
    this.#drawMessages(loud, frame.now, hop);
    for (const server of servers) drawName(c, this.#palette, layout, server);
    this.#accuse(frame, servers);
    if (this.stroke) drawStroke(c, this.#palette, layout, this.stroke);
  }

  /** What is marked: nothing, elsewhere than on the stage. */
  get #lit() {
    return this.#away ? NOTHING : this.#state.lit;
  }

  /**
   * Whom a violation is about, in red; the rest becomes faint.
   * @param {Frame} frame @param {Frame['servers']} servers those that are drawn
   */
  #accuse(frame, servers) {
    const about = aboutOf(frame.violation);
    const accused = servers.filter(({ id }) => about.servers.includes(id));
    if (!accused.length) return;
    const c = this.#c;
    const { width, height, node } = this.layout;
    c.globalAlpha = 0.65;
    c.fillStyle = this.#palette.paper;
    c.fillRect(0, 0, width, height);
    c.globalAlpha = 1;
    for (const server of accused) {
      const { x, y } = this.layout.servers[server.id - 1];
      const how = { lit: false, hop: true, hearing: hearingOf(frame, server.id) };
      drawServer(c, this.#palette, this.layout, server, how);
      c.strokeStyle = this.#palette.danger;
      c.lineWidth = 3;
      c.beginPath();
      c.arc(x, y, node * 1.22 + 10, 0, 2 * Math.PI);
      c.stroke();
      drawName(c, this.#palette, this.layout, server);
    }
  }

  /** @param {MessageView[]} messages @param {number} now @param {boolean} hop */
  #drawMessages(messages, now, hop) {
    const placed = messages.map((message) => {
      const { arrives, lost, term, kind } = message;
      const spot = messageSpot(this.layout, message, now, hop);
      const alpha = spot.gone ? 1 - 0.75 * Math.min(1, (now - lost) / Math.max(1, arrives - lost)) : loudness(kind);
      return { message, ...spot, alpha, colour: this.#palette.term(term) };
    });
    this.#drawTails(placed.filter(({ gone }) => !gone));
    for (const one of placed) this.#drawMessage(one);
  }

  /** @param {Placed} placed */
  #drawMessage({ message, way, gone, at, alpha, colour }) {
    const c = this.#c;
    const { held, kind } = message;
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
   * The last part of each message's way, so that its direction can be seen even in a still picture.
   * Those that look alike are one path.
   * @param {Placed[]} placed
   */
  #drawTails(placed) {
    const c = this.#c;
    c.lineCap = 'butt';
    for (const group of alike(placed, ({ colour, alpha, message }) => `${colour} ${alpha} ${widthOf(message)}`)) {
      const [{ colour, alpha, message }] = group;
      c.globalAlpha = alpha * 0.35;
      c.strokeStyle = colour;
      c.lineWidth = widthOf(message);
      c.beginPath();
      for (const { way, part, at } of group) {
        const length = Math.min(30, part * way.length);
        if (length < 2) continue;
        c.moveTo(at.x - Math.cos(way.angle) * length, at.y - Math.sin(way.angle) * length);
        c.lineTo(at.x, at.y);
      }
      c.stroke();
    }
  }
}

/** How wide a message's tail is, in px. @param {MessageView} message */
const widthOf = ({ kind }) => (kind === 'heartbeat' ? 1.25 : 2);

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
