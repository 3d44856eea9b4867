// @ts-check
// What the tape says.

/** @typedef {import('../../web/view.d.ts').BranchView} BranchView */

import { clientName, seconds } from './common.js';

/** The tape. */
export const tape = {
  notYet: 'not played yet',
  /** @param {{ term: number, leader: number, led: boolean } | undefined} band */
  band: (band) => {
    if (!band) return 'no term yet';
    return `term ${band.term}, ${band.led ? `S${band.leader} leads` : 'nobody leads'}`;
  },
  /** @param {BranchView} branch */
  lane: ({ name, end }) => `Branch “${name}”, known up to ${seconds(end)}`,
  /**
   * @param {{ kind: string, server: number, client: number, number: number, count: number }} mark
   */
  moment: ({ kind, server: id, client, number, count }) => {
    const who = `S${id}`;
    const words =
      /** @type {Record<string, string>} */ ({
        campaign: `${who} stands for election in term ${number}`,
        election: `${who} is elected in term ${number}`,
        commit: `index ${number} is committed`,
        'write-began': `${clientName(client)} begins a write`,
        'write-ended': `${clientName(client)} ends a write`,
        crash: `${who} crashes`,
        restart: `${who} restarts`,
        pause: `${who} pauses`,
        resume: `${who} resumes`,
        clock: `the clock of ${who} changes`,
        disk: `the disk of ${who} changes`,
        cut: 'links are cut',
        heal: 'links are healed',
        network: 'the network changes',
        membership: 'the membership changes',
        violation: 'a property is violated',
      })[kind] ?? kind;
    return count > 1 ? `${words}, and ${count - 1} more` : words;
  },
};
