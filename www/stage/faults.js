// @ts-check
// What can be done by hand to a link, a message, and the cluster: the contents of their menus;
// server-menu.js has a server's. An action that the library has (raft-core/src/sim/action.rs)
// needs an item in one of these, or a place in a dialog, and its words in words/faults.js;
// page-tests/faults.spec.js holds that each has one.

/** @typedef {import('../kit/menu.js').Content} Content */
/** @typedef {import('../kit/menu.js').Item} Item */
/** @typedef {import('../run/source.js').Acting} Acting */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('../pkg/tables.js').Action} Action */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */

import { cutSet } from './cuts.js';
import { mostServers } from '../pkg/tables.js';
import { whyNot } from '../run/source.js';
import { faults } from '../words/faults.js';
import * as common from '../words/common.js';
import * as strings from '../words/stage.js';

/** What the menu's “slow” adds to a link's delay, and the share that its “lossy” loses. */
const SLOW_LINK = 50_000;
const LOSSY_LINK = 300_000;

/** @param {string} words @param {() => void} act @param {Partial<Item>} [more] @returns {Item} */
export const item = (words, act, more = {}) => ({ words, act, ...more });

/**
 * An action; or several, which depend on how things are when the item is chosen.
 * @typedef {Action | (() => Action[])} Done
 */

/**
 * An item that does something to the run.
 * @param {Acting} acting @param {string} words @param {Done} done @param {Partial<Item>} [more]
 */
export const doing = (acting, words, done, more) =>
  item(words, () => acting.act(...(typeof done === 'function' ? done() : [done])), more);

/** @param {Source} source @param {number} a @param {number} b @returns {Content} */
export function linkMenu(source, a, b) {
  const { acting, frame } = source;
  const title = strings.linkName(a, b);
  if (!acting) return { title, note: whyNot(source, 'acting'), groups: [] };
  /** @type {[number, number][]} */
  const both = [
    [a, b],
    [b, a],
  ];
  const isCut = cutSet(frame.cuts);
  const cut = both.filter(([from, to]) => isCut(from, to));
  const impaired = both.some(([from, to]) => impairment(frame, from, to));
  const items = [];
  if (cut.length < 2) items.push(item(faults.cutBoth, () => acting.cutLinks(both)));
  if (cut.length || impaired) {
    items.push(doing(acting, faults.healBoth, () => both.map(([from, to]) => ({ do: 'heal', from, to }))));
  }
  return { title, groups: [{ items }, direction(acting, frame, a, b), direction(acting, frame, b, a)] };
}

/**
 * What makes one direction of a link worse.
 * @param {Frame} frame @param {number} from @param {number} to
 */
const impairment = (frame, from, to) => frame.impaired.find(([f, t]) => f === from && t === to);

/** @param {Acting} acting @param {Frame} frame @param {number} from @param {number} to */
function direction(acting, frame, from, to) {
  const [, , delay = 0, share = 0] = impairment(frame, from, to) ?? [];
  /** @param {string} words @param {boolean} checked @param {Action} action */
  const choice = (words, checked, action) => doing(acting, words, action, { kind: 'checkbox', checked });
  const checked = cutSet(frame.cuts)(from, to);
  return {
    name: strings.direction(from, to),
    items: [
      item(faults.cut, () => acting.toggleDirection(from, to), { kind: 'checkbox', checked }),
      choice(faults.slow, delay > 0, { do: 'impair', from, to, delay: delay ? 0 : SLOW_LINK, share }),
      choice(faults.lossy, share > 0, { do: 'impair', from, to, delay, share: share ? 0 : LOSSY_LINK }),
    ],
  };
}

/** @param {Source} source @param {MessageView} view @returns {Content} */
export function messageMenu(source, view) {
  const { acting } = source;
  const { id: message, held, lost } = view;
  const gone = lost > 0;
  const title = common.messageName(view);
  const facts = [...source.messageFacts(message), ...strings.messageTimes(view)];
  if (!acting) return { title, facts, note: whyNot(source, 'acting'), groups: [] };
  const items = [
    doing(acting, faults.drop, { do: 'drop-message', message }, { disabled: gone }),
    doing(acting, faults.hold, { do: 'hold-message', message }, { disabled: gone || held > 0 }),
    doing(acting, faults.duplicate, { do: 'duplicate-message', message }),
    doing(acting, faults.deliver, { do: 'deliver-message', message }, { disabled: gone }),
  ];
  return { title, facts, groups: [{ items }] };
}

/**
 * Whether one more server can be added, and why not.
 * @param {{ length: number }} servers those that there have been
 * @param {string} [hint] what it would do
 */
export const adding = ({ length }, hint = faults.addHint) =>
  length < mostServers ? { hint } : { disabled: true, hint: faults.noneAdded(mostServers) };

/**
 * What can be done to all at once.
 * @param {Source} source
 * @param {() => void} openNetwork
 * @returns {Content}
 */
export function clusterMenu(source, openNetwork) {
  const { acting } = source;
  const title = common.text.cluster;
  if (!acting) return { title, note: whyNot(source, 'acting'), groups: [] };
  const { cuts, impaired, servers } = source.frame;
  const healed = cuts.length + impaired.length === 0;
  const noneCrashed = servers.every((server) => server.role !== 'crashed');
  const nonePaused = !servers.some((server) => server.paused);
  const items = [
    item(common.healAll, () => acting.healAll(), { key: 'H', disabled: healed }),
    doing(acting, faults.restartAll, { do: 'restart-all' }, { disabled: noneCrashed }),
    doing(acting, faults.resumeAll, { do: 'resume-all' }, { disabled: nonePaused }),
    doing(acting, faults.add, { do: 'add-server' }, adding(servers)),
    item(faults.partition, openNetwork, { key: 'P' }),
  ];
  // An odd draw has all others crash. What it draws from is any number that isn't always the same.
  const draw = 2 * source.frame.events;
  const sound = healed && noneCrashed && nonePaused && servers.every(({ disk }) => disk === 'normal');
  const quorum = [
    doing(acting, faults.healQuorum, { do: 'heal-quorum', draw }, { disabled: sound }),
    doing(acting, faults.healQuorumAlone, { do: 'heal-quorum', draw: draw + 1 }),
  ];
  return {
    title,
    groups: [
      { items },
      { section: faults.quorum, hint: faults.healQuorumHint, items: quorum },
      {
        section: faults.membership,
        items: [doing(acting, faults.addLearner, { do: 'add-learner' }, { hint: faults.addLearnerHint })],
      },
      {
        section: faults.clientsReads,
        items: [doing(acting, faults.readAnywhere, { do: 'read-anywhere' }, { hint: faults.readAnywhereHint })],
      },
    ],
  };
}
