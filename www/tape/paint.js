// @ts-check
// Paints the tape. From top to bottom: signs of what happened, terms as bands with ticks for
// commits and clients' writes at their foot, a scale, and other branches as thinner lanes.
// `tape.js` decides which stretch of time is in sight.

/** @typedef {import('../draw/palette.js').Palette} Palette */
/** @typedef {import('./data.js').Band} Band */
/** @typedef {import('./data.js').Mark} Mark */
/** @typedef {import('./data.js').TapeData} TapeData */
/** @typedef {import('./data.js').Sight} Sight */
/** @typedef {CanvasRenderingContext2D} Context */

import { tickEvery } from '../draw/ticks.js';
import { toX } from './data.js';

/** Heights, in px. */
export const SIGNS = 14;
export const BAND = 20;
const SCALE = 16;
export const TRACK = SIGNS + BAND + SCALE;
/** High enough for a finger. */
export const LANE = 24;
const LANE_BAND = 8;
/** Signs closer than this would cover each other: the more important one is shown. */
const APART = 9;

/** Kinds of moments with a sign above the band, the most important first. */
export const SIGNED = [
  'violation',
  'crash',
  'cut',
  'election',
  'membership',
  'restart',
  'heal',
  'pause',
  'resume',
  'clock',
  'disk',
  'network',
  'campaign',
];

/**
 * Paints the branch being played.
 * @param {Context} c @param {Palette} palette @param {Sight} sight @param {TapeData} data
 * @param {number} end how far it is known
 */
export function paintTrack(c, palette, sight, data, end) {
  const { width } = sight;
  c.fillStyle = palette.paper;
  c.strokeStyle = palette.line;
  c.lineWidth = 1;
  c.beginPath();
  c.roundRect(0.5, SIGNS + 0.5, Math.max(0, width - 1), BAND - 1, 4);
  c.fill();
  c.stroke();
  c.save();
  c.beginPath();
  c.roundRect(1, SIGNS + 1, Math.max(0, width - 2), BAND - 2, 3.5);
  c.clip();
  for (const band of data.bands) {
    paintBand(c, palette, sight, band, SIGNS, BAND);
    nameBand(c, palette, sight, band);
  }
  paintWrites(c, palette, sight, data.marks);
  const edge = toX(sight, end);
  if (edge > 0 && edge < width - 1) {
    c.fillStyle = palette.ink2;
    c.fillRect(edge, SIGNS, 1, BAND);
  }
  c.restore();
  /** @type {number[]} */
  const taken = [];
  for (const kind of SIGNED) {
    for (const mark of data.marks) {
      if (mark.kind !== kind) continue;
      const x = toX(sight, mark.time);
      if (taken.some((other) => Math.abs(other - x) < APART)) continue;
      taken.push(x);
      paintSign(c, palette, kind, Math.max(5, Math.min(width - 5, x)), SIGNS / 2);
    }
  }
  paintScale(c, palette, sight);
}

/**
 * Paints a term: at full height while somebody leads, else at half height.
 * @param {Context} c
 * @param {Palette} palette
 * @param {Sight} sight
 * @param {Band} band
 * @param {number} top
 * @param {number} height
 */
function paintBand(c, palette, sight, { from, to, term, leader, since, until }, top, height) {
  const x = toX(sight, from);
  const width = Math.max(1, toX(sight, to) - x);
  c.fillStyle = palette.term(term);
  c.globalAlpha = 0.2;
  c.fillRect(x, top + height / 2, width, height / 2);
  if (leader) {
    const left = toX(sight, since);
    c.fillRect(left, top, Math.max(1, toX(sight, until) - left), height);
  }
  c.globalAlpha = 1;
  c.fillRect(x, top, 1.5, height);
}

/**
 * Writes a term's number and leader, where there is room; they stay in sight as long as a part of
 * the term does.
 * @param {Context} c @param {Palette} palette @param {Sight} sight @param {Band} band
 */
function nameBand(c, palette, sight, { from, to, term, terms, leader }) {
  const left = Math.max(0, toX(sight, from)) + 6;
  const room = Math.min(sight.width, toX(sight, to)) - left - 4;
  const number = terms > 1 ? '' : String(term);
  c.textAlign = 'left';
  c.textBaseline = 'middle';
  c.font = `700 11px ${palette.mono}`;
  const wide = c.measureText(number).width;
  if (!number || wide > room) return;
  const middle = SIGNS + BAND / 2 - 2;
  c.fillStyle = palette.ink;
  c.fillText(number, left, middle);
  c.font = `11px ${palette.mono}`;
  if (leader && wide + 24 < room) c.fillText(`S${leader}`, left + wide + 6, middle);
}

/**
 * Paints ticks: short ones for commits, longer ones for the beginnings of clients' writes.
 * @param {Context} c @param {Palette} palette @param {Sight} sight @param {Mark[]} marks
 */
function paintWrites(c, palette, sight, marks) {
  c.fillStyle = palette.ink;
  for (const [kind, height, alpha] of /** @type {const} */ ([
    ['commit', 3, 0.45],
    ['write-began', 6, 0.75],
  ])) {
    c.globalAlpha = alpha;
    const top = SIGNS + BAND - 1 - height;
    // Ticks side by side are painted as one rectangle.
    let [start, end] = [0, 0];
    for (const mark of marks) {
      if (mark.kind !== kind) continue;
      const x = Math.round(toX(sight, mark.time));
      if (x >= start && x <= end) end = Math.max(end, x + 1);
      else {
        c.fillRect(start, top, end - start, height);
        [start, end] = [x, x + 1];
      }
    }
    c.fillRect(start, top, end - start, height);
  }
  c.globalAlpha = 1;
}

