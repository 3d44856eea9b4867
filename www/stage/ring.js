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
import { clientAt, isPlaced, lane, layOut, partOf } from './geometry.js';
import { drawGlyph, halo, loudness, pin, strike } from '../draw/glyphs.js';
import { drawClient, drawServer, putName } from './nodes.js';
import { readPalette } from '../draw/palette.js';
import { alike } from '../draw/shapes.js';
import { Sprites } from './sprites.js';
import { Stamps } from './stamps.js';
import { cutSet, drawImpaired, drawLinks, drawStroke, hearingOf } from './cuts.js';

/**
 * A message on the ring. How it looks stays the same; `message`, and what follows it, are of the
 * frame that was drawn last.
 * @typedef {object} Placed
 * @property {import('./geometry.js').Lane} way
 * @property {string} colour
 * @property {number} alpha how strongly it is drawn
 * @property {import('../draw/glyphs.js').Sign} sign
 * @property {CanvasImageSource | null} picture of its sign
 * @property {number} width of its tail
 * @property {string} tail what those whose tails look alike have in common
 * @property {MessageView} message
 * @property {boolean} gone
 * @property {number} part how much of its way it has gone
 * @property {Point} at
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
  #stamps = new Stamps();
  /** The messages that were drawn last, by their numbers. @type {Map<number, Placed>} */
  #placed = new Map();
  /**
   * Whether it is drawn elsewhere than on the stage: without sprites and stamps, which fit the
   * stage alone.
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
    this.#forget();
    this.layout = layOut(clientWidth, clientHeight, this.#servers, this.#shown, this.#clients);
  }

  get palette() {
    return this.#palette;
  }

  /** The colours changed. */
  recolour() {
    this.#palette = readPalette();
    this.#forget();
  }

  /** Drops all that has been drawn already: it has another size, place or colour now. */
  #forget() {
    this.#sprites.clear(this.#ratio);
    this.#stamps.clear(this.#ratio);
    this.#placed.clear();
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

  /**
   * A part of the picture that seldom changes.
   * @type {import('./nodes.js').Put}
   */
  #put = (name, key, boxOf, draw) => {
    if (this.#away) draw(this.#c);
    else this.#stamps.put(this.#c, name, key, boxOf, draw);
  };

  /** @param {Frame} frame */
  #paint(frame) {
    const c = this.#c;
    const { layout } = this;
    const hop = lessMotion.matches;
    const lit = this.#lit;
    const { cuts, impaired } = frame;
    this.#put(
      'below',
      `${cuts} ${impaired} ${lit.link}`,
      () => ({ left: 0, right: layout.width, top: 0, bottom: layout.height }),
      (c) => {
        drawLinks(c, this.#palette, layout, cutSet(cuts), lit.link);
        const placed = impaired.filter(([from, to]) => isPlaced(layout, { from, to }));
        drawImpaired(c, this.#palette, layout, placed);
        // Where several have one place, the first of them is drawn there.
        for (let number = this.#clients; number > 0; number--) {
          drawClient(c, this.#palette, clientAt(layout, number), number, layout.label - 1);
        }
      },
    );
    // A client's messages may pass a server on their way: they are drawn under it.
    const [clients, quiet, loud] = this.#layers(frame, hop);
    this.#drawMessages(clients, frame.now);
    const servers = layout.shown.map((id) => frame.servers[id - 1]);
    for (const server of servers) {
      const how = { lit: lit.server === server.id, hop, hearing: hearingOf(frame, server.id) };
      drawServer(c, this.#palette, layout, server, how, this.#put);
    }
    this.#drawMessages(quiet, frame.now);
    this.#drawMessages(loud, frame.now);
    for (const server of servers) putName(this.#palette, layout, server, this.#put);
    if (frame.violation) this.#accuse(frame, servers);
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
      drawServer(c, this.#palette, this.layout, server, how, this.#put);
      c.strokeStyle = this.#palette.danger;
      c.lineWidth = 3;
      c.beginPath();
      c.arc(x, y, node * 1.22 + 10, 0, 2 * Math.PI);
      c.stroke();
      putName(this.#palette, this.layout, server, this.#put);
    }
  }

  /**
   * The messages in the order of drawing: clients', then those drawn faintly, then the most
   * important.
   * @param {Frame} frame @param {boolean} hop
   */
  #layers({ messages, now }, hop) {
    /** @type {[Placed[], Placed[], Placed[]]} */
    const layers = [[], [], []];
    if (this.#sprites.crowd(messages.length)) this.#placed.clear();
    /** @type {Map<number, Placed>} */
    const all = new Map();
    for (const message of messages) {
      if (!this.#state.shows(message) || !isPlaced(this.layout, message)) continue;
      const placed = this.#place(message);
      const { part, gone, shown } = partOf(message, now, hop);
      placed.message = message;
      placed.part = part;
      placed.gone = gone;
      placed.at = placed.way.at(shown);
      all.set(message.id, placed);
      const client = message.from < 0 || message.to < 0;
      layers[client ? 0 : placed.alpha < 1 ? 1 : 2].push(placed);
    }
    this.#placed = all;
    return layers;
  }

  /**
   * There are hundreds in every frame, so what stays the same is found out once.
   * @param {MessageView} message @returns {Placed}
   */
  #place(message) {
    const { from, to, kind, term, entries, success } = message;
    const known = this.#placed.get(message.id);
    // In another branch, another message may have the same number.
    if (
      known?.message.from === from &&
      known.message.to === to &&
      known.message.kind === kind &&
      known.message.term === term &&
      known.message.entries === entries &&
      known.message.success === success
    )
      return known;
    const way = lane(this.layout, from, to);
    const colour = this.#palette.term(term);
    const alpha = loudness(kind);
    const width = kind === 'heartbeat' ? 1.25 : 2;
    const sign = { kind, colour, angle: way.angle, entries, success };
    const tail = `${colour} ${alpha} ${width}`;
    const at = { x: 0, y: 0 };
    return { way, colour, alpha, sign, picture: null, width, tail, message, gone: false, part: 0, at };
  }

  /** @param {Placed[]} placed @param {number} now */
  #drawMessages(placed, now) {
    this.#drawTails(placed.filter(({ gone }) => !gone));
    for (const one of placed) this.#drawMessage(one, now);
  }

  /** @param {Placed} placed @param {number} now */
  #drawMessage(placed, now) {
    const c = this.#c;
    const { sign, alpha, message, gone } = placed;
    const { x, y } = placed.at;
    const { held, lost, arrives } = message;
    c.globalAlpha = gone ? 1 - 0.75 * Math.min(1, (now - lost) / Math.max(1, arrives - lost)) : alpha;
    const scale = this.layout.node > 28 ? 1 : 0.82;
    if (this.#away) drawGlyphAt(c, this.#palette, sign, x, y, scale);
    else this.#sprites.draw(c, (placed.picture ??= this.#sprites.of(this.#palette, sign, scale)), x, y);
    const lit = this.#lit.message === message.id;
    if (gone || held || lit) {
      c.save();
      c.translate(x, y);
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
    for (const group of alike(placed, ({ tail }) => tail)) {
      const [{ alpha, colour, width }] = group;
      c.globalAlpha = alpha * 0.35;
      c.strokeStyle = colour;
      c.lineWidth = width;
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

/**
 * @param {CanvasRenderingContext2D} c @param {import('../draw/palette.js').Palette} palette
 * @param {import('../draw/glyphs.js').Sign} sign
 * @param {number} x @param {number} y @param {number} scale
 */
function drawGlyphAt(c, palette, sign, x, y, scale) {
  c.save();
  c.translate(x, y);
  drawGlyph(c, palette, sign, scale);
  c.restore();
}
