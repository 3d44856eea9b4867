// @ts-check
// Glyphs as sprites: each is drawn once and copied after that. There are few different ones, and
// hundreds of messages in every frame.

/** @typedef {import('../draw/glyphs.js').Sign} Sign */
/** @typedef {import('../draw/palette.js').Palette} Palette */

import { drawGlyph, pointsSomewhere, shownEntries } from '../draw/glyphs.js';
import { drawnOnce } from './stamps.js';

/** Half the side of a sprite, in CSS pixels: the largest glyph and its outline fit in. */
const HALF = 15;
/** How much finer than the screen a sprite is that may be drawn between pixels. */
const FINER = 2;
/** With more messages, their signs are drawn on whole pixels: that is much faster. */
const CROWD = 100;
/** In how many directions a glyph may point. */
const DIRECTIONS = 48;
/** When there are so many sprites, most are of terms long past, and all are dropped. */
const SPRITES_MAX = 500;

export class Sprites {
  /** @type {Map<string, CanvasImageSource>} */
  #sprites = new Map();
  #ratio = 1;
  #crowded = false;

  /**
   * Drops all sprites: colours or sizes have changed.
   * @param {number} [ratio] device pixels for a pixel
   */
  clear(ratio = this.#ratio) {
    this.#sprites.clear();
    this.#ratio = ratio;
  }

  /**
   * Whether so many are a crowd, and weren't before, or the other way round.
   * @param {number} messages
   */
  crowd(messages) {
    const crowded = messages > CROWD;
    if (crowded === this.#crowded) return false;
    this.#crowded = crowded;
    this.clear();
    return true;
  }

  /**
   * Draws a glyph's picture around a point.
   * @param {CanvasRenderingContext2D} c @param {CanvasImageSource} picture
   * @param {number} x @param {number} y
   */
  draw(c, picture, x, y) {
    const on = (/** @type {number} */ at) =>
      this.#crowded ? Math.round((at - HALF) * this.#ratio) / this.#ratio : at - HALF;
    c.drawImage(picture, on(x), on(y), 2 * HALF, 2 * HALF);
  }

  /**
   * A glyph's picture, to be drawn.
   * @param {Palette} palette @param {Sign} sign @param {number} scale
   */
  of(palette, sign, scale) {
    const turn = pointsSomewhere(sign.kind) ? Math.round((sign.angle / (2 * Math.PI)) * DIRECTIONS) : 0;
    const key = `${sign.kind} ${sign.colour} ${sign.success} ${shownEntries(sign)} ${turn}`;
    let sprite = this.#sprites.get(key);
    if (!sprite) {
      if (this.#sprites.size >= SPRITES_MAX) this.clear();
      const ratio = this.#ratio * (this.#crowded ? 1 : FINER);
      sprite = spriteOf(palette, { ...sign, angle: (turn / DIRECTIONS) * 2 * Math.PI }, scale, ratio);
      this.#sprites.set(key, sprite);
    }
    return sprite;
  }
}

/** @param {Palette} palette @param {Sign} sign @param {number} scale @param {number} ratio */
function spriteOf(palette, sign, scale, ratio) {
  const side = Math.round(2 * HALF * ratio);
  return drawnOnce(side, side, (c) => {
    c.scale(ratio, ratio);
    c.translate(HALF, HALF);
    drawGlyph(c, palette, sign, scale);
  });
}
