// @ts-check
// Where everything on the ring is. That depends on the size of the stage, on which servers are
// shown, and on the number of clients alone.

/** @typedef {{ x: number, y: number }} Point */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */

import { lessMotion } from '../kit/dom.js';
import { notMember, role } from '../words/common.js';

/**
 * Where a server's name and role stand: between `left` and `right`, along a line of letters at `y`.
 * @typedef {object} Label
 * @property {number} left
 * @property {number} right
 * @property {number} y
 * @property {'left' | 'center' | 'right'} align
 * @property {boolean} above whether votes stand above it rather than below
 */
/**
 * @typedef {object} Layout
 * @property {number} width
 * @property {number} height
 * @property {Point} centre
 * @property {number} radius of the ring
 * @property {number} node radius of a server
 * @property {number} gap from one server's middle to the next one's
 * @property {Point[]} servers in id order; the place of one that isn't shown is the centre
 * @property {number[]} shown the ids of those that are shown
 * @property {Label[]} labels in id order
 * @property {number} label size of the names in px
 * @property {boolean} brief whether there is room for names only: the shapes say the roles
 * @property {Client[]} clients where they stand, in the order of their numbers
 */
/**
 * Where a client stands. A small one has its number alone for a name.
 * @typedef {Point & { small: boolean }} Client
 */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box */

/** The direction of server `i` of `n`; the first is on top. @param {number} i @param {number} n */
export const angleOf = (i, n) => (n === 2 ? Math.PI : -Math.PI / 2) + (i * 2 * Math.PI) / n;

/** A letter is at most about so wide, in sizes of its font. */
const LETTER = 0.6;
/** The longest words that a name and a role may be. */
const NAME = 3;
const WORDS = NAME + 1 + Math.max(...[...Object.values(role), notMember].map((word) => word.length));
/** The least room that a ring leaves at the stage's edges. */
const EDGE = 4;
/** How far the arc of a server's timer reaches beyond its radius, at most. */
const ARC = 7;

/**
 * Where everything is on a stage of that size.
 * @param {number} width @param {number} height @param {number} n how many servers there are
 * @param {number[]} [shown] the ids of those that are shown: all, unless it is given
 * @param {number} [clients] how many there are
 * @returns {Layout}
 */
export function layOut(width, height, n, shown = ids(n), clients = 1) {
  const count = shown.length;
  const make = (/** @type {boolean} */ outward, /** @type {boolean} */ brief, part = 1) =>
    ring(width, height, count, { outward, brief, part });
  // Names and roles stand above or below their servers, or beside them; where there is no room for
  // both, names stand alone. Roles may not make the ring much smaller.
  const least = make(false, true);
  const roomy = [make(false, false), make(true, false)].filter(
    ({ radius, node }) => radius >= 0.7 * least.radius && node >= 0.6 * least.node,
  );
  // Where even names are in the way, servers are smaller.
  const smaller = () =>
    [0.85, 0.7, 0.6, 0.5, 0.4].flatMap((part) => [make(false, true, part), make(true, true, part)]).find(isClear);
  const best = [...roomy, least, make(true, true)].find(isClear) ?? smaller() ?? least;
  /** @param {number} id */
  const place = (id) => shown.indexOf(id);
  const layout = {
    ...best,
    servers: ids(n).map((id) => best.servers[place(id)] ?? best.centre),
    labels: ids(n).map((id) => best.labels[place(id)] ?? best.labels[0]),
    shown,
  };
  return { ...layout, clients: placeClients(best, clients) };
}

/** @param {number} n */
const ids = (n) => Array.from({ length: n }, (_, i) => i + 1);

/**
 * A ring of `n` servers.
 * @param {number} width @param {number} height @param {number} n
 * @param {{ outward: boolean, brief: boolean, part: number }} how whether labels stand beside their
 * servers, whether they are names alone, and how large servers are, of what they could be
 */
