// @ts-check
// What a violation is about, as far as the checker knows: servers, and places in their logs.

/** @typedef {{ servers: number[], entries: number[] }} About */

/**
 * Reads what the simulator says in four numbers: a bit for each server (bit n stands for Sn), and
 * up to two indexes, with 0 where there is none.
 * @param {{ about?: number[] } | null} [violation] one that somebody only tells of is about nothing
 * @returns {About}
 */
export function aboutOf(violation) {
  const [bits = 0, ...entries] = violation?.about ?? [];
  const servers = Array.from({ length: 31 }, (_, id) => id).filter((id) => (bits >> id) & 1);
  return { servers, entries: entries.filter(Boolean) };
}
