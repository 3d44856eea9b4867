// @ts-check
// What the page says in one of its parts, which comes with that part: the panel of dials.

/** The dials of the network and the timing. */
export const dials = {
  network: 'Network',
  latencyMin: 'Shortest latency',
  latencyMax: 'Longest latency',
  loss: 'Lost',
  duplication: 'Duplicated',
  /** @param {number} micros */
  length: (micros) => `${micros < 9_950 ? +(micros / 1e3).toFixed(1) : Math.round(micros / 1e3)} ms`,
  /** @param {number} ppm */
  share: (ppm) => `${+(ppm / 1e4).toFixed(1)} %`,
  timing: 'Timing',
  /** @param {import('../../web/view.d.ts').DialsView} view @returns {string} */
  timingWords: ({ electionTimeoutMin: min, electionTimeoutMax: max, heartbeatInterval: beat, fsyncMin, fsyncMax }) =>
    `[Election timeout] ${min / 1e3} to ${max / 1e3} ms, a [heartbeat] every ${beat / 1e3} ms, disk writes ` +
    `${fsyncMin / 1e3} to ${fsyncMax / 1e3} ms. To change the timing, start a new run.`,
  otherTiming: 'New run with another timing…',
  fine: 'Messages are faster than election timeouts: followers hear a living leader in time.',
  /** @param {string} most @param {string} least */
  late: (most, least) =>
    `Two heartbeats may arrive ${most} apart, and an election timeout may be ${least}: followers may campaign against a ` +
    'living leader.',
  /** @param {string} most @param {string} least */
  outlive: (most, least) =>
    `A message may take ${most}, longer than the shortest election timeout (${least}): votes may come too late, and ` +
    'elections may never end.',
};
