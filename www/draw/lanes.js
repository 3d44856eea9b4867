// @ts-check
// Draws the space-time diagram: one lane for each server and client, time from left to right. The
// hue of a lane is the server's term, its thickness the role; where the server is crashed, there is
// a gap. A message runs from lane to lane, and ends in a cross where it was lost.

/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */
/** @typedef {import('../../web/view.d.ts').TrafficView} TrafficView */
/** @typedef {import('../../web/view.d.ts').ServerStateView} ServerStateView */
/** @typedef {import('../run/causality.js').Cones} Cones */
/** @typedef {import('./palette.js').Palette} Palette */
/** @typedef {import('./shapes.js').Pen} Pen */

import { isAnswer } from './glyphs.js';
import { alike, cross } from './shapes.js';
import { tickEvery } from './ticks.js';
import * as common from '../words/common.js';

/** Room for the lanes' names, and for the axis. */
export const NAMES = 62;
export const AXIS = 22;
const TOP = 8;
/** How wide a letter of the axis is, in px. */
const LETTER = 6.7;

/**
 * @typedef {object} Diagram
 * @property {number} width
 * @property {number} height
 * @property {number} from micros at the left edge of the lanes
 * @property {number} span micros up to the right edge
 * @property {number[]} lanes endpoints from top to bottom: servers, then clients (negative)
 */
/**
 * @typedef {object} Scene
 * @property {TrafficView} traffic
 * @property {number} known up to when lanes and messages are drawn
 * @property {number} now
 * @property {(message: MessageView) => boolean} shown
 * @property {Cones | null} cones
 * @property {number} lit the highlighted lane, or 0
 * @property {number} message the highlighted message, or 0
 * @property {number | null} time what is pointed at
 */

/** @param {Diagram} diagram @param {number} time */
export const xOf = ({ width, from, span }, time) => NAMES + ((time - from) / span) * (width - NAMES);
/** @param {Diagram} diagram @param {number} x */
export const timeAt = ({ width, from, span }, x) => from + ((x - NAMES) / (width - NAMES)) * span;
/** @param {Diagram} diagram @param {number} lane */
export const yOf = ({ height, lanes }, lane) =>
  TOP + ((lanes.indexOf(lane) + 0.5) * (height - AXIS - TOP)) / lanes.length;
/** The lane nearest to a height. @param {Diagram} diagram @param {number} y */
export const laneAt = ({ height, lanes }, y) =>
  lanes[Math.max(0, Math.min(lanes.length - 1, Math.floor(((y - TOP) / (height - AXIS - TOP)) * lanes.length)))];

/**
 * Up to when a message is drawn: until it is lost, arrives, or as far as it has come.
 * @param {MessageView} message @param {number} now
 */
export function endOf({ lost, held, arrives, sent }, now) {
  if (lost) return lost;
  return held ? Math.max(sent, held) : arrives <= now ? arrives : Math.max(sent, now);
}

/**
 * A message's two ends in the diagram.
 * @param {Diagram} diagram
 * @param {MessageView} message
 * @param {number} known
 */
export function stretchOf(diagram, message, known) {
  const { from, to, sent, arrives } = message;
  const end = endOf(message, known);
  const part = Math.min(1, (end - sent) / Math.max(1, arrives - sent));
  const [y, v] = [yOf(diagram, from), yOf(diagram, to)];
  return { x: xOf(diagram, sent), y, u: xOf(diagram, end), v: y + (v - y) * part };
}

