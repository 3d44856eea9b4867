// @ts-check
// Parts of a picture that seldom change. Each is drawn once, and copied as long as what it shows
// stays the same: letters and outlines cost ten times as much as a copy.

/** @typedef {import('./geometry.js').Box} Box */

/**
 * A picture that is drawn once.
 * @param {number} width @param {number} height in device pixels
 * @param {(c: CanvasRenderingContext2D) => void} draw
 */
export function drawnOnce(width, height, draw) {
  // What has been taken out of such a canvas is copied faster than a canvas is.
  const canvas =
    typeof OffscreenCanvas === 'function' ? new OffscreenCanvas(width, height) : document.createElement('canvas');
  if (canvas instanceof HTMLCanvasElement) [canvas.width, canvas.height] = [width, height];
  const c = /** @type {CanvasRenderingContext2D | null} */ (canvas.getContext('2d'));
  if (!c) throw new Error('this browser has no 2D canvas');
  draw(c);
  return canvas instanceof HTMLCanvasElement ? canvas : canvas.transferToImageBitmap();
}

export class Stamps {
  /** @type {Map<string, { key: string, picture: CanvasImageSource, x: number, y: number }>} */
  #stamps = new Map();
  #ratio = 1;

  /** Drops all: colours or sizes have changed. @param {number} ratio device pixels for a pixel */
  clear(ratio = this.#ratio) {
    this.#stamps.clear();
    this.#ratio = ratio;
  }

  /**
   * Puts a part of the picture where it belongs, on whole device pixels, so that it looks as if it
   * were drawn there.
   * @param {CanvasRenderingContext2D} c
   * @param {string} name which part it is
   * @param {string} key what it shows: with another one, it is drawn anew
   * @param {() => Box} boxOf what it doesn't reach beyond
   * @param {(c: CanvasRenderingContext2D) => void} draw draws it in the same coordinates
   */
  put(c, name, key, boxOf, draw) {
    let stamp = this.#stamps.get(name);
    if (stamp?.key !== key) {
      const ratio = this.#ratio;
      const { left, right, top, bottom } = boxOf();
      const [x, y] = [Math.floor(left * ratio), Math.floor(top * ratio)];
      const [width, height] = [Math.ceil(right * ratio) - x, Math.ceil(bottom * ratio) - y];
      const picture = drawnOnce(Math.max(1, width), Math.max(1, height), (c) => {
        c.setTransform(ratio, 0, 0, ratio, -x, -y);
        draw(c);
      });
      this.#stamps.set(name, (stamp = { key, picture, x, y }));
    }
    c.save();
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.globalAlpha = 1;
    c.drawImage(stamp.picture, stamp.x, stamp.y);
    c.restore();
  }
}
