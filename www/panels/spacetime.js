// @ts-check
// The panel with the space-time diagram. It follows the playhead until somebody pans. The causal
// past and future of what is pointed at are highlighted. A click goes there.

/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */
/** @typedef {import('../../web/view.d.ts').TrafficView} TrafficView */
/** @typedef {import('../run/causality.js').Cones} Cones */
/** @typedef {import('../draw/lanes.js').Scene} Scene */
/** @typedef {import('../draw/lanes.js').Diagram} Diagram */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('./panel.js').Page} Page */

import { arrived, conesOf } from '../run/causality.js';
import { make, setAttribute, setText } from '../kit/dom.js';
import { pressKey } from '../kit/keys.js';
import { NAMES, drawLanes, endOf, laneAt, stretchOf, yOf } from '../draw/lanes.js';
import { readPalette } from '../draw/palette.js';
import { canvasPen } from '../draw/shapes.js';
import { frameTime } from '../kit/frame-time.js';
import * as common from '../words/common.js';
import * as strings from '../words/panels.js';
import { TimeView } from '../draw/time-axis.js';

const { spacetime } = common;
/** While the run plays, the part of the time that reading the traffic may take. */
const SHARE = 1 / 12;
/** The traffic is read no more often than this, in ms: at every other frame. */
const EVERY = 20;
/**
 * A diagram of more pixels, with the lanes of hundreds of clients, keeps the browser busy long
 * after it has been drawn: while the run plays, it is drawn no more often than this, in ms.
 */
const LARGE = 2e6;
const LARGE_EVERY = 500;

/**
 * What is pointed at: a lane at a time, and perhaps a message there.
 * @typedef {{ lane: number, time: number, message: MessageView | null }} Spot
 */

/** @param {Page} page */
export const panel = (page) => new SpaceTime(page);

