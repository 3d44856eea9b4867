// @ts-check
// The few shapes that diagrams are drawn with.

/** @typedef {{ alpha?: number, dash?: number[], hollow?: boolean }} Touch */
/**
 * @typedef {{ align?: 'left' | 'center' | 'right', bold?: boolean, mono?: boolean, size?: number }}
 * Lettering
 */
/**
 * @typedef {object} Pen
 * @property {(x: number, y: number, u: number, v: number, colour: string, width?: number, touch?:
 * Touch) => void} line
 * @property {(points: { x: number, y: number }[], colour: string, width?: number, touch?: Touch) =>
 * void} path from one to the next
 * @property {(x: number, y: number, width: number, height: number, colour: string, touch?: Touch)
 * => void} rect
 * @property {(x: number, y: number, radius: number, colour: string, touch?: Touch) => void} dot
 * @property {(words: string, x: number, y: number, colour: string, lettering?: Lettering) => void}
 * text
 */

/**
 * @param {Pen} pen
 * @param {number} x
 * @param {number} y
 * @param {number} r
 * @param {string} colour
 * @param {Touch} [touch]
 */
export function cross(pen, x, y, r, colour, touch) {
  pen.line(x - r, y - r, x + r, y + r, colour, 1.75, touch);
  pen.line(x - r, y + r, x + r, y - r, colour, 1.75, touch);
}

/**
 * A pen that draws on a canvas. Nothing else may draw there while it is used.
 * @param {CanvasRenderingContext2D} c @param {{ sans: string, mono: string }} fonts @returns {Pen}
 */
export function canvasPen(c, fonts) {
  const solid = /** @type {number[]} */ ([]);
  // There are hundreds of strokes in a frame. So the canvas's state isn't saved and restored around
  // each, and only what changes is set.
  let [alpha, stroke, fill, wide] = [NaN, '', '', NaN];
  const seeThrough = (/** @type {number} */ to) => {
    if (to !== alpha) c.globalAlpha = alpha = to;
  };
  const outline = (/** @type {string} */ colour, /** @type {number} */ width) => {
    if (colour !== stroke) c.strokeStyle = stroke = colour;
    if (width !== wide) c.lineWidth = wide = width;
  };
  const inside = (/** @type {string} */ colour) => {
    if (colour !== fill) c.fillStyle = fill = colour;
  };
  /** @type {Pen} */
  const pen = {
    line: (x, y, u, v, colour, width = 1, touch) => {
      seeThrough(touch?.alpha ?? 1);
      outline(colour, width);
      if (touch?.dash) c.setLineDash(touch.dash);
      c.beginPath();
      c.moveTo(x, y);
      c.lineTo(u, v);
      c.stroke();
      if (touch?.dash) c.setLineDash(solid);
    },
    path: (points, colour, width = 1, touch) => {
      seeThrough(touch?.alpha ?? 1);
      outline(colour, width);
      c.beginPath();
      for (const { x, y } of points) c.lineTo(x, y);
      c.stroke();
    },
    rect: (x, y, width, height, colour, touch) => {
      seeThrough(touch?.alpha ?? 1);
      if (touch?.hollow) {
        outline(colour, 1.25);
        c.strokeRect(x, y, width, height);
      } else {
        inside(colour);
        c.fillRect(x, y, width, height);
      }
    },
    dot: (x, y, radius, colour, touch) => {
      seeThrough(touch?.alpha ?? 1);
      c.beginPath();
      c.arc(x, y, radius, 0, 2 * Math.PI);
      if (touch?.hollow) {
        outline(colour, 1.5);
        c.stroke();
      } else {
        inside(colour);
        c.fill();
      }
    },
    text: (words, x, y, colour, { align = 'left', bold = false, mono = false, size = 12 } = {}) => {
      seeThrough(1);
      inside(colour);
      c.font = `${bold ? 650 : 400} ${size}px ${mono ? fonts.mono : fonts.sans}`;
      c.textAlign = align;
      c.textBaseline = 'middle';
      c.fillText(words, x, y);
    },
  };
  return pen;
}
