// @ts-check
// A stand-in for a canvas's context that makes an SVG of what is drawn, so that the code that draws
// the stage also draws the picture.

const n = (/** @type {number} */ value) => +value.toFixed(2);
const safe = (/** @type {string} */ words) => words.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const ANCHORS = { left: 'start', center: 'middle', right: 'end' };
/** @type {Record<string, string>} */
const BASELINES = { middle: 'central', top: 'hanging' };
/** What `save` keeps. */
const KEPT = /** @type {const} */ ([
  'globalAlpha',
  'fillStyle',
  'strokeStyle',
  'lineWidth',
  'lineCap',
  'lineJoin',
  'font',
  'textAlign',
  'textBaseline',
  'dash',
  'matrix',
]);

export class SvgContext {
  globalAlpha = 1;
  fillStyle = '#000';
  strokeStyle = '#000';
  lineWidth = 1;
  lineCap = 'butt';
  lineJoin = 'miter';
  font = '12px sans-serif';
  textAlign = /** @type {keyof typeof ANCHORS} */ ('left');
  textBaseline = 'alphabetic';
  /** @type {number[]} */ dash = [];
  matrix = new DOMMatrix();

  /** @type {Record<string, any>[]} */ #saved = [];
  /** @type {string[]} */ #parts = [];
  #path = '';
  #ruler;

  /** @param {CanvasRenderingContext2D} ruler measures words */
  constructor(ruler) {
    this.#ruler = ruler;
  }

