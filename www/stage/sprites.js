// @ts-check
// Glyphs as sprites: each is drawn once and copied after that. There are few different ones, and
// hundreds of messages in every frame.

/** @typedef {import('../draw/glyphs.js').Sign} Sign */
/** @typedef {import('../draw/palette.js').Palette} Palette */

import { drawGlyph, pointsSomewhere, shownEntries } from '../draw/glyphs.js';

/** Half the side of a sprite, in CSS pixels: the largest glyph and its outline fit in. */
const HALF = 15;
/** How much finer than the screen a sprite is, since it may be drawn between pixels. */
const FINER = 2;
/** In how many directions a glyph may point. */
const DIRECTIONS = 48;
/** When there are so many sprites, most are of terms long past, and all are dropped. */
const SPRITES_MAX = 500;

export class Sprites {
  /** @type {Map<string, HTMLCanvasElement>} */
  #sprites = new Map();

  /** Drops all sprites: colours or sizes have changed. */
  clear() {
    this.#sprites.clear();
  }

  /**
   * Draws a glyph.
   * @param {CanvasRenderingContext2D} c @param {Palette} palette @param {Sign} sign
   * @param {{ x: number, y: number }} at @param {number} scale
   */
  draw(c, palette, sign, at, scale) {
    const turn = pointsSomewhere(sign.kind) ? Math.round((sign.angle / (2 * Math.PI)) * DIRECTIONS) : 0;
    const key = `${sign.kind} ${sign.colour} ${sign.success} ${shownEntries(sign)} ${turn}`;
    let sprite = this.#sprites.get(key);
    if (!sprite) {
      if (this.#sprites.size >= SPRITES_MAX) this.clear();
      sprite = spriteOf(palette, { ...sign, angle: (turn / DIRECTIONS) * 2 * Math.PI }, scale);
      this.#sprites.set(key, sprite);
    }
    c.drawImage(sprite, at.x - HALF, at.y - HALF, 2 * HALF, 2 * HALF);
  }
}

/** @param {Palette} palette @param {Sign} sign @param {number} scale */
function spriteOf(palette, sign, scale) {
  const sprite = document.createElement('canvas');
  const ratio = (devicePixelRatio || 1) * FINER;
  sprite.width = sprite.height = Math.round(2 * HALF * ratio);
  const c = sprite.getContext('2d');
  if (!c) throw new Error('this browser has no 2D canvas');
  c.scale(ratio, ratio);
  c.translate(HALF, HALF);
  drawGlyph(c, palette, sign, scale);
  return sprite;
}
