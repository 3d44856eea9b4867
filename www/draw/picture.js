// @ts-check
// Saves what is on a canvas as a picture: the ring with the sentence under it, or a diagram.

/** @typedef {import('./palette.js').Palette} Palette */

import { save } from '../kit/save.js';
import { SvgContext } from './svg-context.js';

/** How many pixels a CSS pixel has, so that a picture is sharp on a slide. */
const SHARP = 2;
const MARGIN = 24;
const LINE = 24;

/**
 * @typedef {object} Scene
 * @property {string} name of the file, without its ending
 * @property {number} width
 * @property {number} height
 * @property {(c: CanvasRenderingContext2D) => void} draw
 * @property {Palette} palette
 * @property {string} [sentence] the sentence under it
 * @property {string} [origin] which run it is, and when
 */

/** @param {Scene} scene @param {'png' | 'svg'} kind */
export async function savePicture(scene, kind) {
  const canvas = document.createElement('canvas');
  const ruler = context(document.createElement('canvas'), { willReadFrequently: true });
  const { width, palette } = scene;
  ruler.font = `17px ${palette.sans}`;
  const lines = wrap(ruler, scene.sentence ?? '', width - 2 * MARGIN);
  const caption = lines.length || scene.origin ? lines.length * LINE + 44 : 0;
  const height = scene.height + caption;
  const paint = (/** @type {CanvasRenderingContext2D} */ c) => {
    c.fillStyle = palette.paper;
    c.fillRect(0, 0, width, height);
    scene.draw(c);
    // What goes on below the scene, like a cut between few servers, doesn't go through the caption.
    c.fillStyle = palette.paper;
    c.fillRect(0, scene.height, width, caption);
    c.textAlign = 'center';
    c.textBaseline = 'alphabetic';
    c.fillStyle = palette.ink;
    c.font = `17px ${palette.sans}`;
    lines.forEach((line, i) => c.fillText(line, width / 2, scene.height + (i + 0.8) * LINE));
    c.fillStyle = palette.ink2;
    c.font = `12px ${palette.mono}`;
    c.fillText(scene.origin ?? '', width / 2, height - 18);
  };
  if (kind === 'svg') {
    const c = new SvgContext(ruler);
    paint(/** @type {any} */ (c));
    save(`${scene.name}.svg`, 'image/svg+xml', c.whole(width, height));
    return;
  }
  canvas.width = Math.round(width * SHARP);
  canvas.height = Math.round(height * SHARP);
  const c = context(canvas);
  c.scale(SHARP, SHARP);
  paint(c);
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
  if (blob) save(`${scene.name}.png`, 'image/png', blob);
}

/** @param {HTMLCanvasElement} canvas @param {CanvasRenderingContext2DSettings} [how] */
function context(canvas, how) {
  const c = canvas.getContext('2d', how);
  if (!c) throw new Error('this browser has no 2D canvas');
  return c;
}

/** @param {CanvasRenderingContext2D} ruler @param {string} words @param {number} width */
function wrap(ruler, words, width) {
  /** @type {string[]} */
  const lines = [];
  for (const word of words.split(' ').filter(Boolean)) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && ruler.measureText(longer).width <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