function ring(width, height, n, { outward, brief, part }) {
  const small = Math.min(width, height) < 420;
  const dense = n > 6;
  const tiny = height < 240;
  const unit = Array.from({ length: n }, (_, i) => {
    if (n === 1) return { x: 0, y: 0 };
    const angle = angleOf(i, n);
    return { x: Math.cos(angle), y: Math.sin(angle) };
  });
  const xs = unit.map((p) => p.x);
  const ys = unit.map((p) => p.y);
  const box = { x: Math.max(...xs) - Math.min(...xs), y: Math.max(...ys) - Math.min(...ys) };
  const label = tiny || (small && n > 9) ? 10 : small ? (dense ? 11 : 12) : dense && height < 480 ? 12 : 14;
  const long = (brief ? NAME : WORDS) * LETTER * label;
  const low = tiny ? (dense ? 34 : 44) : dense && small ? 64 : 66;
  const room = small ? { x: 50, top: low, bottom: low } : { x: 76, top: 98, bottom: 94 };
  if (outward) room.x = long + (small ? 26 : 48);
  const radius = Math.max(
    44,
    Math.min(
      240,
      (width - 2 * room.x) / Math.max(box.x, 1.6),
      (height - room.top - room.bottom) / Math.max(box.y, 1.6),
    ),
  );
  const centre = {
    x: width / 2 - (radius * (Math.max(...xs) + Math.min(...xs))) / 2,
    y: (height + room.top - room.bottom) / 2 - (radius * (Math.max(...ys) + Math.min(...ys))) / 2,
  };
  const gap = n > 1 ? 2 * radius * Math.sin(Math.PI / n) : 200;
  // As large as neighbours allow.
  const most = Math.min(small ? 26 : 38, radius * (dense ? 0.165 : 0.23));
  const least = Math.min(16, (gap / 2 - ARC) / 1.22);
  const node = part * Math.max(8, Math.min(most, dense ? (gap / 2 - 9) / 1.22 : gap / 2 - 20), least);
  const servers = unit.map((p) => ({ x: centre.x + radius * p.x, y: centre.y + radius * p.y }));
  const labels = unit.map((p, i) => {
    const { x, y } = servers[i];
    return outward && n > 1
      ? beside(servers[i], p, node, label, long)
      : aboveOrBelow({ x, y }, p.y < -0.5, x - centre.x, { node, label, long, width });
  });
  return { width, height, centre, radius, node, gap, servers, labels, label, brief };
}

/** How far a label is from its server's middle. @param {number} node */
const clearOf = (node) => node * 1.22 + (node <= 26 ? 9 : 12);

/**
 * A label above or below its server. Of two at the same height, none crosses the ring's axis.
 * @param {Point} server @param {boolean} above @param {number} off how far to the right of the axis
 * @param {{ node: number, label: number, long: number, width: number }} sizes
 * @returns {Label}
 */
function aboveOrBelow({ x, y }, above, off, { node, label, long, width }) {
  const clear = clearOf(node);
  let left = x - long / 2;
  if (off > 1) left = Math.max(left, x - off + 3);
  if (off < -1) left = Math.min(left, x - off - 3 - long);
  left = Math.max(EDGE, Math.min(left, width - EDGE - long));
  return { left, right: left + long, y: y + (above ? -clear - 4 : clear + label * 0.8), align: 'center', above };
}

/**
 * A label beside its server, away from the ring's middle.
 * @param {Point} server @param {Point} way from the middle to the server; its length is 1
 * @param {number} node @param {number} label @param {number} long
 * @returns {Label}
 */
function beside({ x, y }, way, node, label, long) {
  const clear = node * 1.22 + ARC + 3;
  const at = { x: x + clear * way.x, y: y + clear * way.y + label * (0.36 + 0.5 * way.y) };
  const above = way.y < 0;
  if (Math.abs(way.x) < 0.05) return { left: x - long / 2, right: x + long / 2, y: at.y, align: 'center', above };
  return way.x > 0
    ? { left: at.x, right: at.x + long, y: at.y, align: 'left', above }
    : { left: at.x - long, right: at.x, y: at.y, align: 'right', above };
}

/** The room of a label. @param {Label} label @param {number} size @returns {Box} */
export const labelBox = ({ left, right, y }, size) => ({ left, right, top: y - size * 0.8, bottom: y + size * 0.24 });