class SpaceTime {
  #box = make('div', {
    class: 'diagram',
    tabindex: 0,
    role: 'application',
    'aria-label': spacetime.name,
    'aria-describedby': 'diagram-keys',
  });
  #canvas = make('canvas', { 'aria-hidden': 'true' });
  #words = make('output', { id: 'diagram-words' });
  #follow = make('button', { 'aria-pressed': 'true' }, spacetime.follow);
  #heartbeats = make('input', { type: 'checkbox', id: 'diagram-heartbeats', checked: true });
  #c;
  #palette = readPalette();
  #page;
  #state;
  /** @type {Source | null} */ #source = null;
  /** @type {TrafficView} */ #traffic = nothing();
  #read = '';
  #readAt = 0;
  #readTook = 0;
  /** @type {number[]} */ #lanes = [];
  /** @type {Spot | null} */ #spot = null;
  /** @type {Cones | null} */ #cones = null;
  #drawn = '';
  #drawnAt = 0;
  #view;

  /** @param {Page} page what is lit on the ring is lit here too, and the other way round */
  constructor(page) {
    this.#page = page;
    this.#state = page.state;
    this.#view = new TimeView(this.#box, page.state.spacetime, {
      changed: () => this.#redraw(),
      press: (x, y, touch) => this.#press(x, y, touch),
      hover: (at) => this.#point(at && this.#under(at.x, at.y)),
    });
    const c = this.#canvas.getContext('2d');
    if (!c) throw new Error('this browser has no 2D canvas');
    this.#c = c;
    const button = (/** @type {string} */ words, /** @type {string} */ title, /** @type {() => void} */ act) =>
      make('button', { title, 'aria-label': title, onclick: act }, words);
    this.#follow.addEventListener('click', () => this.#view.follow(true));
    // The ring has the same switch.
    this.#heartbeats.addEventListener('change', () => page.state.set({ heartbeats: this.#heartbeats.checked }));
    const tools = make(
      'div',
      { class: 'tools' },
      button('−', spacetime.zoomOut, () => this.#view.zoom(2)),
      button('+', spacetime.zoomIn, () => this.#view.zoom(0.5)),
      this.#follow,
      make('label', { class: 'filter' }, this.#heartbeats, common.text.heartbeats),
      make('span', { class: 'grow' }),
      button('PNG', spacetime.png, () => this.#save('png')),
      button('SVG', spacetime.svg, () => this.#save('svg')),
    );
    this.#box.append(this.#canvas);
    this.dom = make(
      'div',
      {},
      tools,
      this.#box,
      this.#words,
      make('p', { id: 'diagram-keys', class: 'unseen' }, spacetime.keys),
    );
    this.#box.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#traffic = nothing();
    this.#read = '';
    this.#lanes = [];
    this.#spot = this.#cones = null;
    this.#drawn = '';
  }

  recolour() {
    this.#palette = readPalette();
    this.#redraw();
  }

  /** @param {Frame} frame @param {boolean} playing */
  update(frame, playing) {
    const source = this.#source;
    if (!source) return;
    const { now, events, epoch, branch } = frame;
    this.#view.keepUp(now);
    this.#heartbeats.checked = this.#state.heartbeats;
    setAttribute(this.#follow, 'aria-pressed', String(this.#view.following));
    const read = this.#load(source, playing);
    const { width, height } = this.#view;
    const state =
      `${events} ${epoch} ${branch} ${now} ${this.#view.from} ${this.#view.span} ${width} ${height} ` +
      `${this.#state.lit.server} ${this.#state.heartbeats} ${this.#read}`;
    // To read and to draw is too much for one frame of a run that plays.
    if (state === this.#drawn || (playing && (read || !frameTime.has(this.#canvas, 1)))) return;
    const clock = performance.now();
    if (playing && width * height > LARGE && clock - this.#drawnAt < LARGE_EVERY) return;
    this.#drawnAt = clock;
    this.#drawn = state;
    this.#draw();
  }

  /**
   * Reads the traffic in sight; while the run plays, not too often. Returns whether it has.
   * @param {Source} source @param {boolean} playing
   */
  #load(source, playing) {
    const { now, events, epoch, branch } = source.frame;
    const from = Math.max(0, this.#view.from);
    const to = this.#view.from + this.#view.span;
    const shown = this.#state.serversShown(source.frame);
    const wanted = `${events} ${epoch} ${branch} ${from} ${to} ${shown}`;
    const clock = performance.now();
    if (wanted === this.#read) return false;
    if (playing && clock - this.#readAt < Math.max(EVERY, this.#readTook / SHARE)) return false;
    if (!frameTime.has(this)) return false;
    this.#traffic = source.traffic(from, Math.max(to, Math.min(now, to))) ?? nothing();
    this.#read = wanted;
    this.#readAt = clock;
    this.#readTook = performance.now() - clock;
    const clients = new Set(this.#lanes.filter((lane) => lane < 0));
    for (const message of this.#traffic.messages) {
      if (message.from < 0) clients.add(message.from);
      if (message.to < 0) clients.add(message.to);
    }
    this.#lanes = [...shown, ...[...clients].sort((a, b) => b - a)];
    this.#box.style.setProperty('--rows', String(this.#lanes.length));
    if (this.#spot) this.#light(this.#spot);
    return true;
  }

  /** @returns {Diagram} */
  #diagram() {
    const { width, height, from, span } = this.#view;
    return { width, height, from, span, lanes: this.#lanes };
  }

  /** @returns {Scene} */
  #scene() {
    const { lit } = this.#state;
    const now = this.#source?.now ?? 0;
    return {
      traffic: this.#traffic,
      // Lanes go on to the playhead with the state that was read some frames ago.
      known: Math.max(this.#traffic.to, Math.min(now, this.#view.from + this.#view.span)),
      now,
      shown: this.#shown,
      cones: this.#cones,
      lit: this.#spot?.lane ?? lit.server,
      message: this.#spot?.message?.id ?? 0,
      time: this.#spot && !this.#spot.message ? this.#spot.time : null,
    };
  }

  /** @param {MessageView} message */
  #shown = (message) =>
    this.#state.shows(message) && [message.from, message.to].every((end) => this.#lanes.includes(end));

  #draw() {
    const { width, height } = this.#view;
    const ratio = devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== w || this.#canvas.height !== h) [this.#canvas.width, this.#canvas.height] = [w, h];
    const c = this.#c;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    drawLanes(canvasPen(c, this.#palette), this.#palette, this.#diagram(), this.#scene());
  }

  #redraw() {
    this.#drawn = '';
    this.#page.changed();
  }

  /**
   * A press goes to that time; a finger's first press only shows what is there.
   * @param {number} x @param {number} y @param {boolean} touch
   */
  #press(x, y, touch) {
    const spot = this.#under(x, y);
    const known = this.#spot && spot && this.#spot.lane === spot.lane && this.#spot.message?.id === spot.message?.id;
    this.#point(spot);
    if (spot && (!touch || known)) this.#goTo(spot);
  }

  /** @param {Spot} spot */
  #goTo({ time }) {
    this.#view.follow(false);
    this.#page.goTo(Math.max(0, Math.round(time)));
  }

  /** @param {number} x @param {number} y @returns {Spot | null} */
  #under(x, y) {
    const diagram = this.#diagram();
    if (diagram.lanes.length === 0 || x < NAMES) return null;
    const time = this.#view.at(x);
    const lane = laneAt(diagram, y);
    if (Math.abs(yOf(diagram, lane) - y) < 8) return { lane, time, message: null };
    /** @type {MessageView | null} */
    let best = null;
    let least = 7;
    for (const message of this.#traffic.messages) {
      if (!this.#shown(message)) continue;
      const s = stretchOf(diagram, message, this.#traffic.to);
      const length = Math.hypot(s.u - s.x, s.v - s.y) || 1;
      const along = Math.max(0, Math.min(1, ((x - s.x) * (s.u - s.x) + (y - s.y) * (s.v - s.y)) / length ** 2));
      const off = Math.hypot(x - s.x - along * (s.u - s.x), y - s.y - along * (s.v - s.y));
      if (off < least) [best, least] = [message, off];
    }
    return best ? { lane: best.from, time: best.sent, message: best } : { lane, time, message: null };
  }

  /** @param {Spot | null} spot */
  #point(spot) {
    if (!spot && !this.#spot) return;
    this.#spot = spot;
    this.#cones = null;
    if (spot) this.#light(spot);
    const server = spot && spot.lane > 0 ? spot.lane : 0;
    this.#state.lit = { server, link: null, message: spot?.message?.id ?? 0 };
    setText(this.#words, spot ? this.#describe(spot) : '');
    this.#redraw();
  }

  /** @param {Spot} spot */
  #light({ lane, time, message }) {
    const { messages, to } = this.#traffic;
    if (!message) this.#cones = conesOf(messages, to, { lane, time });
    else {
      const end = arrived(message, to)
        ? { lane: message.to, time: message.arrives }
        : { lane: message.from, time: message.sent };
      this.#cones = conesOf(messages, to, { lane: message.from, time: message.sent }, end);
    }
  }

  /** @param {Spot} spot */
  #describe({ lane, time, message }) {
    if (message) return strings.messageStory(message, this.#traffic.to);
    const own = this.#traffic.states.filter((state) => state.server === lane && state.time <= time);
    const near = this.#traffic.news.find(
      (news) => news.server === lane && Math.abs(news.time - time) < (this.#view.span * 5) / this.#view.width,
    );
    return strings.laneWords(lane, time, own[own.length - 1], near?.text ?? '');
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { lanes } = this.#diagram();
    const now = this.#source?.now ?? 0;
    const spot = this.#spot ?? { lane: lanes[0], time: now, message: null };
    const row = lanes.indexOf(spot.lane);
    pressKey(event, {
      ArrowUp: () => this.#visit({ lane: lanes[Math.max(0, row - 1)], time: spot.time, message: null }),
      ArrowDown: () =>
        this.#visit({ lane: lanes[Math.min(lanes.length - 1, row + 1)], time: spot.time, message: null }),
      ArrowLeft: () => this.#visit(this.#nextOn(spot, -1)),
      ArrowRight: () => this.#visit(this.#nextOn(spot, 1)),
      Home: () => this.#view.pan(-this.#view.span * 0.75),
      End: () => this.#view.pan(this.#view.span * 0.75),
      '+': () => this.#view.zoom(0.5, spot.time),
      '-': () => this.#view.zoom(2, spot.time),
      Enter: () => this.#goTo(spot),
      Escape: () => this.#point(null),
      f: () => this.#view.follow(true),
    });
  }

  /**
   * The next or previous thing on a lane: a message sent or received there, or a piece of news.
   * @param {Spot} spot @param {1 | -1} way @returns {Spot}
   */
  #nextOn({ lane, time, message }, way) {
    const here = message && message.to === lane ? endOf(message, this.#traffic.to) : time;
    /** @type {Spot[]} */
    const all = this.#traffic.news
      .filter((news) => news.server === lane)
      .map((news) => ({ lane, time: news.time, message: null }));
    for (const m of this.#traffic.messages) {
      if (!this.#shown(m)) continue;
      if (m.from === lane) all.push({ lane, time: m.sent, message: m });
      if (m.to === lane && arrived(m, this.#traffic.to)) all.push({ lane, time: m.arrives, message: m });
    }
    const beyond = all.filter((spot) => (way > 0 ? spot.time > here : spot.time < here));
    return beyond.reduce(
      (best, spot) => ((spot.time - best.time) * way < 0 ? spot : best),
      beyond[0] ?? { lane, time, message },
    );
  }

  /** @param {Spot} spot */
  #visit(spot) {
    const edge = this.#view.span * 0.1;
    if (spot.time < this.#view.from + edge || spot.time > this.#view.from + this.#view.span - edge)
      this.#view.pan(spot.time - this.#view.from - this.#view.span / 2);
    this.#point(spot);
  }

  /** @param {'png' | 'svg'} kind */
  async #save(kind) {
    const { width, height } = this.#diagram();
    const palette = { ...this.#palette, paper: this.#palette.card };
    const origin = this.#source ? common.origin(this.#source.name, this.#source.now) : '';
    const draw = (/** @type {CanvasRenderingContext2D} */ c) =>
      drawLanes(canvasPen(c, palette), palette, this.#diagram(), this.#scene());
    const { savePicture } = await import('../draw/picture.js');
    savePicture({ name: 'raftarium-space-time', width, height, draw, palette, origin }, kind);
  }
}

/** @returns {TrafficView} */
const nothing = () => ({ from: 0, to: 0, messages: [], states: [], news: [] });