  /** @param {number} width @param {number} height */
  whole(width, height) {
    const [w, h] = [n(width), n(height)];
    const start = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}">`;
    const svg = `${[start, ...this.#parts, '</svg>'].join('\n')}\n`;
    // Some programs don't know all the notations for colours that browsers know.
    return svg.replace(/\b(?:oklab|oklch|color)\([^)]*\)/g, (colour) => this.#plain(colour));
  }

  /** @param {string} colour */
  #plain(colour) {
    this.#ruler.fillStyle = colour;
    this.#ruler.fillRect(0, 0, 1, 1);
    const [r, g, b] = this.#ruler.getImageData(0, 0, 1, 1).data;
    return `rgb(${r}, ${g}, ${b})`;
  }

  save() {
    this.#saved.push(Object.fromEntries(KEPT.map((name) => [name, this[name]])));
  }

  restore() {
    Object.assign(this, this.#saved.pop());
  }

  /** @param {number} x @param {number} y */
  translate(x, y) {
    this.matrix = this.matrix.translate(x, y);
  }

  /** @param {number} angle */
  rotate(angle) {
    this.matrix = this.matrix.rotate((angle * 180) / Math.PI);
  }

  /** @param {number} x @param {number} y */
  scale(x, y) {
    this.matrix = this.matrix.scale(x, y);
  }

  setTransform() {}
  clearRect() {}

  /** @param {number[]} dash */
  setLineDash(dash) {
    this.dash = dash;
  }

  beginPath() {
    this.#path = '';
  }

  /** @param {number} x @param {number} y */
  moveTo(x, y) {
    this.#path += `M${n(x)} ${n(y)}`;
  }

  /** @param {number} x @param {number} y */
  lineTo(x, y) {
    this.#path += `${this.#path ? 'L' : 'M'}${n(x)} ${n(y)}`;
  }

  /** @param {number} a @param {number} b @param {number} x @param {number} y */
  quadraticCurveTo(a, b, x, y) {
    this.#path += `Q${n(a)} ${n(b)} ${n(x)} ${n(y)}`;
  }

  closePath() {
    this.#path += 'Z';
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   * @param {number} from
   * @param {number} to
   */
  arc(x, y, radius, from, to) {
    this.ellipse(x, y, radius, radius, 0, from, to);
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} rx
   * @param {number} ry
   * @param {number} _turn always 0
   * @param {number} from @param {number} to @param {boolean} [back]
   */
  ellipse(x, y, rx, ry, _turn, from, to, back = false) {
    const at = (/** @type {number} */ angle) => [x + rx * Math.cos(angle), y + ry * Math.sin(angle)];
    const sweep = back ? 0 : 1;
    // An arc of an SVG can't end where it begins, so a whole circle is two halves.
    const whole = Math.abs(to - from) > 2 * Math.PI - 1e-6;
    this.lineTo(...pair(at(from)));
    const ends = whole ? [from + Math.PI, from] : [to];
    for (const end of ends) {
      const large = !whole && Math.abs(to - from) > Math.PI ? 1 : 0;
      this.#path += `A${n(rx)} ${n(ry)} 0 ${large} ${sweep} ${at(end).map(n).join(' ')}`;
    }
  }

  /** @param {number} x @param {number} y @param {number} w @param {number} h @param {number} r */
  roundRect(x, y, w, h, r) {
    const corner = (/** @type {number} */ u, /** @type {number} */ v) => `a${r} ${r} 0 0 1 ${u} ${v}`;
    const [across, down] = [w - 2 * r, h - 2 * r];
    this.#path += `M${x + r} ${y}h${across}${corner(r, r)}v${down}${corner(-r, r)}`;
    this.#path += `h${-across}${corner(-r, -r)}v${-down}${corner(r, -r)}Z`;
  }

  fill() {
    if (this.fillStyle !== 'transparent') this.#put(`<path d="${this.#path}" fill="${this.fillStyle}"`);
  }

  stroke() {
    this.#put(`<path d="${this.#path}" fill="none"${this.#line()}`);
  }

  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  fillRect(x, y, w, h) {
    this.#put(`<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" fill="${this.fillStyle}"`);
  }

  /** @param {number} x @param {number} y @param {number} w @param {number} h */
  strokeRect(x, y, w, h) {
    this.#put(`<rect x="${n(x)}" y="${n(y)}" width="${n(w)}" height="${n(h)}" fill="none"${this.#line()}`);
  }

  /** @param {string} words @param {number} x @param {number} y */
  fillText(words, x, y) {
    this.#text(words, x, y, ` fill="${this.fillStyle}"`);
  }

  /** @param {string} words @param {number} x @param {number} y */
  strokeText(words, x, y) {
    this.#text(words, x, y, ` fill="none"${this.#line()}`);
  }

  /** @param {string} words */
  measureText(words) {
    this.#ruler.font = this.font;
    return this.#ruler.measureText(words);
  }

  /** @param {string} words @param {number} x @param {number} y @param {string} paint */
  #text(words, x, y, paint) {
    const [, weight = '400', size = '12', family = ''] = /^(?:(\w+) )?([\d.]+)px (.*)$/.exec(this.font) ?? [];
    const line = BASELINES[this.textBaseline];
    const baseline = line ? ` dominant-baseline="${line}"` : '';
    this.#put(
      `<text x="${n(x)}" y="${n(y)}" text-anchor="${ANCHORS[this.textAlign]}"${baseline} xml:space="preserve"` +
        ` font-family="${safe(family)}" font-size="${size}" font-weight="${weight}"${paint}`,
      `${safe(words)}</text>`,
    );
  }

  #line() {
    const dash = this.dash.length ? ` stroke-dasharray="${this.dash.map(n).join(' ')}"` : '';
    const ends = ` stroke-linecap="${this.lineCap}" stroke-linejoin="${this.lineJoin}"`;
    return ` stroke="${this.strokeStyle}" stroke-width="${n(this.lineWidth)}"${ends}${dash}`;
  }

  /** @param {string} start of an element @param {string} [rest] */
  #put(start, rest) {
    const { a, b, c, d, e, f } = this.matrix;
    const moved = this.matrix.isIdentity ? '' : ` transform="matrix(${[a, b, c, d, e, f].map(n).join(' ')})"`;
    const faint = this.globalAlpha < 1 ? ` opacity="${n(this.globalAlpha)}"` : '';
    this.#parts.push(`${start}${faint}${moved}${rest === undefined ? '/>' : `>${rest}`}`);
  }
}

/** @param {number[]} at @returns {[number, number]} */
const pair = ([x, y]) => [x, y];
