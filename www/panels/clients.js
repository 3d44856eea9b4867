// @ts-check
// The clients' operations as intervals on the time axis, and the order in which they took effect:
// each has a place in the log. The line through them in that order never runs backwards.

/** @typedef {import('../../web/view.d.ts').OperationView} OperationView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('./panel.js').Page} Page */
/** @typedef {import('../draw/shapes.js').Pen} Pen */

import { make, setAttribute, setText } from '../kit/dom.js';
import { pressKey } from '../kit/keys.js';
import { NAMES, drawAxis, laneAt, xOf, yOf } from '../draw/lanes.js';
import { Operations } from './operations.js';
import { readPalette } from '../draw/palette.js';
import { canvasPen, cross } from '../draw/shapes.js';
import { frameTime } from '../kit/frame-time.js';
import * as common from '../words/common.js';
import { TimeView } from '../draw/time-axis.js';

/** The newest operations that are read; older ones are out of sight. */
const READ = 600;
/**
 * While the run plays, only so many of the newest are read again; all of them are read this often,
 * in ms.
 */
const RECENT = 100;
const ALL_EVERY = 5_000;
/** While the run plays, the part of the time that reading them may take. */
const SHARE = 1 / 50;
/** The most that a letter of an operation's text is wide, in px. */
const LETTER = 6.7;
/** Half an interval's height, where there is room. */
const HALF = 9;

/**
 * The operations in the order of the log, and when each took effect: a write when it was committed;
 * a read, which leaves no trace, at the earliest moment at which its answer was right, which is not
 * before it began, and not before the write that it has seen.
 * @param {OperationView[]} operations
 */
export function orderOf(operations) {
  const placed = operations.filter(({ point }) => point > 0);
  const reads = (/** @type {OperationView} */ { text }) => (text.startsWith('get') ? 1 : 0);
  placed.sort((a, b) => a.point - b.point || reads(a) - reads(b) || a.began - b.began);
  let time = 0;
  return placed.map((operation) => {
    time = operation.applied || Math.max(time, operation.began);
    return { operation, time };
  });
}

/** @param {Page} page */
export const panel = (page) => new Clients(page);

