// @ts-check
// The same few strokes on a canvas and into an SVG, so that a diagram is drawn by one code and saved as it looks.

/** @typedef {{ alpha?: number, dash?: number[], hollow?: boolean }} Touch */
/** @typedef {{ align?: 'left' | 'center' | 'right', bold?: boolean, mono?: boolean, size?: number }} Lettering */
/**
 * @typedef {object} Pen
 * @property {(x: number, y: number, u: number, v: number, colour: string, width?: number, touch?: Touch) => void} line
 * @property {(x: number, y: number, width: number, height: number, colour: string, touch?: Touch) => void} rect
 * @property {(x: number, y: number, radius: number, colour: string, touch?: Touch) => void} dot
 * @property {(words: string, x: number, y: number, colour: string, lettering?: Lettering) => void} text
 */

/** @param {Pen} pen @param {number} x @param {number} y @param {number} r @param {string} colour @param {Touch} [touch] */
export function cross(pen, x, y, r, colour, touch) {
  pen.line(x - r, y - r, x + r, y + r, colour, 1.75, touch);
  pen.line(x - r, y + r, x + r, y - r, colour, 1.75, touch);
}

/** @param {CanvasRenderingContext2D} c @param {{ sans: string, mono: string }} fonts @returns {Pen} */
export function canvasPen(c, fonts) {
  /** @param {Touch} touch @param {() => void} draw */
  const with_ = ({ alpha = 1, dash }, draw) => {
    c.globalAlpha = alpha;
    if (dash) c.setLineDash(dash);
    draw();
    if (dash) c.setLineDash([]);
    c.globalAlpha = 1;
  };
  return {
    line: (x, y, u, v, colour, width = 1, touch = {}) =>
      with_(touch, () => {
        c.strokeStyle = colour;
        c.lineWidth = width;
        c.beginPath();
        c.moveTo(x, y);
        c.lineTo(u, v);
        c.stroke();
      }),
    rect: (x, y, width, height, colour, touch = {}) =>
      with_(touch, () => {
        c.fillStyle = c.strokeStyle = colour;
        c.lineWidth = 1.25;
        if (touch.hollow) c.strokeRect(x, y, width, height);
        else c.fillRect(x, y, width, height);
      }),
    dot: (x, y, radius, colour, touch = {}) =>
      with_(touch, () => {
        c.fillStyle = c.strokeStyle = colour;
        c.lineWidth = 1.5;
        c.beginPath();
        c.arc(x, y, radius, 0, 2 * Math.PI);
        if (touch.hollow) c.stroke();
        else c.fill();
      }),
    text: (words, x, y, colour, { align = 'left', bold = false, mono = false, size = 12 } = {}) => {
      c.fillStyle = colour;
      c.font = `${bold ? 650 : 400} ${size}px ${mono ? fonts.mono : fonts.sans}`;
      c.textAlign = align;
      c.textBaseline = 'middle';
      c.fillText(words, x, y);
    },
  };
}

/** @param {number} width @param {number} height @param {{ sans: string, mono: string }} fonts */
export function svgPen(width, height, fonts) {
  /** @type {string[]} */
  const parts = [];
  const anchors = { left: 'start', center: 'middle', right: 'end' };
  const n = (/** @type {number} */ value) => +value.toFixed(1);
  const safe = (/** @type {string} */ words) => words.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  /** @param {Touch} [touch] */
  const more = ({ alpha = 1, dash } = {}) =>
    `${alpha < 1 ? ` opacity="${n(alpha * 100) / 100}"` : ''}${dash ? ` stroke-dasharray="${dash.join(' ')}"` : ''}`;
  /** @param {string} colour @param {number} line @param {Touch} [touch] */
  const paint = (colour, line, touch) => (touch?.hollow ? `fill="none" stroke="${colour}" stroke-width="${line}"` : `fill="${colour}"`);
  /** @type {Pen} */
  const pen = {
    line: (x, y, u, v, colour, thick = 1, touch) =>
      parts.push(`<line x1="${n(x)}" y1="${n(y)}" x2="${n(u)}" y2="${n(v)}" stroke="${colour}" stroke-width="${thick}"${more(touch)}/>`),
    rect: (x, y, w, h, colour, touch) =>
      parts.push(`<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" ${paint(colour, 1.25, touch)}${more(touch)}/>`),
    dot: (x, y, r, colour, touch) =>
      parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${r}" ${paint(colour, 1.5, touch)}${more(touch)}/>`),
    text: (words, x, y, colour, { align = 'left', bold = false, mono = false, size = 12 } = {}) =>
      parts.push(
        `<text x="${n(x)}" y="${n(y)}" fill="${colour}" font-family="${safe(mono ? fonts.mono : fonts.sans)}" font-size="${size}" font-weight="${bold ? 650 : 400}" text-anchor="${anchors[align]}" dominant-baseline="central">${safe(words)}</text>`,
      ),
  };
  const whole = () =>
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">\n${parts.join('\n')}\n</svg>\n`;
  return { pen, whole };
}
