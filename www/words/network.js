// @ts-check
// What the page says in one of its parts, which comes with that part: the dialog that cuts the
// network.

export const networkTitle = 'Cut the network';
export const sidesTitle = 'Sides';
export const sidesHelp = 'Servers on different sides can’t hear each other.';
/** @param {number} id */
export const sideOf = (id) => `Side of S${id}`;
/** @param {number} majority */
export const sidesNone = (majority) => `All on one side: nothing is cut. A side needs ${majority} to commit.`;
/** @param {string[][]} groups @param {number} majority */
export const sidesPreview = (groups, majority) =>
  groups.map((names) => `${names.join(' ')}${names.length >= majority ? ' (a majority)' : ''}`).join('  |  ') +
  (groups.some((g) => g.length >= majority) ? '' : ': no side has a majority');
export const cutPartition = 'Cut here';
export const isolateLeader = 'Leader alone';
export const splitHalves = 'Minority and majority';
export const linksTitle = 'Single links';
export const linksHelp = 'Each direction on its own: from the server of the row to that of the column.';
/** @param {number} a @param {number} b */
export const linkDirection = (a, b) => `S${a} to S${b}`;
export const oneServerOnly = 'A cluster of one has no network.';