class Clients {
  #box = make('div', {
    class: 'diagram intervals',
    tabindex: 0,
    role: 'application',
    'aria-label': common.clients.name,
    'aria-describedby': 'intervals-keys',
  });
  #canvas = make('canvas', { 'aria-hidden': 'true' });
  #words = make('output', { id: 'interval-words' });
  #follow = make('button', { 'aria-pressed': 'true', onclick: () => this.#view.follow(true) }, common.spacetime.follow);
  #c;
  #palette = readPalette();
  #page;
  #list;
  /** @type {Source | null} */ #source = null;
  /** @type {OperationView[]} */ #operations = [];
  /** @type {ReturnType<typeof orderOf>} */ #order = [];
  /** The clients, from top to bottom. */
  #lanes = [1];
  #revision = -1;
  #readAt = 0;
  #readTook = 0;
  #allReadAt = -Infinity;
  /** Whether all of them were read, and not only the newest. */ #whole = false;
  #epoch = 0;
  #now = 0;
  /** The operation pointed at. */
  #lit = 0;
  #drawn = '';
  #view;

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
    this.#list = new Operations(page);
    this.#view = new TimeView(this.#box, page.state.intervals, {
      changed: () => this.#redraw(),
      press: (x, y, touch) => {
        const operation = this.#under(x, y);
        const known = operation?.id === this.#lit;
        this.#point(operation);
        if (operation && (!touch || known)) this.#goTo(operation);
      },
      hover: (at) => this.#point(at && this.#under(at.x, at.y)),
    });
    const c = this.#canvas.getContext('2d');
    if (!c) throw new Error('this browser has no 2D canvas');
    this.#c = c;
    this.#box.append(this.#canvas);
    const key = make('small', {}, common.clients.key);
    this.dom = make(
      'div',
      { tabindex: 0 },
      make('div', { class: 'tools' }, this.#follow, key),
      this.#box,
      this.#words,
      make('p', { id: 'intervals-keys', class: 'unseen' }, common.clients.keys),
      ...this.#list.parts,
    );
    this.#box.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#list.reset(source);
    this.#operations = [];
    this.#order = [];
    this.#revision = -1;
    this.#allReadAt = -Infinity;
    this.#lit = 0;
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
    this.#list.update(frame);
    const { now, operationsRevision, epoch } = frame;
    const clock = performance.now();
    this.#now = now;
    this.#view.keepUp(now);
    setAttribute(this.#follow, 'aria-pressed', String(this.#view.following));
    const wanted = operationsRevision !== this.#revision || !(playing || this.#whole);
    const read = wanted && !(playing && clock - this.#readAt < this.#readTook / SHARE) && frameTime.has(this);
    if (read) {
      this.#revision = operationsRevision;
      this.#read(source, playing && epoch === this.#epoch && clock - this.#allReadAt < ALL_EVERY);
      this.#epoch = epoch;
      this.#order = orderOf(this.#operations);
      this.#lanes = [...new Set([1, ...this.#operations.map(({ client }) => client)])].sort((a, b) => a - b);
      this.#box.style.setProperty('--lanes', String(this.#lanes.length));
      this.#readAt = clock;
      this.#readTook = performance.now() - clock;
    }
    const { from, span, width, height, following } = this.#view;
    // While the run plays, a change of less than a pixel isn't seen.
    const moment = playing ? Math.floor((now / span) * width) : now;
    const left = following && playing ? '' : from;
    const state = `${moment} ${this.#revision} ${left} ${span} ${this.#lit} ${width} ${height}`;
    // To read and to draw is too much for one frame of a run that plays.
    if (state === this.#drawn || (playing && (read || !frameTime.has(this.#canvas, 1)))) return;
    this.#drawn = state;
    this.#draw();
  }

  /** @param {Source} source @param {boolean} recent whether the newest are enough */
  #read(source, recent) {
    const known = this.#operations;
    const fresh = recent ? source.operations(RECENT) : [];
    // No operation may be missing between those just read and those that are known.
    this.#whole = !recent || !fresh.length || fresh[0].id > (known.at(-1)?.id ?? 0) + 1;
    if (this.#whole) {
      this.#operations = source.operations(READ);
      this.#allReadAt = performance.now();
    } else this.#operations = [...known.filter(({ id }) => id < fresh[0].id), ...fresh].slice(-READ);
  }

  #diagram() {
    const { width, height, from, span } = this.#view;
    return { width, height, from, span, lanes: this.#lanes };
  }

  #draw() {
    const { width, height } = this.#view;
    const ratio = devicePixelRatio || 1;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== w || this.#canvas.height !== h) [this.#canvas.width, this.#canvas.height] = [w, h];
    this.#c.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#c.clearRect(0, 0, width, height);
    this.#paint(canvasPen(this.#c, this.#palette));
  }

  /** The operations in sight. @param {import('../draw/lanes.js').Diagram} diagram */
  #bars(diagram) {
    const palette = this.#palette;
    const { from, span } = diagram;
    const bars = [];
    for (const operation of this.#operations) {
      const end = operation.ended || this.#now;
      if (end < from || operation.began > from + span) continue;
      const x = Math.max(NAMES, xOf(diagram, operation.began));
      const u = Math.min(width(diagram), xOf(diagram, end));
      if (u < NAMES || x > width(diagram)) continue;
      const { state } = operation;
      const colour = state === 'ok' ? palette.accent : state === 'pending' ? palette.ink2 : palette.danger;
      const lit = operation.id === this.#lit;
      bars.push({ x, long: Math.max(3, u - x), y: yOf(diagram, operation.client), colour, lit, operation });
    }
    return bars;
  }

  /** @param {Pen} pen */
  #paint(pen) {
    const diagram = this.#diagram();
    const palette = this.#palette;
    drawAxis(pen, palette, diagram);
    const bars = this.#bars(diagram);
    // What has one style is drawn together: to change it costs as much as to draw.
    for (const { x, long, y, colour, lit } of bars)
      pen.rect(x, y - HALF, long, 2 * HALF, colour, { alpha: lit ? 0.4 : 0.16 });
    for (const { x, long, y, colour } of bars) pen.rect(x, y - HALF, long, 2 * HALF, colour, { hollow: true });
    for (const { x, long, y, operation } of bars) {
      if (operation.state === 'failed') cross(pen, x + long, y, 4, palette.danger);
      // As much of the text as there is room for.
      if (long > 34)
        pen.text(operation.text.slice(0, (long - 8) / LETTER), x + 5, y, palette.ink, { mono: true, size: 11 });
    }
    const all = this.#order.map(({ operation, time }) => ({
      x: xOf(diagram, time),
      y: yOf(diagram, operation.client) + HALF,
    }));
    const first = Math.max(0, all.findIndex(({ x }) => x >= NAMES) - 1);
    const order = all.slice(first, all.findLastIndex(({ x }) => x <= width(diagram)) + 2);
    pen.path(order, palette.ink, 1, { alpha: 0.6 });
    let [left, row] = [0, 0];
    for (const { x, y } of order) {
      // Where several would cover each other, one is enough.
      if (x < NAMES || x > width(diagram) || (y === row && x - left < 1)) continue;
      [left, row] = [x, y];
      pen.dot(x, y, 3.5, palette.card);
      pen.dot(x, y, 3, palette.ink);
    }
    pen.rect(0, 0, NAMES - 1, diagram.height - 22, palette.card);
    for (const client of diagram.lanes) {
      pen.text(common.clientName(client), 4, yOf(diagram, client), client === 1 ? palette.accent : palette.ink2, {
        bold: client === 1,
        size: 11,
      });
    }
    const x = xOf(diagram, this.#now);
    if (x >= NAMES && x <= diagram.width) pen.line(x, 0, x, diagram.height - 22, palette.accent, 1.5);
    pen.done();
  }

  /** @param {number} x @param {number} y */
  #under(x, y) {
    const diagram = this.#diagram();
    const time = this.#view.at(x);
    const client = laneAt(diagram, y);
    const near = (5 * this.#view.span) / diagram.width;
    return (
      this.#operations.findLast(
        (o) => o.client === client && o.began - near <= time && time <= (o.ended || this.#now) + near,
      ) ?? null
    );
  }

  /** @param {OperationView | null | undefined} operation */
  #point(operation) {
    this.#lit = operation?.id ?? 0;
    const place = this.#order.findIndex((placed) => placed.operation.id === this.#lit);
    setText(
      this.#words,
      operation ? common.clients.words(operation, common.answerWords(operation), place < 0 ? 0 : place + 1) : '',
    );
    this.#redraw();
  }

  /** @param {OperationView} operation */
  #goTo({ began }) {
    this.#view.follow(false);
    this.#page.goTo(began);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const all = this.#operations;
    const at = all.findIndex(({ id }) => id === this.#lit);
    /** @param {number} to */
    const visit = (to) => {
      const operation = all[Math.max(0, Math.min(all.length - 1, to))];
      if (!operation) return;
      const { from, span } = this.#view;
      if (operation.began < from || operation.began > from + span) this.#view.pan(operation.began - from - span / 2);
      this.#point(operation);
    };
    pressKey(event, {
      ArrowLeft: () => visit(at < 0 ? all.length - 1 : at - 1),
      ArrowRight: () => visit(at < 0 ? all.length - 1 : at + 1),
      Home: () => visit(0),
      End: () => visit(all.length - 1),
      '+': () => this.#view.zoom(0.5),
      '-': () => this.#view.zoom(2),
      Enter: () => all[at] && this.#goTo(all[at]),
      Escape: () => this.#point(null),
      f: () => this.#view.follow(true),
    });
  }

  #redraw() {
    this.#drawn = '';
    this.#page.changed();
  }
}

/** @param {{ width: number }} diagram */
const width = (diagram) => diagram.width;