/** The room of a server, with its timer. @param {Point} at @param {number} node @returns {Box} */
const nodeBox = ({ x, y }, node) => {
  const r = node * 1.22 + ARC - 2;
  return { left: x - r, right: x + r, top: y - r, bottom: y + r };
};

/** @param {Box} a @param {Box} b */
const overlap = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** Whether a box touches a disc. @param {Box} box @param {Point} at @param {number} radius */
const touches = ({ left, right, top, bottom }, { x, y }, radius) =>
  Math.hypot(x - Math.max(left, Math.min(x, right)), y - Math.max(top, Math.min(y, bottom))) < radius;

/** @typedef {Pick<Layout, 'width' | 'height' | 'servers' | 'labels' | 'label' | 'node'>} Placed */

/**
 * Whether each label can be read: on the stage, on no other label and on no server.
 * @param {Placed} placed
 */
export function isClear({ width, height, servers, labels, label, node }) {
  const boxes = labels.map((one) => labelBox(one, label));
  return boxes.every(
    (box, i) =>
      box.left >= 0 &&
      box.right <= width &&
      box.top >= 0 &&
      box.bottom <= height &&
      !boxes.some((other, k) => k < i && overlap(box, other)) &&
      !servers.some((at) => touches(box, at, node * 1.1)),
  );
}

/** How wide and high clients' signs are, with their names; and small, with the number alone. */
const CLIENT = { width: 66, height: 42 };
const SMALL_CLIENT = { width: 30, height: 30 };

/** The room of a client's sign with its name. @param {Client} client @returns {Box} */
export function clientBox({ x, y, small }) {
  const { width, height } = small ? SMALL_CLIENT : CLIENT;
  return { left: x - width / 2, right: x + width / 2, top: y - 12, bottom: y - 12 + height };
}

/**
 * Clients stand in the corners, which the ring leaves free, the first four in one each; where there
 * are many, their signs are small. Those for whom there is no place stand where the last one does.
 * @param {Placed} placed @param {number} count
 */
function placeClients(placed, count) {
  const large = corners(placed, count, CLIENT, false);
  if (large.length >= count) return large;
  const small = corners(placed, count, SMALL_CLIENT, true);
  const last = small.at(-1) ?? { x: 20, y: 20, small: true };
  return [...small, ...Array.from({ length: Math.max(0, count - small.length) }, () => last)];
}

/**
 * @param {Placed} placed @param {number} count
 * @param {{ width: number, height: number }} size @param {boolean} small
 */
function corners({ width, height, servers, labels, label, node }, count, size, small) {
  const taken = [...labels.map((one) => labelBox(one, label)), ...servers.map((at) => nodeBox(at, node))];
  const inset = Math.min(20, height * 0.03, width * 0.03);
  const [columns, rows] = [Math.floor(width / 2 / size.width), Math.floor((height / 2 - inset) / size.height)];
  // From a corner outwards, first down its edge.
  const cells = Array.from({ length: columns * rows }, (_, i) => ({ column: Math.floor(i / rows), row: i % rows }));
  cells.sort((a, b) => a.column + a.row - b.column - b.row || a.column - b.column);
  const free = [0, 1, 2, 3].map((corner) => {
    const [right, low] = [corner % 2 === 1, corner > 1];
    const places = cells.map(({ column, row }) => {
      const [along, down] = [column * size.width + size.width / 2 + inset / 4, row * size.height + inset];
      return { x: right ? width - along : along, y: low ? height - size.height - down + 12 : down + 12, small };
    });
    return places.filter((place) => !taken.some((box) => overlap(box, clientBox(place))));
  });
  /** @type {Client[]} */
  const placed = [];
  for (let i = 0; placed.length < count && free.some((places) => places.length); i++) {
    const next = free[i % 4].shift();
    if (next && !placed.some((other) => overlap(clientBox(other), clientBox(next)))) placed.push(next);
  }
  return placed;
}

/**
 * Where client `number` (1 and up) stands.
 * @param {Layout} layout @param {number} number @returns {Client}
 */
export const clientAt = ({ clients }, number) => clients[Math.min(number, clients.length) - 1];

