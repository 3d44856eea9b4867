// @ts-check
// Who leads, where several believe that they do.

/** @typedef {import('../../web/view.d.ts').ServerView} ServerView */

/**
 * The leader of the highest term among these servers, if any of them leads.
 * @param {ServerView[]} servers @returns {ServerView | undefined}
 */
export const newestLeader = (servers) =>
  servers.filter(({ role }) => role === 'leader').sort((a, b) => b.term - a.term)[0];
