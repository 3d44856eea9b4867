// @ts-check
// What somebody looks at: what is lit, chosen, filtered and zoomed. It is state of the page, not of
// what the page shows, and stands here alone, so that all views agree.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */

/**
 * What the pointer or the keyboard is on; a message by its number, 0 where there is none.
 * @typedef {{ server: number, link: [number, number] | null, message: number }} Lit
 */

/**
 * A stretch of time on a diagram's axis, in virtual microseconds. While it follows, its end is kept
 * near the playhead.
 * @typedef {{ from: number, span: number, following: boolean }} Stretch
 */

/** Nothing is lit. */
export const NOTHING = /** @type {Lit} */ ({ server: 0, link: null, message: 0 });

export class PageState {
  lit = NOTHING;
  /** The server that the inspector shows. */
  server = 1;
  /** Whether heartbeats and the answers to appends are shown, on the ring and in the diagram. */
  heartbeats = true;
  /** Whether servers that aren't members of the cluster are hidden: those that have left it. */
  membersOnly = false;
  /** Whether the list of events has the details, too. */
  everyDetail = false;
  /** Whether only the person's own operations are listed. */
  onlyMine = false;
  /** How many device pixels one pixel of the stage's layout has: more when it is presented. */
  stageZoom = 1;
  /**
   * What presenter mode has besides the ring and the sentence: the logs with the panels, and the
   * quorum; and whether it stops at each commit.
   */
  presented = { reading: false, quorum: false, commits: false };
  /**
   * What the tape was zoomed to; null: the whole run.
   * @type {{ from: number, to: number } | null}
   */
  tape = null;
  spacetime = stretch(500_000);
  intervals = stretch(4_000_000);
  /** The property whose meaning somebody asked for; the panel that shows it takes it away. */
  explained = '';
  /** The branch that is compared with the one being played, and the one being renamed; 0: none. */
  beside = 0;
  renaming = 0;

  #changed;

  /** @param {() => void} changed the page is to be drawn */
  constructor(changed) {
    this.#changed = changed;
  }

  /**
   * Changes what is looked at, and has the page drawn.
   * @param {Partial<PageState>} fields
   */
  set(fields) {
    Object.assign(this, fields);
    this.#changed();
  }

  /** Another run is shown: what was chosen in the old one isn't in it. Filters stay. */
  reset() {
    this.lit = NOTHING;
    this.server = 1;
    this.tape = null;
    this.spacetime.following = this.intervals.following = true;
    this.beside = this.renaming = 0;
  }

  /**
   * The ids of the servers that are to be seen. Where none is a member, all are.
   * @param {Frame} frame
   */
  serversShown({ servers }) {
    const members = servers.filter(isShown);
    return (this.membersOnly && members.length ? members : servers).map(({ id }) => id);
  }

  /**
   * Whether a message is to be seen. An answer to an append doesn't say whether it answers a
   * heartbeat.
   * @param {MessageView} message
   */
  shows = ({ kind, entries }) =>
    this.heartbeats || !(kind === 'heartbeat' || (kind === 'append-answer' && entries === 0));
}

/** @param {number} span @returns {Stretch} */
const stretch = (span) => ({ from: 0, span, following: true });

/**
 * Whether a server is shown even if those that aren't members are hidden. A leader is a member by
 * its own log.
 * @param {import('../../web/view.d.ts').ServerView} server
 */
export const isShown = ({ member, role }) => member || role === 'leader';
