// @ts-check
// What can be done by hand to a server, a link, a message, and the cluster: the contents of their
// menus. An action that the library has (raft-core/src/sim/action.rs) needs an item here, with its
// words in strings.js, and nothing else.

/** @typedef {import('../kit/menu.js').Content} Content */
/** @typedef {import('../kit/menu.js').Item} Item */
/** @typedef {import('../run/source.js').Acting} Acting */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('../pkg/tables.js').Action} Action */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').MessageView} MessageView */

import { cutSet } from './cuts.js';
import { whyNot } from '../run/source.js';
import * as strings from '../words/strings.js';

const { faults } = strings;

/** What the menu's “slow” adds to a link's delay, and the share that its “lossy” loses. */
const SLOW_LINK = 50_000;
const LOSSY_LINK = 300_000;
/** A slow disk's writes, in microseconds. */
const SLOW_DISK = { min: 40_000, max: 80_000 };

/** @param {string} words @param {() => void} act @param {Partial<Item>} [more] @returns {Item} */
const item = (words, act, more = {}) => ({ words, act, ...more });

/**
 * An action; or several, which depend on how things are when the item is chosen.
 * @typedef {Action | (() => Action[])} Done
 */

/**
 * An item that does something to the run.
 * @param {Acting} acting @param {string} words @param {Done} done @param {Partial<Item>} [more]
 */
const doing = (acting, words, done, more) =>
  item(words, () => acting.act(...(typeof done === 'function' ? done() : [done])), more);

/**
 * @param {Source} source @param {number} server
 * @param {(id: number) => void} inspect
 * @returns {Content}
 */
export function serverMenu(source, server, inspect) {
  const { acting, frame } = source;
  const view = frame.servers[server - 1];
  const title = strings.serverTitle(view);
  const look = item(faults.inspect, () => inspect(server));
  if (!acting) return { title, note: whyNot(source, 'acting'), groups: [{ items: [look] }] };
  const { paused, member, clockRate, disk } = view;
  const down = view.role === 'crashed';
  const leads = view.role === 'leader';
  /** @param {string} words @param {Done} done @param {Partial<Item>} [more] */
  const act = (words, done, more) => doing(acting, words, done, more);
  /** One of several. @param {string} words @param {boolean} checked @param {Done} done */
  const choice = (words, checked, done) => act(words, done, { kind: 'radio', checked });
  const key = String(server);
  const groups = [];
  groups.push({
    items: down
      ? [act(faults.restart, { do: 'restart', server }, { key })]
      : [
          act(faults.crash, { do: 'crash', server }, { key }),
          act(faults.wipe, { do: 'wipe', server }),
          paused ? act(faults.resume, { do: 'resume', server }) : act(faults.pause, { do: 'pause', server }),
        ],
  });
  if (!down) {
    groups.push({
      items: [
        act(faults.campaign, { do: 'campaign', server }, { disabled: leads || paused }),
        act(faults.transfer, { do: 'transfer-leadership', server }, { disabled: leads }),
      ],
    });
  }
  groups.push({
    name: faults.clock,
    items: faults.clockRates.map(([words, rate]) =>
      choice(words, clockRate === rate, { do: 'set-clock-rate', server, rate }),
    ),
  });
  groups.push({
    name: faults.jump,
    items: faults.jumps.map(([words, by]) => act(words, { do: 'jump-clock', server, by })),
  });
  groups.push({
    name: faults.disk,
    items: [
      choice(faults.diskNormal, disk === 'normal', () => mendDisk(source, server)),
      choice(faults.diskSlow, disk === 'slow', () => [
        ...mendDisk(source, server),
        { do: 'set-fsync', server, ...SLOW_DISK },
      ]),
      choice(faults.diskStalled, disk === 'stalled', () => [
        ...freeDisk(source, server, 'full'),
        { do: 'stall-disk', server, stalled: true },
      ]),
      choice(faults.diskFull, disk === 'full', () => [
        ...freeDisk(source, server, 'stalled'),
        { do: 'fill-disk', server, full: true },
      ]),
    ],
  });
  const heal = () => troubledLinks(frame, server).map(([from, to]) => /** @type {Action} */ ({ do: 'heal', from, to }));
  groups.push({
    items: [
      act(faults.isolate, { do: 'isolate', server }),
      act(faults.rejoin, heal, { disabled: heal().length === 0 }),
      act(faults.add, { do: 'add-server' }),
      act(faults.remove, { do: 'remove-server', server }, { disabled: !member }),
      look,
    ],
  });
  return { title, groups };
}

/**
 * Ends a server's disk being stalled, or full, if it is.
 * @param {Source} source @param {number} server @param {'stalled' | 'full'} trouble
 * @returns {Action[]}
 */
function freeDisk(source, server, trouble) {
  if (source.frame.servers[server - 1].disk !== trouble) return [];
  return trouble === 'full'
    ? [{ do: 'fill-disk', server, full: false }]
    : [{ do: 'stall-disk', server, stalled: false }];
}

/**
 * Makes a server's disk as it was at the beginning.
 * @param {Source} source @param {number} server @returns {Action[]}
 */
function mendDisk(source, server) {
  const { fsyncMin: min = 0, fsyncMax: max = 0 } = source.dials() ?? {};
  return [
    ...freeDisk(source, server, 'stalled'),
    ...freeDisk(source, server, 'full'),
    { do: 'set-fsync', server, min, max },
  ];
}

/**
 * The links from and to a server that are cut or worse than others, each once.
 * @param {Frame} frame
 * @param {number} server
 */
function troubledLinks(frame, server) {
  const links = [...frame.cuts, ...frame.impaired].filter(([from, to]) => from === server || to === server);
  return [...new Map(links.map(([from, to]) => [`${from} ${to}`, [from, to]])).values()];
}

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
  const title = strings.messageName(view);
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
 * What can be done to all at once.
 * @param {Source} source
 * @param {() => void} openNetwork
 * @returns {Content}
 */
export function clusterMenu(source, openNetwork) {
  const { acting } = source;
  const title = strings.text.cluster;
  if (!acting) return { title, note: whyNot(source, 'acting'), groups: [] };
  const { cuts, impaired, servers } = source.frame;
  const healed = cuts.length + impaired.length === 0;
  const noneCrashed = servers.every((server) => server.role !== 'crashed');
  const nonePaused = !servers.some((server) => server.paused);
  const items = [
    item(strings.healAll, () => acting.healAll(), { key: 'H', disabled: healed }),
    doing(acting, faults.restartAll, { do: 'restart-all' }, { disabled: noneCrashed }),
    doing(acting, faults.resumeAll, { do: 'resume-all' }, { disabled: nonePaused }),
    doing(acting, faults.add, { do: 'add-server' }),
    item(faults.partition, openNetwork, { key: 'P' }),
  ];
  return { title, groups: [{ items }] };
}
