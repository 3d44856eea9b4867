// @ts-check
// What the tape is painted from: `Run.tape` sums up a stretch of a branch. And where a time lies on
// the tape.

/** @typedef {import('../../web/view.d.ts').BranchView} BranchView */

/**
 * The stretch of time in sight, and how many px it is wide.
 * @typedef {{ from: number, to: number, width: number }} Sight
 */
/** @typedef {{ leader: number, since: number, until: number }} Lead */
/**
 * A term, and when it began and ended. Of several that are too short to be told apart, the last,
 * and how many there are. Its leader (0: none), and from when to when that led.
 * @typedef {{ from: number, to: number, term: number, terms: number } & Lead} Band
 */
/**
 * The moments of a kind that lie in one px: how many there are, and the first of them.
 * @typedef {object} Mark
 * @property {number} count
 * @property {string} kind
 * @property {number} time
 * @property {number} server
 * @property {number} client
 * @property {number} number what it is about: a term, an index, a client's operation
 */
/** @typedef {{ bands: Band[], marks: Mark[] }} TapeData */

/** @returns {TapeData} */
export const blank = () => ({ bands: [], marks: [] });

/**
 * Reads the plain numbers of `Run.tape`.
 * @param {Float64Array} numbers
 * @param {string[]} kinds
 * @returns {TapeData}
 */
export function readTape(numbers, kinds) {
  const { bands, marks } = blank();
  // There are thousands: destructuring them costs ten times as much as reading them by their
  // places.
  const n = numbers;
  let at = 2;
  for (let left = n[1]; left > 0; left--, at += 7) {
    const lead = { leader: n[at + 4], since: n[at + 5], until: n[at + 6] };
    bands.push({ from: n[at], to: n[at + 1], term: n[at + 2], terms: n[at + 3], ...lead });
  }
  for (; at < n.length; at += 8) {
    const about = { server: n[at + 5], client: n[at + 6], number: n[at + 7] };
    marks.push({ count: n[at + 1], kind: kinds[n[at + 2]], time: n[at + 3], ...about });
  }
  return { bands, marks };
}

/** @param {Sight} sight @param {number} time */
export const toX = ({ from, to, width }, time) => ((time - from) / (to - from)) * width;
/** @param {Sight} sight @param {number} x */
export const toTime = ({ from, to, width }, x) => from + (x / width) * (to - from);

/**
 * When two branches parted: until then they are the same.
 * @param {BranchView[]} all
 * @param {BranchView} one
 * @param {BranchView} other
 */
export function partedAt(all, one, other) {
  const [a, b] = [lineage(all, one), lineage(all, other)];
  return Math.max(0, ...[...a].map(([id, until]) => Math.min(until, b.get(id) ?? 0)));
}

/**
 * A branch and those that it came from, and until when it is the same as each.
 * @param {BranchView[]} all @param {BranchView} branch
 */
function lineage(all, branch) {
  const line = new Map([[branch.id, Infinity]]);
  let until = Infinity;
  for (let at = /** @type {BranchView | undefined} */ (branch); at?.origin;) {
    const { origin, leftAt } = at;
    until = Math.min(until, leftAt);
    line.set(origin, until);
    at = all.find(({ id }) => id === origin);
  }
  return line;
}
