// @ts-check
// Whether a server that times out now will win the election, as far as can be told from what the
// servers know: who would vote for it, and why the others wouldn't. And what would let it win.
// This only foretells; what happens is decided by the servers (raft-core/src/raft/election.rs).

/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('../pkg/tables.js').Action} Action */
/** @typedef {import('../words/faults.js').Refusal} Refusal */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').InspectorView} InspectorView */

import { newestLeader } from '../run/leader.js';
import { forecast as words } from '../words/faults.js';
import { cutSet } from './cuts.js';

/**
 * What will come of it, in words; and what would let it win: null where nothing does, and then the
 * words say so.
 * @typedef {object} Forecast
 * @property {'wins' | 'may' | 'loses' | 'withheld'} outcome
 * @property {string} words
 * @property {{ words: string, actions: Action[] } | null} help
 */

/** @param {string} entry `7@2` @returns {[number, number]} term, index */
function position(entry) {
  const [index, term] = entry.split('@').map(Number);
  return [term || 0, index || 0];
}

/**
 * Whether a log that ends with `mine` is behind one that ends with `theirs`.
 * @param {string} mine
 * @param {string} theirs
 */
export function isBehind(mine, theirs) {
  const [[term, index], [otherTerm, other]] = [position(mine), position(theirs)];
  return term < otherTerm || (term === otherTerm && index < other);
}

/** @param {string} servers `S1, S2` */
const numbers = (servers) => [...servers.matchAll(/S(\d+)/g)].map(([, id]) => Number(id));

/**
 * @param {Pick<Source, 'frame' | 'inspect' | 'dials'>} source
 * @param {number} server
 * @returns {Forecast}
 */
export function forecastElection(source, server) {
  const { frame } = source;
  const own = frame.servers[server - 1];
  const me = source.inspect(server);
  const withheld = (/** @type {keyof typeof words.withheld} */ why) =>
    /** @type {Forecast} */ ({ outcome: 'withheld', words: words.withheld[why], help: null });
  if (!me || own.role === 'crashed' || own.paused) return withheld('paused');
  if (own.role === 'leader') return withheld('leads');
  const voters = numbers(me.voters);
  if (!voters.includes(server)) return withheld('noVoter');
  if (own.disk === 'stalled') return withheld('stalled');
  if (own.disk === 'damaged') return withheld('damaged');

  const { latencyMin: least = 0, latencyMax: most = 0, fsyncMax = 0, loss = 0 } = source.dials() ?? {};
  const { electionTimeoutMin = 0 } = source.dials() ?? {};
  const isCut = cutSet(frame.cuts);
  const needed = Math.floor(voters.length / 2) + 1;
  /** @type {Map<number, InspectorView>} */
  const views = new Map([[server, me]]);
  /** Those who hear it and answer, whatever they answer. @type {number[]} */
  const reached = [];
  /** @type {Map<Refusal, number[]>} */
  const refusals = new Map();
  const patient = [];
  let soon = false;
  for (const id of voters.filter((id) => id !== server)) {
    const other = frame.servers[id - 1];
    const view = source.inspect(id);
    if (!view) continue;
    views.set(id, view);
    /** @type {Refusal | ''} */
    let why = '';
    if (other.role === 'crashed') why = 'down';
    else if (isCut(server, id) || isCut(id, server)) why = 'cut';
    else if (other.paused) why = 'paused';
    else {
      reached.push(id);
      if (other.role === 'leader') why = 'leader';
      else if (other.term > own.term) why = 'term';
      else if (isBehind(me.last, view.last)) why = 'behind';
      else if (other.disk === 'stalled') why = 'stalled';
      else if (view.ignoresCampaigns > least) {
        why = hears(frame, isCut, id, other.leader) ? 'patient' : 'started';
        patient.push(id);
      }
      // Near the end of its patience, it depends on how long the message takes.
      if (view.ignoresCampaigns > 0 && view.ignoresCampaigns <= most) soon = true;
    }
    if (why) refusals.set(why, [...(refusals.get(why) ?? []), id]);
  }
  const refusing = [...refusals.values()].flat();
  const granting = voters.filter((id) => id !== server && !refusing.includes(id));
  // With a pre-vote, its own patience is looked at when the answers are there.
  const selfRefuses = me.ignoresCampaigns > 2 * least;
  const reasons = [...refusals].map(([why, ids]) => words.refuses[why](ids));
  const votes = granting.length + 1;
  const help = letWin(source, server, {
    electionTimeoutMin,
    needed,
    views,
    reached,
    refusals,
    granting,
    patient,
  });

  if (voters.length === 1) return { outcome: 'wins', words: words.alone, help: null };
  if (frame.quorum.majorities.length > 1) return { outcome: 'may', words: words.joint, help };
  if (votes < needed || selfRefuses) {
    const why = votes < needed ? reasons : [words.self];
    const said = words.loses(why, votes < needed ? votes : votes - 1, needed, voters.length, !help);
    return { outcome: 'loses', words: said, help };
  }
  const rising = leaderUnheard(frame, server);
  if (rising) {
    const certain = rising.hearsAt <= frame.now + 2 * least;
    const said = (certain ? words.unheard : words.perhapsUnheard)(rising.leader);
    return { outcome: certain ? 'loses' : 'may', words: said, help };
  }
  if (soon) return { outcome: 'may', words: words.soon, help };
  // Until its request for votes is there: two messages for the question, one for the request, and
  // its own vote on the disk.
  const time = 3 * most + fsyncMax;
  const rival = frame.servers.some(
    ({ id, role, timer }) =>
      id !== server &&
      voters.includes(id) &&
      (role === 'candidate' || role === 'pre-candidate' || (role === 'follower' && timer * electionTimeoutMin <= time)),
  );
  const sure = !rival && loss === 0;
  return sure ? { outcome: 'wins', words: words.wins, help: null } : { outcome: 'may', words: words.close, help };
}