/**
 * Each sign as lines, or as one filled shape. The numbers are x and y in turn, from its middle.
 */
const SHAPES = /** @type {Record<string, { lines: number[][], filled?: boolean, bad?: boolean }>} */ ({
  violation: { lines: [[0, -6, 6, 0, 0, 6, -6, 0]], filled: true, bad: true },
  crash: {
    lines: [
      [-3.5, -3.5, 3.5, 3.5],
      [3.5, -3.5, -3.5, 3.5],
    ],
    bad: true,
  },
  cut: {
    lines: [
      [-2, -4, -2, 4],
      [2, -4, 2, 4],
    ],
    bad: true,
  },
  election: { lines: [[-4.5, -3.5, 4.5, -3.5, 0, 4]], filled: true },
  membership: {
    lines: [
      [-4, 0, 4, 0],
      [0, -4, 0, 4],
    ],
  },
  restart: { lines: [[3.5, 0, 0, -3.5, -3.5, 0, 0, 3.5, 3.5, 0]] },
  heal: {
    lines: [
      [-4, 0, 4, 0],
      [-4, -2.5, -4, 2.5],
      [4, -2.5, 4, 2.5],
    ],
  },
  campaign: { lines: [[-3.5, -2.5, 3.5, -2.5, 0, 3, -3.5, -2.5]] },
});
const OTHER = { lines: [[-1.75, -1.75, 1.75, -1.75, 1.75, 1.75, -1.75, 1.75]], filled: true, bad: false };

/**
 * @param {Context} c
 * @param {Palette} palette
 * @param {string} kind
 * @param {number} x
 * @param {number} y
 */
export function paintSign(c, palette, kind, x, y) {
  const { lines, filled = false, bad = false } = SHAPES[kind] ?? OTHER;
  c.strokeStyle = c.fillStyle = bad ? palette.danger : kind === 'election' ? palette.ink : palette.ink2;
  c.lineWidth = 1.75;
  c.lineCap = c.lineJoin = 'round';
  for (const line of lines) {
    c.beginPath();
    for (let i = 0; i < line.length; i += 2) c.lineTo(x + line[i], y + line[i + 1]);
    if (filled) c.fill();
    else c.stroke();
  }
}

/** @param {Context} c @param {Palette} palette @param {Sight} sight */
function paintScale(c, palette, sight) {
  const { from, to, width } = sight;
  const step = tickEvery(to - from, width);
  const digits = Math.max(0, Math.ceil(-Math.log10(step / 1e6) - 1e-9));
  c.font = `10px ${palette.mono}`;
  c.textBaseline = 'top';
  c.textAlign = 'center';
  c.fillStyle = palette.ink2;
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) {
    const x = toX(sight, time);
    const words = `${(time / 1e6).toFixed(digits)} s`;
    const half = c.measureText(words).width / 2;
    c.fillRect(Math.min(width - 1, Math.round(x)), SIGNS + BAND, 1, 3);
    c.fillText(words, Math.min(width - half, Math.max(half, x)), SIGNS + BAND + 5);
  }
}

/**
 * Paints another branch, from where it parted from the one being played.
 * @param {Context} c @param {Palette} palette @param {Sight} sight @param {TapeData} data
 * @param {{ from: number, to: number, place: number, lit: boolean }} lane
 */
export function paintLane(c, palette, sight, data, { from, to, place, lit }) {
  const top = TRACK + place * LANE + (LANE - LANE_BAND) / 2;
  const left = toX(sight, from);
  const width = Math.max(2, toX(sight, to) - left);
  const colour = lit ? palette.accent : palette.ink2;
  c.fillStyle = colour;
  c.fillRect(left - 0.5, SIGNS + BAND, 1, top - SIGNS - BAND + LANE_BAND);
  c.fillStyle = palette.paper;
  c.fillRect(left, top, width, LANE_BAND);
  c.save();
  c.beginPath();
  c.rect(left, top, width, LANE_BAND);
  c.clip();
  for (const band of data.bands) paintBand(c, palette, sight, band, top, LANE_BAND);
  for (const mark of data.marks) {
    if (mark.kind !== 'election' && mark.kind !== 'crash') continue;
    c.fillStyle = mark.kind === 'crash' ? palette.danger : palette.ink;
    c.fillRect(toX(sight, mark.time) - 0.75, top, 1.5, LANE_BAND);
  }
  c.restore();
  c.strokeStyle = colour;
  c.lineWidth = lit ? 2 : 1;
  c.strokeRect(left, top, width, LANE_BAND);
}

/** @param {Context} c @param {Palette} palette @param {number} x @param {number} bottom */
export function paintPlayhead(c, palette, x, bottom) {
  c.fillStyle = palette.card;
  c.fillRect(x - 2, 2, 4, bottom - 2);
  c.fillStyle = palette.accent;
  c.fillRect(x - 1, 2, 2, bottom - 2);
  c.beginPath();
  for (const [dx, y] of [
    [-5, 0],
    [5, 0],
    [5, 5],
    [0, 10],
    [-5, 5],
  ])
    c.lineTo(x + dx, y);
  c.fill();
}
