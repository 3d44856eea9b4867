// @ts-check
// The signs of the ring and the tape as small canvases, drawn by the code that draws the ring and
// the tape.

/** @typedef {import('../../web/view.d.ts').MessageKind} MessageKind */
/** @typedef {import('../../web/view.d.ts').Role} Role */
/** @typedef {import('../draw/palette.js').Palette} Palette */

import { byId, make } from '../kit/dom.js';
import { withTerms } from '../kit/explained.js';
import { drawGlyph, strike } from '../draw/glyphs.js';
import { drawCondition } from '../stage/conditions.js';
import { drawRole, drawVote } from '../stage/nodes.js';
import { readPalette } from '../draw/palette.js';
import * as strings from '../words/app.js';
import { paintSign } from '../tape/paint.js';

/**
 * @param {number} width
 * @param {number} height
 * @param {(c: CanvasRenderingContext2D) => void} draw
 */
function picture(width, height, draw) {
  const ratio = devicePixelRatio || 1;
  const canvas = make('canvas', { width: width * ratio, height: height * ratio, 'aria-hidden': 'true' });
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const c = canvas.getContext('2d');
  if (c) {
    c.scale(ratio, ratio);
    c.translate(width / 2, height / 2);
    draw(c);
  }
  return canvas;
}

/**
 * @param {Palette} palette
 * @param {MessageKind} kind
 * @param {{ success?: boolean, lost?: boolean }} [how]
 */
export function glyphPicture(palette, kind, { success = true, lost = false } = {}) {
  return picture(21, 22, (c) => {
    drawGlyph(c, palette, { kind, colour: palette.ink2, angle: 0, entries: 2, success }, 0.82);
    if (lost) {
      c.scale(0.8, 0.8);
      strike(c, palette);
    }
  });
}

/** A sign on the tape. @param {Palette} palette @param {string} kind */
export const signPicture = (palette, kind) => picture(18, 18, (c) => paintSign(c, palette, kind, 0, 0));

/** @param {Palette} palette @param {Role} role */
export const rolePicture = (palette, role) => picture(34, 34, (c) => drawRole(c, palette, role, 3, 12.5));

/** @param {Palette} palette @param {Parameters<typeof drawCondition>[2]} mark */
export const markPicture = (palette, mark) => picture(22, 22, (c) => drawCondition(c, palette, mark, 0, 0, 8));

/** @param {Palette} palette @param {import('../../web/view.d.ts').Ballot} vote */
export const votePicture = (palette, vote) => picture(22, 14, (c) => drawVote(c, palette, vote, palette.term(3), 0, 0));

/** Draws the line of signs under the ring. */
export function drawLegend() {
  const palette = readPalette();
  /** @param {Node} sign @param {string} words */
  const item = (sign, words) => make('li', {}, sign, make('span', {}, ...withTerms(words)));
  byId('legend', HTMLElement).replaceChildren(
    ...strings.legend.map(([kind, words]) => item(glyphPicture(palette, kind), words)),
    item(glyphPicture(palette, 'append-answer'), strings.legendAnswer),
    item(glyphPicture(palette, 'request-vote', { lost: true }), strings.legendLost),
  );
}
