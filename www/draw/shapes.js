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
 * @property {() => void} done what is still held back is drawn: to be called at the end
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
 * Lists of those that have the same key, in the order in which their first ones come.
 * @template T
 * @param {T[]} all @param {(one: T) => string | number} keyOf
 */
export function alike(all, keyOf) {
  /** @type {Map<string | number, T[]>} */
  const groups = new Map();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups.values();
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
  // Lines of one style that follow each other are one path, which is drawn when another style or
  // another shape comes.
  let held = false;
  let dashes = solid;
  const done = () => {
    if (!held) return;
    held = false;
    if (dashes !== solid) c.setLineDash(dashes);
    c.stroke();
    if (dashes !== solid) c.setLineDash(solid);
  };
  /** @type {Pen} */
  const pen = {
    done,
    line: (x, y, u, v, colour, width = 1, touch) => {
      const dash = touch?.dash ?? solid;
      const same = held && colour === stroke && width === wide && (touch?.alpha ?? 1) === alpha && dash === dashes;
      if (!same) {
        done();
        seeThrough(touch?.alpha ?? 1);
        outline(colour, width);
        dashes = dash;
        held = true;
        c.beginPath();
      }
      c.moveTo(x, y);
      c.lineTo(u, v);
    },
    path: (points, colour, width = 1, touch) => {
      done();
      seeThrough(touch?.alpha ?? 1);
      outline(colour, width);
      c.beginPath();
      for (const { x, y } of points) c.lineTo(x, y);
      c.stroke();
    },
    rect: (x, y, width, height, colour, touch) => {
      done();
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
      done();
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
      done();
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
