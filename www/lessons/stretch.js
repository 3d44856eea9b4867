// @ts-check
// How a step's stretch of its run is watched.

/** How long watching it takes at least and at most, in ms. */
const LEAST = 1_500;
const MOST = 7_000;
/** A stretch so long takes twice the least. */
const USUAL = 50_000;

/**
 * How fast to play a stretch, in virtual time for each real time: a longer one takes longer, but
 * not as much longer as it is.
 * @param {number} micros how long it is
 */
export function paceOf(micros) {
  const watched = Math.min(MOST, LEAST * (1 + Math.log2(1 + micros / USUAL)));
  return Math.max(1 / 200, Math.min(2, micros / 1000 / watched));
}

/** How fast a task goes, where whoever does it acts meanwhile. */
export const TASK_PACE = 1 / 12;
