// @ts-check
// What can be done by hand to a server: the contents of its menu. The five things that people do
// most are in view; the rest is folded away in sections.

/** @typedef {import('../kit/menu.js').Content} Content */
/** @typedef {import('../kit/menu.js').Group} Group */
/** @typedef {import('../kit/menu.js').Item} Item */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('../pkg/tables.js').Action} Action */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('./faults.js').Done} Done */

import { adding, doing, item } from './faults.js';
import { forecastElection } from './election-forecast.js';
import { hearingOf } from './cuts.js';
import { whyNot } from '../run/source.js';
import { faults } from '../words/faults.js';
import * as strings from '../words/stage.js';

/** A slow disk's writes, in microseconds. */
const SLOW_DISK = { min: 40_000, max: 80_000 };

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
  /** @param {string} words @param {Done} done @param {Partial<Item>} [more] */
  const act = (words, done, more) => doing(acting, words, done, more);
  /** One of several. @param {string} words @param {boolean} checked @param {Done} done */
  const choice = (words, checked, done) => act(words, done, { kind: 'radio', checked });
  const key = String(server);

  const { muted, deaf } = hearingOf(frame, server);
  const troubled = troubledLinks(frame, server);
  const heal = () => troubled.map(([from, to]) => /** @type {Action} */ ({ do: 'heal', from, to }));
  const rejoin = act(faults.rejoin, heal, { disabled: troubled.length === 0 });
  const isolated = muted && deaf;
  const often = [
    down
      ? act(faults.restart, { do: 'restart', server }, { key })
      : act(faults.crash, { do: 'crash', server }, { key }),
    paused
      ? act(faults.resume, { do: 'resume', server })
      : act(faults.pause, { do: 'pause', server }, { disabled: down }),
    ...(down ? [] : campaigns(source, server, act)),
    isolated ? rejoin : act(faults.isolate, { do: 'isolate', server }),
    look,
  ];

  /** @type {Group[]} */
  const diskGroups = [
    {
      items: [
        act(faults.tear, { do: 'tear-write', server }, { disabled: down, hint: faults.tearHint }),
        act(faults.failWrite, { do: 'fail-write', server }, { disabled: down, hint: faults.failWriteHint }),
        act(faults.rot, { do: 'rot', server }, { hint: faults.rotHint }),
        act(faults.wipe, { do: 'wipe', server }, { hint: faults.wipeHint(server, frame.servers.length + 1) }),
        act(faults.renew, { do: 'renew-disk', server }, { hint: faults.renewHint }),
      ],
      hint: faults.diskHint,
    },
    {
      name: faults.speed,
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
    },
  ];
  /** @type {Group[]} */
  const clockGroups = [
    {
      name: faults.rate,
      items: faults.clockRates.map(([words, rate]) =>
        choice(words, clockRate === rate, { do: 'set-clock-rate', server, rate }),
      ),
    },
    {
      name: faults.jump,
      hint: faults.jumpHint,
      items: faults.jumps.map(([words, by]) => act(words, { do: 'jump-clock', server, by })),
    },
    {
      name: faults.shift,
      hint: faults.shiftHint,
      items: faults.jumps.map(([words, by]) =>
        act(faults.shifted(words), { do: 'shift-clock', server, by }, { disabled: paused }),
      ),
    },
  ];
  const others = frame.servers.map(({ id }) => id).filter((id) => id !== server);
  /**
   * One direction of all its links is cut, or all of them are healed in that direction.
   * @param {string} words @param {boolean} checked @param {'mute' | 'deafen'} cut
   * @param {(other: number) => Action} healed @param {string} hint
   */
  const hearing = (words, checked, cut, healed, hint) =>
    act(words, checked ? () => others.map(healed) : { do: cut, server }, {
      kind: 'checkbox',
      checked,
      hint,
      disabled: others.length === 0,
    });
  /** @type {Group[]} */
  const linkGroups = [
    {
      items: [
        hearing(faults.mute, muted, 'mute', (to) => ({ do: 'heal', from: server, to }), faults.muteHint),
        hearing(faults.deafen, deaf, 'deafen', (from) => ({ do: 'heal', from, to: server }), faults.deafenHint),
        act(faults.isolateTogether, { do: 'isolate-with-newcomers', server }, { hint: faults.isolateTogetherHint }),
        ...(isolated ? [] : [rejoin]),
        act(faults.readAt, { do: 'read-at', server }, { hint: faults.readAtHint }),
        act(faults.readAnywhere, { do: 'read-anywhere' }, { hint: faults.readAnywhereHint }),
      ],
    },
  ];
  /** @type {Group[]} */
  const memberGroups = [
    {
      items: [
        act(
          faults.transfer,
          { do: 'transfer-leadership', server },
          { disabled: down || view.role === 'leader', hint: faults.transferHint },
        ),
        act(faults.add, { do: 'add-server' }, adding(source.frame.servers)),
        act(faults.addLearner, { do: 'add-learner' }, adding(source.frame.servers, faults.addLearnerHint)),
        act(faults.remove, { do: 'remove-server', server }, { disabled: !member }),
        act(faults.addBack, { do: 'add-back', server }, { disabled: member, hint: faults.addBackHint }),
      ],
    },
  ];
  const { electionTimeoutMin = 0, electionTimeoutMax = 0 } = source.dials() ?? {};
  // In the order of `Run.settings` (web/src/settings.rs); the usual ones have both.
  const [, , , asks, checks] = (source.repeating?.settings ?? '').split(',');
  /** @type {Group[]} */
  const configGroups = [
    {
      hint: faults.configHint,
      items: faults.ownTimings.map(([words, { preVote = asks !== '0', checkQuorum = checks !== '0', times = 1 }]) =>
        act(words, {
          do: 'configure',
          server,
          pre_vote: preVote,
          check_quorum: checkQuorum,
          min: electionTimeoutMin * times,
          max: electionTimeoutMax * times,
        }),
      ),
    },
  ];
  /** @type {[string, Group[]][]} */
  const sections = [
    [faults.disk, diskGroups],
    [faults.clock, clockGroups],
    [faults.links, linkGroups],
    [faults.membership, memberGroups],
    [faults.config, configGroups],
  ];
  return {
    title,
    groups: [
      { items: often },
      ...sections.flatMap(([section, groups]) => groups.map((group) => ({ ...group, section }))),
    ],
  };
}

/**
 * Timing out now, with what will come of it; and what lets the server win, if it wouldn't.
 * @param {Source} source @param {number} server
 * @param {(words: string, done: Done, more?: Partial<Item>) => Item} act
 * @returns {Item[]}
 */
function campaigns(source, server, act) {
  const { outcome, words, help } = forecastElection(source, server);
  const disabled = outcome === 'withheld';
  return [
    act(faults.campaign, { do: 'campaign', server }, { hint: words, disabled }),
    ...(help ? [act(faults.win, () => help.actions, { hint: help.words })] : []),
  ];
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
