// @ts-check
// Small signs at a server's edge: it is paused, its clock is wrong, its disk is slow, hangs, is
// full, is damaged, or is writing; or links are cut so that nobody hears it, or it hears nobody.

/** @typedef {import('../../web/view.d.ts').ServerView} ServerView */
/** @typedef {import('../draw/palette.js').Palette} Palette */
/**
 * @typedef {Pick<ServerView, 'paused' | 'clockRate' | 'clockAhead' | 'disk' | 'writing' | 'term'>}
 * Conditions
 */

/** @typedef {'paused' | 'clock' | 'muted' | 'deaf' | ServerView['disk']} Mark */

/** A clock is right if it is off by no more than this, in microseconds. */
const CLOCK_SLACK = 1_000;

/** @param {Conditions} server */
export const clockIsWrong = ({ clockRate, clockAhead }) => clockRate !== 1e6 || Math.abs(clockAhead) > CLOCK_SLACK;

/**
 * Around a server of radius `r` at the origin.
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {Conditions} server
 * @param {number} r
 * @param {{ muted: boolean, deaf: boolean }} hearing
 */
export function drawConditions(c, palette, server, r, hearing) {
  const size = Math.max(6, Math.min(9, r * 0.25));
  const at = r * 0.9;
  if (server.paused) drawCondition(c, palette, 'paused', at, -at, size);
  if (clockIsWrong(server)) drawCondition(c, palette, 'clock', -at, -at, size);
  if (server.disk !== 'normal') drawCondition(c, palette, server.disk, at, at, size);
  else if (server.writing) drawDisk(c, palette.paper, palette.term(server.term), at, at, size * 0.7);
  // What is cut off in both directions is seen to be so on the links.
  const { muted, deaf } = hearing;
  if (muted !== deaf) drawCondition(c, palette, muted ? 'muted' : 'deaf', -at, at, size);
}

/**
 * @param {CanvasRenderingContext2D} c @param {Palette} palette
 * @param {Mark} mark
 * @param {number} x @param {number} y @param {number} s half its size
 */
export function drawCondition(c, palette, mark, x, y, s) {
  c.save();
  c.translate(x, y);
  c.lineCap = 'round';
  c.lineWidth = 1.75;
  c.strokeStyle = palette.danger;
  if (mark === 'paused' || mark === 'clock' || mark === 'muted' || mark === 'deaf') {
    c.fillStyle = palette.paper;
    c.beginPath();
    c.arc(0, 0, s, 0, 2 * Math.PI);
    c.fill();
    c.stroke();
    const bar = (/** @type {number} */ x) => [x, -s * 0.4, x, s * 0.4];
    if (mark === 'paused') strokes(c, [bar(-s * 0.28), bar(s * 0.28)]);
    else if (mark !== 'clock') {
      // An arrow that comes to a wall: on its way out, or on its way in.
      const way = mark === 'muted' ? 1 : -1;
      strokes(c, [
        [-s * 0.55, 0, s * 0.3, 0],
        [s * 0.3, 0, -s * 0.05, -s * 0.3],
        [s * 0.3, 0, -s * 0.05, s * 0.3],
        [s * 0.55 * way, -s * 0.5, s * 0.55 * way, s * 0.5],
      ]);
    } else
      strokes(c, [
        [0, 0, 0, -s * 0.6],
        [0, 0, s * 0.45, s * 0.2],
      ]);
  } else {
    // A slow disk is half filled, a full one filled, and one that hangs is struck through.
    drawDisk(c, palette.paper, palette.danger, 0, 0, s * 0.8, mark === 'slow' ? 0.5 : mark === 'full' ? 1 : 0);
    if (mark === 'damaged')
      strokes(c, [
        [s * 0.2, -s * 0.4, -s * 0.25, s * 0.1],
        [-s * 0.25, s * 0.1, s * 0.25, s * 0.35],
        [s * 0.25, s * 0.35, -s * 0.1, s],
      ]);
    if (mark === 'stalled')
      strokes(c, [
        [-s, -s, s, s],
        [-s, s, s, -s],
      ]);
  }
  c.restore();
}

/** @param {CanvasRenderingContext2D} c @param {number[][]} lines */
function strokes(c, lines) {
  c.beginPath();
  for (const [x, y, u, v] of lines) {
    c.moveTo(x, y);
    c.lineTo(u, v);
  }
  c.stroke();
}

/**
 * A disk, filled from below.
 * @param {CanvasRenderingContext2D} c
 * @param {string} inside
 * @param {string} colour
 * @param {number} x @param {number} y @param {number} s @param {number} [filled] 0 to 1
 */
function drawDisk(c, inside, colour, x, y, s, filled = 0) {
  c.save();
  c.translate(x, y);
  c.fillStyle = inside;
  c.strokeStyle = colour;
  c.lineWidth = 1.5;
  /** @param {number} top */
  const body = (top) => {
    c.beginPath();
    c.moveTo(-s, top);
    c.lineTo(-s, s * 0.8);
    c.ellipse(0, s * 0.8, s, s * 0.4, 0, Math.PI, 0, true);
    c.lineTo(s, top);
  };
  body(-s * 0.7);
  c.fill();
  if (filled) {
    c.fillStyle = colour;
    body(s * (0.8 - 1.5 * filled));
    c.fill();
    c.fillStyle = filled < 1 ? inside : colour;
  }
  body(-s * 0.7);
  c.stroke();
  c.beginPath();
  c.ellipse(0, -s * 0.7, s, s * 0.4, 0, 0, 2 * Math.PI);
  c.fill();
  c.stroke();
  c.restore();
}
