// @ts-check
// Glyphs drawn once and stamped after that: there are few kinds of them, and hundreds of messages
// in every frame.

/** @typedef {import('./glyphs.js').Sign} Sign */
/** @typedef {import('./palette.js').Palette} Palette */

import { drawGlyph, pointsSomewhere, shownEntries } from './glyphs.js';

/** Half the side of a stamp: the largest glyph and its outline fit in, in CSS pixels. */
const HALF = 15;
/** Finer than the screen, since stamps land between its pixels. */
const FINER = 2;
/** In how many directions a glyph may point. */
const DIRECTIONS = 48;
/** Terms go on and on: when there are so many stamps, most are of terms long past. */
const STAMPS_MAX = 500;

export class Sprites {
  /** @type {Map<string, HTMLCanvasElement>} */
  #stamps = new Map();

  /** Forgets all: colours or sizes changed. */
  clear() {
    this.#stamps.clear();
  }

  /**
   * Stamps a glyph.
   * @param {CanvasRenderingContext2D} c @param {Palette} palette @param {Sign} sign
   * @param {{ x: number, y: number }} at @param {number} scale
   */
  draw(c, palette, sign, at, scale) {
    const turn = pointsSomewhere(sign.kind) ? Math.round((sign.angle / (2 * Math.PI)) * DIRECTIONS) : 0;
    const key = `${sign.kind} ${sign.colour} ${sign.success} ${shownEntries(sign)} ${turn}`;
    let stamp = this.#stamps.get(key);
    if (!stamp) {
      if (this.#stamps.size >= STAMPS_MAX) this.clear();
      stamp = cut(palette, { ...sign, angle: (turn / DIRECTIONS) * 2 * Math.PI }, scale);
      this.#stamps.set(key, stamp);
    }
    c.drawImage(stamp, at.x - HALF, at.y - HALF, 2 * HALF, 2 * HALF);
  }
}

/** @param {Palette} palette @param {Sign} sign @param {number} scale */
function cut(palette, sign, scale) {
  const stamp = document.createElement('canvas');
  const ratio = (devicePixelRatio || 1) * FINER;
  stamp.width = stamp.height = Math.round(2 * HALF * ratio);
  const c = stamp.getContext('2d');
  if (!c) throw new Error('this browser has no 2D canvas');
  c.scale(ratio, ratio);
  c.translate(HALF, HALF);
  drawGlyph(c, palette, sign, scale);
  return stamp;
}
