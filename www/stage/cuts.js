// @ts-check
// Draws links, and what is wrong with them. A partition into sides is shown as one line through the
// ring; any other cut is shown on its link.

/** @typedef {import('./geometry.js').Layout} Layout */
/** @typedef {import('./geometry.js').Point} Point */
/** @typedef {import('../draw/palette.js').Palette} Palette */

import { angleOf, lane, linkSpot, pairs, pairsOf } from './geometry.js';

/** Whether a direction is cut, found quickly. @param {[number, number][]} cuts */
export function cutSet(cuts) {
  const set = new Set(cuts.map(([from, to]) => from * 256 + to));
  return (/** @type {number} */ from, /** @type {number} */ to) => set.has(from * 256 + to);
}

/** @typedef {ReturnType<typeof cutSet>} IsCut */

/**
 * Whether no other server hears a server, and whether it hears none, because links are cut.
 * @param {Pick<import('../../web/view.d.ts').Frame, 'cuts' | 'servers'>} frame
 * @param {number} server
 */
export function hearingOf({ cuts, servers }, server) {
  const others = servers.length - 1;
  const from = cuts.filter(([from]) => from === server).length;
  const to = cuts.filter(([, to]) => to === server).length;
  return { muted: others > 0 && from === others, deaf: others > 0 && to === others };
}

/**
 * The side (0 and up) of every server when the cuts are exactly a partition; otherwise null.
 * @param {number} n @param {IsCut} isCut @returns {number[] | null}
 */
export function sidesOf(n, isCut) {
  /** @type {number[]} */
  const side = Array(n).fill(-1);
  let count = 0;
  for (let start = 0; start < n; start++) {
    if (side[start] >= 0) continue;
    const queue = [start];
    side[start] = count;
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      for (let other = 0; other < n; other++) {
        if (side[other] >= 0 || isCut(at + 1, other + 1) || isCut(other + 1, at + 1)) continue;
        side[other] = count;
        queue.push(other);
      }
    }
    count++;
  }
  if (count < 2) return null;
  for (const [a, b] of pairs(n)) {
    const apart = side[a - 1] !== side[b - 1];
    if (isCut(a, b) !== apart || isCut(b, a) !== apart) return null;
  }
  return side;
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {Layout} layout
 * @param {IsCut} isCut
 * @param {[number, number] | null} lit
 */
export function drawLinks(c, palette, layout, isCut, lit) {
  const { shown } = layout;
  const isCutOf = (/** @type {number} */ from, /** @type {number} */ to) => isCut(shown[from - 1], shown[to - 1]);
  const gaps = partitionGaps(shown.length, sidesOf(shown.length, isCutOf));
  for (const [a, b] of pairsOf(shown)) {
    const p = layout.servers[a - 1];
    const q = layout.servers[b - 1];
    const there = isCut(a, b);
    const back = isCut(b, a);
    const bright = lit !== null && lit[0] === a && lit[1] === b;
    c.beginPath();
    c.moveTo(p.x, p.y);
    c.lineTo(q.x, q.y);
    c.setLineDash(there && back ? [1, 7] : []);
    c.lineCap = 'round';
    c.strokeStyle = bright ? palette.accent : palette.line;
    c.lineWidth = bright ? 2.5 : 1;
    c.stroke();
    c.setLineDash([]);
    if ((there || back) && !gaps) drawCut(c, palette, layout, a, b, there, back);
  }
  if (gaps) drawPartition(c, palette, layout, gaps);
}

/**
 * Draws a bar across one link, with an arrow if one direction is still open.
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {Layout} layout
 * @param {number} a
 * @param {number} b @param {boolean} there @param {boolean} back
 */
function drawCut(c, palette, layout, a, b, there, back) {
  const p = layout.servers[a - 1];
  const q = layout.servers[b - 1];
  const spot = linkSpot(layout, a, b);
  const way = there ? Math.atan2(q.y - p.y, q.x - p.x) : Math.atan2(p.y - q.y, p.x - q.x);
  c.save();
  c.translate(spot.x, spot.y);
  c.rotate(way);
  c.lineCap = 'round';
  const half = layout.node > 28 ? 10 : 6;
  c.strokeStyle = palette.paper;
  c.lineWidth = 8;
  line(c, 0, -half, 0, half);
  c.strokeStyle = palette.danger;
  c.lineWidth = layout.node > 28 ? 3.5 : 2.5;
  line(c, 0, -half, 0, half);
  if (!(there && back)) {
    // An arrow that ends at the bar: nothing gets through in its direction; the other one is open.
    c.lineWidth = 2;
    line(c, -16, 0, -6, 0);
    c.beginPath();
    c.moveTo(-10, -4);
    c.lineTo(-5, 0);
    c.lineTo(-10, 4);
    c.stroke();
  }
  c.restore();
}

