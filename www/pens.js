// @ts-check
// The few strokes that diagrams are made of.

/** @typedef {{ alpha?: number, dash?: number[], hollow?: boolean }} Touch */
/** @typedef {{ align?: 'left' | 'center' | 'right', bold?: boolean, mono?: boolean, size?: number }} Lettering */
/**
 * @typedef {object} Pen
 * @property {(x: number, y: number, u: number, v: number, colour: string, width?: number, touch?: Touch) => void} line
 * @property {(points: { x: number, y: number }[], colour: string, width?: number, touch?: Touch) => void} path
 * from one to the next
 * @property {(x: number, y: number, width: number, height: number, colour: string, touch?: Touch) => void} rect
 * @property {(x: number, y: number, radius: number, colour: string, touch?: Touch) => void} dot
 * @property {(words: string, x: number, y: number, colour: string, lettering?: Lettering) => void} text
 */

/**
 * @param {Pen} pen @param {number} x @param {number} y @param {number} r @param {string} colour @param {Touch} [touch]
 */
export function cross(pen, x, y, r, colour, touch) {
  pen.line(x - r, y - r, x + r, y + r, colour, 1.75, touch);
  pen.line(x - r, y + r, x + r, y - r, colour, 1.75, touch);
}

/** @param {CanvasRenderingContext2D} c @param {{ sans: string, mono: string }} fonts @returns {Pen} */
export function canvasPen(c, fonts) {
  const solid = /** @type {number[]} */ ([]);
  /** @type {Pen} */
  const pen = {
    // Hundreds of lines a frame: nothing is saved and restored around them.
    line: (x, y, u, v, colour, width = 1, touch) => {
      c.globalAlpha = touch?.alpha ?? 1;
      if (touch?.dash) c.setLineDash(touch.dash);
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.beginPath();
      c.moveTo(x, y);
      c.lineTo(u, v);
      c.stroke();
      if (touch?.dash) c.setLineDash(solid);
    },
    path: (points, colour, width = 1, touch) => {
      c.globalAlpha = touch?.alpha ?? 1;
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.beginPath();
      for (const { x, y } of points) c.lineTo(x, y);
      c.stroke();
    },
    rect: (x, y, width, height, colour, touch) => {
      c.globalAlpha = touch?.alpha ?? 1;
      c.fillStyle = c.strokeStyle = colour;
      c.lineWidth = 1.25;
      if (touch?.hollow) c.strokeRect(x, y, width, height);
      else c.fillRect(x, y, width, height);
    },
    dot: (x, y, radius, colour, touch) => {
      c.globalAlpha = touch?.alpha ?? 1;
      c.fillStyle = c.strokeStyle = colour;
      c.lineWidth = 1.5;
      c.beginPath();
      c.arc(x, y, radius, 0, 2 * Math.PI);
      if (touch?.hollow) c.stroke();
      else c.fill();
    },
    text: (words, x, y, colour, { align = 'left', bold = false, mono = false, size = 12 } = {}) => {
      c.fillStyle = colour;
      c.font = `${bold ? 650 : 400} ${size}px ${mono ? fonts.mono : fonts.sans}`;
      c.textAlign = align;
      c.textBaseline = 'middle';
      c.globalAlpha = 1;
      c.fillText(words, x, y);
    },
  };
  return pen;
}