/** @param {Pen} pen @param {Palette} palette @param {Diagram} diagram @param {Scene} scene */
export function drawLanes(pen, palette, diagram, scene) {
  const { traffic, known, now, cones, message: lit } = scene;
  const right = diagram.from + diagram.span;
  drawAxis(pen, palette, diagram);
  for (const lane of diagram.lanes) drawLane(pen, palette, diagram, scene, lane);
  const inSight = traffic.messages.filter((m) => m.sent <= right && endOf(m, known) >= diagram.from && scene.shown(m));
  const chosen = inSight.find(({ id }) => id === lit);
  const others = chosen ? inSight.filter((message) => message !== chosen) : inSight;
  // Those that are drawn alike follow each other: they are one path.
  for (const group of alike(others, (message) => styleOf(message, scene))) {
    for (const message of group) drawMessage(pen, palette, diagram, scene, message);
  }
  for (const message of others) drawEnd(pen, palette, diagram, scene, message, inSight.length);
  if (chosen) {
    drawMessage(pen, palette, diagram, scene, chosen);
    drawEnd(pen, palette, diagram, scene, chosen, 0);
  }
  for (const { time, server, weight } of traffic.news) {
    if (!diagram.lanes.includes(server) || time < diagram.from || time > right) continue;
    const alpha = cones && !inCones(cones, server, time) ? 0.2 : 1;
    const [x, y] = [xOf(diagram, time), yOf(diagram, server)];
    pen.dot(x, y, weight === 'turning' ? 4.5 : 3, palette.card, { alpha });
    pen.dot(x, y, weight === 'turning' ? 3.5 : 2.25, palette.ink, { alpha, hollow: weight !== 'turning' });
  }
  if (scene.time !== null && scene.lit)
    pen.dot(xOf(diagram, scene.time), yOf(diagram, scene.lit), 6, palette.accent, { hollow: true });
  drawNames(pen, palette, diagram, scene);
  const x = xOf(diagram, now);
  if (x >= NAMES && x <= diagram.width) {
    pen.line(x, 0, x, diagram.height - AXIS, palette.accent, 1.5);
    // It stands on the axis, in place of the times there, so that it lies on no lane.
    const words = common.seconds(now);
    const long = words.length * LETTER + 6;
    const left = Math.min(x - long / 2, diagram.width - long);
    pen.rect(left, diagram.height - AXIS + 2, long, AXIS - 4, palette.card);
    pen.text(words, left + 3, diagram.height - AXIS / 2, palette.accent, { mono: true, size: 11 });
  }
  pen.done();
}

/** @param {Cones} cones @param {number} lane @param {number} time */
const inCones = ({ past, future }, lane, time) =>
  time <= (past.get(lane) ?? -1) || time >= (future.get(lane) ?? Infinity);

/** @param {Pen} pen @param {Palette} palette @param {Diagram} diagram */
export function drawAxis(pen, palette, diagram) {
  const { width, height, from, span } = diagram;
  const every = tickEvery(span, width - NAMES);
  const digits = Math.max(0, Math.min(6, 6 - Math.floor(Math.log10(every))));
  for (let time = Math.ceil(from / every) * every; time <= from + span; time += every) {
    if (time < 0) continue;
    const x = xOf(diagram, time);
    if (x < NAMES) continue;
    pen.line(x, 0, x, height - AXIS, palette.line, 1, { alpha: 0.55 });
    const align = x > width - 30 ? 'right' : x < NAMES + 24 ? 'left' : 'center';
    pen.text((time / 1e6).toFixed(digits), x, height - AXIS / 2, palette.ink2, { align, mono: true, size: 11 });
  }
}

/**
 * @param {Pen} pen
 * @param {Palette} palette
 * @param {Diagram} diagram
 * @param {Scene} scene
 * @param {number} lane
 */
function drawLane(pen, palette, diagram, { traffic, known, cones }, lane) {
  const y = yOf(diagram, lane);
  const right = diagram.from + diagram.span;
  /**
   * @param {number} start
   * @param {number} end
   * @param {(x: number, u: number, alpha: number) => void} draw
   */
  const stretch = (start, end, draw) => {
    const [a, b] = [Math.max(start, diagram.from), Math.min(end, right)];
    if (a >= b) return;
    // A stretch may have three parts: in the past, in the future, and in neither.
    const cuts = cones ? [cones.past.get(lane) ?? -1, cones.future.get(lane) ?? Infinity] : [];
    const edges = [a, ...cuts.filter((cut) => cut > a && cut < b), b];
    for (let i = 0; i + 1 < edges.length; i++) {
      const lit = !cones || inCones(cones, lane, (edges[i] + edges[i + 1]) / 2);
      draw(xOf(diagram, edges[i]), xOf(diagram, edges[i + 1]), lit ? 1 : 0.25);
    }
  };
  if (lane < 0) {
    stretch(traffic.from, known, (x, u, alpha) =>
      pen.line(x, y, u, y, palette.ink2, 1, isCrowded(diagram) ? { alpha: alpha * 0.4 } : { alpha, dash: DOTS }),
    );
    return;
  }
  const own = traffic.states.filter(({ server }) => server === lane);
  own.forEach((state, i) => {
    const end = own[i + 1]?.time ?? known;
    const { role, term, time } = state;
    if (role === 'crashed') {
      stretch(time, end, (x, u, alpha) => pen.line(x, y, u, y, palette.ink2, 1, { alpha: alpha * 0.5, dash: [1, 5] }));
      if (time >= diagram.from && time <= right && i > 0) cross(pen, xOf(diagram, time), y, 5, palette.danger);
      return;
    }
    const half = role === 'leader' ? 7 : 4;
    const hue = palette.term(term);
    stretch(time, end, (x, u, alpha) => {
      pen.rect(x, y - half, u - x, 2 * half, palette.fill(term), { alpha });
      const dash = role === 'paused' ? [2, 4] : role === 'candidate' || role === 'pre-candidate' ? [5, 3] : undefined;
      for (const edge of [y - half, y + half])
        pen.line(x, edge, u, edge, hue, role === 'leader' ? 1.75 : 1, { alpha: alpha * 0.8, dash });
    });
    const before = own[i - 1];
    if (before && before.term !== term && time >= diagram.from && time <= right) {
      pen.line(xOf(diagram, time), y - 11, xOf(diagram, time), y + 11, hue, 1.5);
      pen.text(String(term), xOf(diagram, time) + 3, y - 13, hue, { bold: true, mono: true, size: 10 });
    }
  });
}