/**
 * Whether both ends of something are on the ring.
 * @param {Layout} layout @param {{ from: number, to: number }} ends
 */
export const isPlaced = ({ shown }, { from, to }) =>
  (from < 0 || shown.includes(from)) && (to < 0 || shown.includes(to));

/** Where an endpoint of a message is. @param {Layout} layout @param {number} endpoint */
export const endpointAt = (layout, endpoint) =>
  endpoint > 0 ? layout.servers[endpoint - 1] : clientAt(layout, -endpoint);

/**
 * How far from an endpoint's middle a message starts or ends: far enough not to lie under the
 * server's disc.
 * @param {Layout} layout @param {number} endpoint @param {number} other
 */
const reach = (layout, endpoint, other) => (endpoint < 0 ? 20 : layout.node + (other < 0 ? 24 : 14));

/** @typedef {ReturnType<typeof way>} Lane */

/**
 * The lanes of each layout: there are few, and hundreds of messages on them.
 * @type {WeakMap<Layout, Map<number, Lane>>}
 */
const lanes = new WeakMap();
/** More than there are endpoints on either side. */
const ENDPOINTS = 1 << 16;

/**
 * The way of messages from one endpoint to another. They keep to the right, so that both directions
 * can be seen.
 * @param {Layout} layout @param {number} from @param {number} to
 */
export function lane(layout, from, to) {
  let known = lanes.get(layout);
  if (!known) lanes.set(layout, (known = new Map()));
  const key = from * ENDPOINTS + to;
  let lane = known.get(key);
  if (!lane) known.set(key, (lane = way(layout, from, to)));
  return lane;
}

/** @param {Layout} layout @param {number} from @param {number} to */
function way(layout, from, to) {
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
 * How much of its way a message has gone: now, or when it was lost, or held.
 * @param {Pick<MessageView, 'sent' | 'arrives' | 'lost' | 'held'>} message @param {number} now
 * @param {boolean} [hop] whether it is `shown` in three steps rather than smoothly
 */
export function partOf({ sent, arrives, lost, held }, now, hop = false) {
  const gone = lost > 0 && now >= lost;
  const until = gone ? lost : held > 0 ? Math.min(now, held) : now;
  const part = Math.min(1, Math.max(0, (until - sent) / Math.max(1, arrives - sent)));
  return { gone, part, shown: hop ? (Math.min(2, Math.floor(part * 3)) + 0.5) / 3 : part };
}

/**
 * Where a message is now: on its way, or where it was lost or is held.
 * @param {Layout} layout @param {MessageView} message @param {number} now
 * @param {boolean} [hop] in three steps rather than smoothly
 */
export function messageSpot(layout, message, now, hop = false) {
  const { gone, part, shown } = partOf(message, now, hop);
  const way = lane(layout, message.from, message.to);
  return { way, part, gone, at: way.at(shown) };
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
    if (!shown(message) || !isPlaced(layout, message)) continue;
    const { at } = messageSpot(layout, message, frame.now, lessMotion.matches);
    const off = Math.hypot(at.x - point.x, at.y - point.y);
    if (off >= least) continue;
    least = off;
    best = message;
  }
  return best;
}

/** Every pair of servers `a < b`. @param {number} n @returns {[number, number][]} */
export const pairs = (n) => pairsOf(ids(n));

/** Every pair of these servers, which are in order. @param {number[]} servers */
export const pairsOf = (servers) =>
  servers.flatMap((a, i) => servers.slice(i + 1).map((b) => /** @type {[number, number]} */ ([a, b])));

/**
 * Where a link can be pressed: in its middle. Links through the ring's centre have it beside the
 * middle, so that no two are in one place.
 * @param {Layout} layout @param {number} a @param {number} b @returns {Point}
 */
export function linkSpot(layout, a, b) {
  const p = layout.servers[a - 1];
  const q = layout.servers[b - 1];
  const { shown } = layout;
  const apart = shown.indexOf(b) - shown.indexOf(a);
  const part = shown.length > 2 && 2 * apart === shown.length ? 0.36 : 0.5;
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
  for (const [a, b] of pairsOf(layout.shown)) {
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
