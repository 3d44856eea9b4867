// @ts-check
// Where everything on the ring is. That depends on the size of the stage and on the number of
// servers alone.

/** @typedef {{ x: number, y: number }} Point */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */

import { lessMotion } from '../kit/dom.js';

/**
 * @typedef {object} Layout
 * @property {number} width
 * @property {number} height
 * @property {Point} centre
 * @property {number} radius of the ring
 * @property {number} node radius of a server
 * @property {Point[]} servers in id order
 * @property {boolean[]} above whether a server's name stands above it
 * @property {number} label size of the names in px
 * @property {boolean} brief whether there is room for names only: the shapes say the roles
 */

/** The direction of server `i` of `n`; the first is on top. @param {number} i @param {number} n */
export const angleOf = (i, n) => (n === 2 ? Math.PI : -Math.PI / 2) + (i * 2 * Math.PI) / n;

/** @param {number} width @param {number} height @param {number} n @returns {Layout} */
export function layOut(width, height, n) {
  const small = Math.min(width, height) < 420;
  const dense = n > 6;
  const low = height < 240 ? 44 : 66;
  const room = small ? { x: 50, top: low, bottom: low } : { x: 76, top: 98, bottom: 94 };
  const unit = Array.from({ length: n }, (_, i) => {
    if (n === 1) return { x: 0, y: 0 };
    const angle = angleOf(i, n);
    return { x: Math.cos(angle), y: Math.sin(angle) };
  });
  const xs = unit.map((p) => p.x);
  const ys = unit.map((p) => p.y);
  const box = { x: Math.max(...xs) - Math.min(...xs), y: Math.max(...ys) - Math.min(...ys) };
  const radius = Math.max(
    44,
    Math.min(
      240,
      (width - 2 * room.x) / Math.max(box.x, 1.6),
      (height - room.top - room.bottom) / Math.max(box.y, 1.6),
    ),
  );
  const label = small ? (dense ? 11 : 12) : dense && radius < 180 ? 12 : 14;
  const centre = {
    x: width / 2 - (radius * (Math.max(...xs) + Math.min(...xs))) / 2,
    y: (height + room.top - room.bottom) / 2 - (radius * (Math.max(...ys) + Math.min(...ys))) / 2,
  };
  const gap = n > 1 ? 2 * radius * Math.sin(Math.PI / n) : 200;
  const node = Math.max(16, Math.min(small ? 26 : 38, gap / 2 - 20, radius * (dense ? 0.165 : 0.23)));
  return {
    width,
    height,
    centre,
    radius,
    node,
    label,
    brief: small && (dense || gap < 80),
    servers: unit.map((p) => ({ x: centre.x + radius * p.x, y: centre.y + radius * p.y })),
    above: unit.map((p) => p.y < -0.5),
  };
}

/**
 * Where client `number` (1 and up) stands: in a corner of the stage, which the ring leaves free.
 * @param {Layout} layout @param {number} number @returns {Point}
 */
export function clientAt({ width, height }, number) {
  const [right, low] = [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ][(number - 1) % 4];
  const row = Math.floor((number - 1) / 4);
  const inset = Math.min(34, width * 0.075);
  return {
    x: right ? width - inset - 6 : inset + 6,
    y: low ? height - inset - 14 - row * 46 : inset + row * 46,
  };
}

/** Where an endpoint of a message is. @param {Layout} layout @param {number} endpoint */
export const endpointAt = (layout, endpoint) =>
  endpoint > 0 ? layout.servers[endpoint - 1] : clientAt(layout, -endpoint);

/**
 * How far from an endpoint's middle a message starts or ends: far enough not to lie under the
 * server's disc.
 * @param {Layout} layout @param {number} endpoint @param {number} other
 */
const reach = (layout, endpoint, other) => (endpoint < 0 ? 20 : layout.node + (other < 0 ? 24 : 14));

/**
 * The way of messages from one endpoint to another. They keep to the right, so that both directions
 * can be seen.
 * @param {Layout} layout @param {number} from @param {number} to
 */