const ANSWER = [4, 2.5];
const DOTS = [1, 3];
/**
 * With more lanes, no line is dotted or dashed: it would have hundreds of thousands of pieces.
 * @param {Diagram} diagram
 */
const isCrowded = ({ lanes }) => lanes.length > 32;

/** @param {MessageView} message */
const isQuiet = ({ kind }) => kind === 'heartbeat' || kind === 'append-answer';

/** How much of a message is to be seen. @param {MessageView} message @param {Scene} scene */
function alphaOf(message, { cones, message: lit, now }) {
  if (cones) return cones.messages.has(message.id) || message.id === lit ? 1 : 0.08;
  return (isQuiet(message) ? 0.45 : 0.9) * (message.sent > now ? 0.4 : 1);
}

/**
 * Equal for messages whose lines are drawn alike.
 * @param {MessageView} message
 * @param {Scene} scene
 */
const styleOf = (message, scene) =>
  ((message.term * 2 + Number(isQuiet(message))) * 2 + Number(isAnswer(message.kind))) * 128 +
  Math.round(alphaOf(message, scene) * 100);

/**
 * A message's line.
 * @param {Pen} pen @param {Palette} palette @param {Diagram} diagram @param {Scene} scene
 * @param {MessageView} message
 */
function drawMessage(pen, palette, diagram, scene, message) {
  const { x, y, u, v } = stretchOf(diagram, message, scene.known);
  const inCone = scene.cones?.messages.has(message.id);
  const width = message.id === scene.message ? 3 : inCone ? 2 : isQuiet(message) ? 1 : 1.5;
  const dash = isAnswer(message.kind) && !isCrowded(diagram) ? ANSWER : undefined;
  pen.line(x, y, u, v, palette.term(message.term), width, { alpha: alphaOf(message, scene), dash });
}

/**
 * What stands at a message's end: a cross where it was lost, a dot where it arrived, if these are
 * not too many.
 * @param {Pen} pen @param {Palette} palette @param {Diagram} diagram @param {Scene} scene
 * @param {MessageView} message @param {number} crowd
 */
function drawEnd(pen, palette, diagram, scene, message, crowd) {
  const arrived = crowd < 150 && message.arrives <= scene.known && !message.held;
  if (!message.lost && !arrived) return;
  const { u, v } = stretchOf(diagram, message, scene.known);
  const alpha = alphaOf(message, scene);
  if (message.lost) cross(pen, u, v, 4, palette.danger, { alpha });
  else pen.dot(u, v, 2, palette.term(message.term), { alpha });
}

/** @param {Pen} pen @param {Palette} palette @param {Diagram} diagram @param {Scene} scene */
function drawNames(pen, palette, diagram, { lit }) {
  pen.rect(0, 0, NAMES - 1, diagram.height - AXIS, palette.card);
  for (const lane of diagram.lanes) {
    const name = lane > 0 ? `S${lane}` : common.clientName(-lane);
    const colour = lane === lit ? palette.accent : lane > 0 ? palette.ink : palette.ink2;
    pen.text(name, 4, yOf(diagram, lane), colour, {
      bold: lane > 0 || lane === lit,
      mono: lane > 0,
      size: lane > 0 ? 13 : 11,
    });
  }
}