/**
 * Marks directions that are slow or lossy: a short arrow beside the link, on the side of that
 * direction. A slow one has bars, a lossy one has gaps.
 * @param {CanvasRenderingContext2D} c @param {Palette} palette @param {Layout} layout
 * @param {[number, number, number, number][]} impaired
 */
export function drawImpaired(c, palette, layout, impaired) {
  for (const [from, to, delay, loss] of impaired) {
    const way = lane(layout, from, to);
    const { x, y } = way.at(0.5);
    c.save();
    c.translate(x, y);
    c.rotate(way.angle);
    c.strokeStyle = palette.ink2;
    c.lineWidth = 1.5;
    c.setLineDash(loss ? [2, 4] : []);
    line(c, -14, 0, 14, 0);
    c.setLineDash([]);
    line(c, 10, -3.5, 14, 0);
    line(c, 10, 3.5, 14, 0);
    if (delay) for (const at of [-8, -3, 2]) line(c, at, -4, at, 4);
    c.restore();
  }
}

/**
 * Draws a stroke that is being made, and the links that it would cut.
 * @param {CanvasRenderingContext2D} c @param {Palette} palette @param {Layout} layout
 * @param {{ path: Point[], cut: [number, number][] }} stroke
 */
export function drawStroke(c, palette, layout, { path, cut }) {
  c.save();
  c.strokeStyle = palette.danger;
  c.lineCap = c.lineJoin = 'round';
  c.lineWidth = 2;
  for (const [a, b] of cut)
    line(c, layout.servers[a - 1].x, layout.servers[a - 1].y, layout.servers[b - 1].x, layout.servers[b - 1].y);
  c.setLineDash([1.5, 6.5]);
  c.lineWidth = 4;
  c.beginPath();
  for (const { x, y } of path) c.lineTo(x, y);
  c.stroke();
  c.restore();
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {number} x
 * @param {number} y
 * @param {number} u
 * @param {number} v
 */
function line(c, x, y, u, v) {
  c.beginPath();
  c.moveTo(x, y);
  c.lineTo(u, v);
  c.stroke();
}

/**
 * The gaps between neighbours on the ring through which a partition's line runs; null if a side is
 * not in one piece.
 * @param {number} n @param {number[] | null} sides
 */
function partitionGaps(n, sides) {
  if (!sides) return null;
  const gaps = [];
  for (let i = 0; i < n; i++) if (sides[i] !== sides[(i + 1) % n]) gaps.push(i);
  if (n === 2) return [0, 1];
  return gaps.length === new Set(sides).size ? gaps : null;
}

/**
 * @param {CanvasRenderingContext2D} c
 * @param {Palette} palette
 * @param {Layout} layout
 * @param {number[]} gaps
 */
function drawPartition(c, palette, layout, gaps) {
  const { centre, radius, shown } = layout;
  const n = shown.length;
  const places = shown.map((id) => layout.servers[id - 1]);
  const out = radius + layout.node + 34;
  /** @param {number} gap @returns {Point} */
  const end = (gap) => {
    const angle = angleOf(gap + 0.5, n);
    return { x: centre.x + out * Math.cos(angle), y: centre.y + out * Math.sin(angle) };
  };
  c.save();
  c.lineCap = 'butt';
  c.beginPath();
  if (gaps.length === 2) {
    // One curve from gap to gap, passing half way between the middles of the two sides.
    const [p, q] = gaps.map(end);
    const inside = places.slice(gaps[0] + 1, gaps[1] + 1);
    const outside = places.filter((place) => !inside.includes(place));
    const a = middle(inside);
    const b = middle(outside);
    const via = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    c.moveTo(p.x, p.y);
    c.quadraticCurveTo(2 * via.x - (p.x + q.x) / 2, 2 * via.y - (p.y + q.y) / 2, q.x, q.y);
  } else {
    for (const gap of gaps) {
      const p = end(gap);
      c.moveTo(centre.x, centre.y);
      c.lineTo(p.x, p.y);
    }
  }
  c.strokeStyle = palette.paper;
  c.lineWidth = 16;
  c.stroke();
  c.strokeStyle = palette.danger;
  c.globalAlpha = 0.16;
  c.lineWidth = 10;
  c.stroke();
  c.globalAlpha = 1;
  c.setLineDash([1.5, 6.5]);
  c.stroke();
  c.restore();
}

/** @param {Point[]} points @returns {Point} */
const middle = (points) => ({
  x: points.reduce((sum, p) => sum + p.x, 0) / points.length,
  y: points.reduce((sum, p) => sum + p.y, 0) / points.length,
});
