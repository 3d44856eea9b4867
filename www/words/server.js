// @ts-check
// What the page says in one of its parts, which comes with that part: the panel about one server.

/** @typedef {import('../../web/view.d.ts').ServerView} ServerView */
/** @typedef {import('../../web/view.d.ts').InspectorView} InspectorView */
/** @typedef {import('../../web/view.d.ts').PeerView} PeerView */

import { diskWords, seconds, server, stateWords } from './common.js';

/** The inspector: Figure 2 of the paper, and what is around it. */
export const inspector = {
  which: 'Server to inspect',
  /**
   * @param {ServerView} server
   * @param {InspectorView} view
   * @returns {[string, string, string][]}
   */
  state: (server, view) => {
    const { up } = view;
    /** @type {[string, string, string][]} */
    const rows = [
      [
        '[role]',
        stateWords(server),
        up
          ? view.starts > 1
            ? `it has been started ${view.starts} times`
            : 'it has never been down'
          : 'what follows is on its disk',
      ],
      ['[currentTerm]', String(server.term), 'the latest term it has seen; on its disk before it answers'],
      [
        '[votedFor]',
        server.votedFor ? `S${server.votedFor}` : 'nobody',
        'whom it voted for in this term; on its disk before it answers',
      ],
      [
        '[log]',
        server.lastIndex >= view.firstIndex ? `${view.firstIndex} to ${view.last}` : 'empty',
        'its entries: index @ term; on its disk before they count',
      ],
    ];
    if (view.snapshot) rows.push(['[snapshot]', `≤ ${view.snapshot}`, 'stands for every entry up to there']);
    if (up) {
      rows.push(
        ['[commitIndex]', String(server.commitIndex), 'the highest entry it knows to be committed'],
        ['[lastApplied]', String(server.lastApplied), 'the highest entry its store has applied'],
        ['[leader]', server.leader ? `S${server.leader}` : 'none known', 'the leader of this term, as far as it knows'],
        [
          '[members]',
          `${view.voters}${view.learners && view.learners !== 'nobody' ? `; learning: ${view.learners}` : ''}`,
          view.membershipIndex
            ? `from entry ${view.membershipIndex}; in force as soon as that is in the log`
            : 'as they were at the beginning',
        ],
      );
      if (view.round)
        rows.push([
          '[round]',
          String(view.round),
          'rounds of heartbeats; one that a quorum answers confirms that it leads',
        ]);
    }
    rows.push(
      [
        '[clock]',
        `${seconds(view.clock)}${server.clockRate === 1e6 ? '' : ` at ${server.clockRate / 1e4} %`}`,
        'what its own clock shows',
      ],
      [
        '[disk]',
        `${diskWords[server.disk]}, term ${view.diskTerm}, ` +
          `${view.diskVote ? `vote S${view.diskVote}` : 'no vote'}, up to ${view.diskLast}`,
        view.unsynced ? `${view.unsynced} writes on their way` : 'everything is synced',
      ],
    );
    return rows;
  },
  peers: 'What it knows of the others, as the leader',
  peerColumns: ['', '[matchIndex]', '[nextIndex]', 'state', 'heard'],
  /** @param {PeerView} peer */
  peerState: ({ state, inFlight }) => (inFlight ? `${state}, ${inFlight} on their way` : state),
  /** @param {number} micros */
  heard: (micros) => (micros < 0 ? 'not yet' : `${Math.round(micros / 1e3)} ms ago`),
  sessions: 'Client [sessions]',
  sessionColumns: ['session', 'of', 'last serial', 'its answer', 'last used at'],
  store: 'Store',
  storeColumns: ['key', 'value'],
};