/**
 * Whether a server still hears the leader that it knows.
 * @param {Frame} frame @param {ReturnType<typeof cutSet>} isCut @param {number} server
 * @param {number} leader 0: it knows none
 */
function hears({ servers }, isCut, server, leader) {
  const known = servers[leader - 1];
  return Boolean(known && known.role === 'leader' && !known.paused && !isCut(leader, server));
}

/**
 * A leader of whom a server that would campaign hasn't heard, and when it does at the latest that
 * is known: what the leader has sent is on its way. It follows then, and its campaign is over.
 * @param {Frame} frame @param {number} server
 */
function leaderUnheard({ servers, messages }, server) {
  const own = servers[server - 1];
  const leader = newestLeader(
    servers.filter(({ id, paused, term }) => id !== own.leader && !paused && term >= own.term),
  );
  if (!leader) return null;
  const coming = messages.filter(
    ({ kind, from, to, term, lost, held }) =>
      from === leader.id &&
      to === server &&
      term === leader.term &&
      !lost &&
      !held &&
      ['append', 'heartbeat'].includes(kind),
  );
  return { leader: leader.id, hearsAt: Math.min(...coming.map(({ arrives }) => arrives)) };
}

/**
 * What would let a server win: the leader hands over, if there is one that it reaches; else the
 * clocks of some voters go forward, so that they no longer ignore campaigns.
 * @param {Pick<Source, 'frame'>} source @param {number} server
 * @param {{ electionTimeoutMin: number, needed: number, views: Map<number, InspectorView>, reached:
 * number[],
 * refusals: Map<Refusal, number[]>, granting: number[], patient: number[] }} known
 * @returns {{ words: string, actions: Action[] } | null}
 */
function letWin({ frame }, server, { electionTimeoutMin, needed, views, reached, refusals, granting, patient }) {
  const leader = newestLeader(frame.servers.filter(({ paused }) => !paused));
  if (leader && reached.includes(leader.id)) {
    const able = reached.filter((id) => !refusals.get('stalled')?.includes(id));
    if (able.length + 1 < needed) return null;
    return {
      words: words.byTransfer(leader.id),
      actions: [{ do: 'transfer-leadership', server }],
    };
  }
  if (granting.length + patient.length + 1 < needed) return null;
  // Those with the most time left until they time out themselves, as far as their arcs show it.
  const slack = (/** @type {number} */ id) =>
    frame.servers[id - 1].timer * electionTimeoutMin - (views.get(id)?.ignoresCampaigns ?? 0);
  const chosen = [...granting, ...patient].sort((a, b) => slack(b) - slack(a)).slice(0, needed - 1);
  const forward = [server, ...chosen].filter((id) => (views.get(id)?.ignoresCampaigns ?? 0) > 0);
  const by = (/** @type {number} */ id) => Math.ceil(views.get(id)?.ignoresCampaigns ?? 0) + 1;
  return {
    words: words.byClocks(forward),
    actions: [
      ...forward.map((id) => /** @type {Action} */ ({ do: 'jump-clock', server: id, by: by(id) })),
      { do: 'campaign', server },
    ],
  };
}
