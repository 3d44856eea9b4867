// @ts-check
// The signs of messages. The kind is the shape; a request is filled, an answer hollow with a tick
// or a cross; the colour is the sender's term; a lost one is struck through.

/** @typedef {import('../../web/view.d.ts').MessageKind} MessageKind */
/** @typedef {import('./palette.js').Palette} Palette */

/**
 * What a glyph shows of its message.
 * @typedef {object} Sign
 * @property {MessageKind} kind
 * @property {string} colour
 * @property {number} angle the direction of travel
 * @property {number} entries
 * @property {boolean} success
 */

/**
 * @type {Record<MessageKind, 'box' | 'dot' | 'triangle' | 'dashed-triangle' | 'stack' | 'chevron' |
 * 'eye' | 'pill'>}
 */
const shapeOf = {
  append: 'box',
  heartbeat: 'dot',
  'append-answer': 'box',
  'request-vote': 'triangle',
  vote: 'triangle',
  'pre-vote': 'dashed-triangle',
  'pre-vote-answer': 'dashed-triangle',
  snapshot: 'stack',
  'snapshot-answer': 'stack',
  'timeout-now': 'chevron',
  'read-index': 'eye',
  'read-index-answer': 'eye',
  request: 'pill',
  answer: 'pill',
};

/** A kind that has no shape of its own is a dot. @param {MessageKind} kind */
const shape = (kind) => shapeOf[kind] ?? 'dot';

/** @param {MessageKind} kind */
export const isAnswer = (kind) => kind === 'vote' || kind.endsWith('answer');

/** Whether the glyph points where the message is going. @param {MessageKind} kind */
export const pointsSomewhere = (kind) => /triangle|chevron/.test(shape(kind));

/** The number in a glyph, or nothing. @param {Sign} sign */
export const shownEntries = ({ kind, entries }) => (kind !== 'append' ? '' : entries > 99 ? '99+' : String(entries));

/** How strongly a message is drawn: 0 to 1. @param {MessageKind} kind */
export const loudness = (kind) => (kind === 'heartbeat' ? 0.55 : kind === 'append-answer' ? 0.8 : 1);

/**
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {Sign} sign
 * @param {number} scale
 */
export function drawGlyph(c, palette, sign, scale = 1) {
  const hollow = isAnswer(sign.kind);
  c.save();
  c.scale(scale, scale);
  c.lineWidth = 1.75;
  c.lineJoin = c.lineCap = 'round';
  c.strokeStyle = sign.colour;
  c.fillStyle = hollow ? palette.paper : sign.colour;
  trace(c, sign, hollow);
  c.setLineDash([]);
  if (hollow) mark(c, sign);
  else if (sign.kind === 'append') count(c, palette, shownEntries(sign));
  c.restore();
}

/** @param {CanvasRenderingContext2D} c @param {Sign} sign @param {boolean} hollow */
function trace(c, { kind, angle }, hollow) {
  switch (shape(kind)) {
    case 'box': {
      const half = hollow ? 6 : 9.5;
      paint(c, () => c.roundRect(-half, -half, 2 * half, 2 * half, hollow ? 3 : 4));
      return;
    }
    case 'dot':
      paint(c, () => c.arc(0, 0, 3, 0, 2 * Math.PI));
      return;
    case 'dashed-triangle':
      c.setLineDash([3, 2.5]);
      c.fillStyle = hollow ? c.fillStyle : 'transparent';
      pointed(c, angle, 9);
      return;
    case 'triangle':
      pointed(c, angle, hollow ? 9.5 : 11);
      return;
    case 'stack':
      paint(c, () => c.roundRect(-6, -10, 16, 16, 3));
      paint(c, () => c.roundRect(-10, -6, 16, 16, 3));
      return;
    case 'chevron':
      c.rotate(angle);
      for (const x of [-6, 2]) {
        c.beginPath();
        c.moveTo(x - 3, -7);
        c.lineTo(x + 4, 0);
        c.lineTo(x - 3, 7);
        c.lineWidth = 3;
        c.stroke();
      }
      c.rotate(-angle);
      return;
    case 'eye':
      paint(c, () => c.ellipse(0, 0, 10, 6.5, 0, 0, 2 * Math.PI));
      return;
    case 'pill':
      paint(c, () => c.roundRect(-10, -6, 20, 12, 6));
  }
}

/** @param {CanvasRenderingContext2D} c @param {() => void} path */
function paint(c, path) {
  c.beginPath();
  path();
  c.fill();
  c.stroke();
}

/** @param {CanvasRenderingContext2D} c @param {number} angle @param {number} size */
function pointed(c, angle, size) {
  c.rotate(angle);
  paint(c, () => {
    c.moveTo(size, 0);
    c.lineTo(-size * 0.7, -size * 0.85);
    c.lineTo(-size * 0.7, size * 0.85);
    c.closePath();
  });
  c.rotate(-angle);
}

/** The tick or cross inside an answer. @param {CanvasRenderingContext2D} c @param {Sign} sign */
function mark(c, { success, kind }) {
  const small = shape(kind).endsWith('triangle') ? 0.8 : 1;
  c.beginPath();
  if (success) {
    c.moveTo(-2.8 * small, 0.2);
    c.lineTo(-0.8 * small, 2.4 * small);
    c.lineTo(3 * small, -2.4 * small);
  } else {
    c.moveTo(-2.3 * small, -2.3 * small);
    c.lineTo(2.3 * small, 2.3 * small);
    c.moveTo(2.3 * small, -2.3 * small);
    c.lineTo(-2.3 * small, 2.3 * small);
  }
  c.stroke();
}

/**
 * How many entries.
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {string} words
 */
function count(c, palette, words) {
  c.fillStyle = palette.card;
  c.font = `700 ${words.length > 2 ? 8 : 11}px ${palette.mono}`;
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  c.fillText(words, 0, 0.75);
}

/** Strikes a lost message through. @param {CanvasRenderingContext2D} c @param {Palette} palette */
export function strike(c, palette) {
  c.strokeStyle = palette.danger;
  c.lineWidth = 2.25;
  c.lineCap = 'round';
  c.beginPath();
  c.moveTo(-8, -8);
  c.lineTo(8, 8);
  c.moveTo(8, -8);
  c.lineTo(-8, 8);
  c.stroke();
}

/**
 * Marks a message that is held.
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 */
export function pin(c, palette) {
  c.strokeStyle = palette.ink;
  c.lineWidth = 2;
  c.lineCap = 'round';
  c.beginPath();
  for (const x of [-3, 3]) {
    c.moveTo(x, -21);
    c.lineTo(x, -14);
  }
  c.stroke();
}

/**
 * Marks what the pointer or the keyboard is on.
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 */
export function halo(c, palette) {
  c.globalAlpha = 1;
  c.strokeStyle = palette.accent;
  c.lineWidth = 2;
  c.beginPath();
  c.arc(0, 0, 15, 0, 2 * Math.PI);
  c.stroke();
}