export function lane(layout, from, to) {
  const a = endpointAt(layout, from);
  const b = endpointAt(layout, to);
  const length = Math.hypot(b.x - a.x, b.y - a.y) || 1;
  const dx = (b.x - a.x) / length;
  const dy = (b.y - a.y) / length;
  const aside = layout.node > 28 ? 8 : 6;
  const start = reach(layout, from, to);
  const run = Math.max(8, length - start - reach(layout, to, from));
  const x = a.x - dy * aside + dx * start;
  const y = a.y + dx * aside + dy * start;
  return {
    angle: Math.atan2(dy, dx),
    length: run,
    /** @param {number} part 0 at the sender, 1 at the receiver @returns {Point} */
    at: (part) => ({ x: x + dx * run * part, y: y + dy * run * part }),
  };
}

/**
 * Where a message is now: on its way, or where it was lost or is held.
 * @param {Layout} layout @param {MessageView} message @param {number} now
 * @param {boolean} [hop] in three steps rather than smoothly
 */
export function messageSpot(layout, { from, to, sent, arrives, lost, held }, now, hop = false) {
  const gone = lost > 0 && now >= lost;
  const until = gone ? lost : held > 0 ? Math.min(now, held) : now;
  const part = Math.min(1, Math.max(0, (until - sent) / Math.max(1, arrives - sent)));
  const way = lane(layout, from, to);
  return { way, part, gone, at: way.at(hop ? (Math.min(2, Math.floor(part * 3)) + 0.5) / 3 : part) };
}

/**
 * The message nearest to a point, if one is near.
 * @param {Layout} layout @param {Frame} frame @param {Point} point @param {number} within px
 * @param {(message: MessageView) => boolean} shown
 */
export function messageNear(layout, frame, point, within, shown) {
  let best = null;
  let least = within;
  for (const message of frame.messages) {
    if (!shown(message)) continue;
    const { at } = messageSpot(layout, message, frame.now, lessMotion.matches);
    const off = Math.hypot(at.x - point.x, at.y - point.y);
    if (off >= least) continue;
    least = off;
    best = message;
  }
  return best;
}

/** Every pair of servers `a < b`. @param {number} n @returns {[number, number][]} */
export function pairs(n) {
  /** @type {[number, number][]} */
  const all = [];
  for (let a = 1; a <= n; a++) for (let b = a + 1; b <= n; b++) all.push([a, b]);
  return all;
}

/**
 * Where a link can be pressed: in its middle. Links through the ring's centre have it beside the
 * middle, so that no two are in one place.
 * @param {Layout} layout @param {number} a @param {number} b @returns {Point}
 */
export function linkSpot(layout, a, b) {
  const p = layout.servers[a - 1];
  const q = layout.servers[b - 1];
  const part = layout.servers.length > 2 && 2 * (b - a) === layout.servers.length ? 0.36 : 0.5;
  return { x: p.x + (q.x - p.x) * part, y: p.y + (q.y - p.y) * part };
}

/**
 * The link nearest to a point, if one is near.
 * @param {Layout} layout @param {Point} point @param {number} within px
 * @returns {[number, number] | null}
 */
export function linkNear(layout, point, within) {
  let best = null;
  let least = within;
  for (const [a, b] of pairs(layout.servers.length)) {
    const p = layout.servers[a - 1];
    const q = layout.servers[b - 1];
    const length = Math.hypot(q.x - p.x, q.y - p.y);
    const along = ((point.x - p.x) * (q.x - p.x) + (point.y - p.y) * (q.y - p.y)) / length;
    if (along < layout.node + 16 || along > length - layout.node - 16) continue;
    const off = Math.abs((point.x - p.x) * (q.y - p.y) - (point.y - p.y) * (q.x - p.x)) / length;
    if (off < least) {
      least = off;
      best = /** @type {[number, number]} */ ([a, b]);
    }
  }
  return best;
}
