// @ts-check
// What can be done by hand to a server, a link, a message, and the cluster: the contents of their
// menus.

/** @typedef {import('./menu.js').Content} Content */
/** @typedef {import('./menu.js').Item} Item */
/** @typedef {import('./model.js').Model} Model */
/** @typedef {import('../web/view.d.ts').MessageView} MessageView */

import * as strings from './strings.js';

const { faults } = strings;

/** A slow link adds this much, a lossy one loses this much, by hand. */
export const SLOW_LINK = 50_000;
export const LOSSY_LINK = 300_000;
/** A slow disk's writes, in microseconds. */
const SLOW_DISK = /** @type {const} */ ([40_000, 80_000]);

/** @param {string} words @param {() => void} act @param {Partial<Item>} [more] @returns {Item} */
const item = (words, act, more = {}) => ({ words, act, ...more });

/**
 * @param {Model} model @param {number} id
 * @param {(id: number) => void} inspect
 * @returns {Content}
 */
export function serverMenu(model, id, inspect) {
  const server = model.frame.servers[id - 1];
  const down = server.role === 'crashed';
  /** @param {(run: import('./pkg/raft_web.js').Run) => void} action */
  const act = (action) => () => void model.act(action);
  const groups = [];
  groups.push({
    items: down
      ? [
          item(
            faults.restart,
            act((run) => run.restart(id)),
            { key: String(id) },
          ),
        ]
      : [
          item(
            faults.crash,
            act((run) => run.crash(id)),
            { key: String(id) },
          ),
          item(
            faults.wipe,
            act((run) => run.wipe(id)),
          ),
          server.paused
            ? item(
                faults.resume,
                act((run) => run.resume(id)),
              )
            : item(
                faults.pause,
                act((run) => run.pause(id)),
              ),
        ],
  });
  if (!down) {
    groups.push({
      items: [
        item(
          faults.campaign,
          act((run) => run.campaign(id)),
          { disabled: server.role === 'leader' || server.paused },
        ),
        item(
          faults.transfer,
          act((run) => run.transferLeadership(id)),
          { disabled: server.role === 'leader' },
        ),
      ],
    });
  }
  const rate = (/** @type {string} */ words, /** @type {number} */ value) =>
    item(
      words,
      act((run) => run.setClockRate(id, value)),
      { kind: 'radio', checked: server.clockRate === value },
    );
  groups.push({ name: faults.clock, items: faults.clockRates.map(([words, value]) => rate(words, value)) });
  groups.push({
    name: faults.jump,
    items: faults.jumps.map(([words, micros]) =>
      item(
        words,
        act((run) => run.jumpClock(id, micros)),
      ),
    ),
  });
  groups.push({
    name: faults.disk,
    items: [
      item(
        faults.diskNormal,
        act((run) => mendDisk(model, run, id)),
        { kind: 'radio', checked: server.disk === 'normal' },
      ),
      item(
        faults.diskSlow,
        act((run) => {
          mendDisk(model, run, id);
          run.setFsync(id, ...SLOW_DISK);
        }),
        { kind: 'radio', checked: server.disk === 'slow' },
      ),
      item(
        faults.diskStalled,
        act((run) => {
          if (server.disk === 'full') run.fillDisk(id, false);
          run.stallDisk(id, true);
        }),
        { kind: 'radio', checked: server.disk === 'stalled' },
      ),
      item(
        faults.diskFull,
        act((run) => {
          if (server.disk === 'stalled') run.stallDisk(id, false);
          run.fillDisk(id, true);
        }),
        { kind: 'radio', checked: server.disk === 'full' },
      ),
    ],
  });
  groups.push({
    items: [
      item(
        faults.isolate,
        act((run) => run.isolate(id)),
      ),
      item(
        faults.rejoin,
        act((run) => rejoin(model, run, id)),
        { disabled: !touched(model, id) },
      ),
      item(
        faults.add,
        act((run) => run.addServer()),
      ),
      item(
        faults.remove,
        act((run) => run.removeServer(id)),
        { disabled: !server.member },
      ),
      item(faults.inspect, () => inspect(id)),
    ],
  });
  return { title: strings.serverTitle(server), groups };
}

/** @param {Model} model @param {import('./pkg/raft_web.js').Run} run @param {number} id */
function mendDisk(model, run, id) {
  const { disk } = model.frame.servers[id - 1];
  const { fsyncMin, fsyncMax } = run.dials();
  if (disk === 'stalled') run.stallDisk(id, false);
  else if (disk === 'full') run.fillDisk(id, false);
  run.setFsync(id, fsyncMin, fsyncMax);
}

/**
 * Whether a link of this server is cut or worse than others.
 * @param {Model} model
 * @param {number} id
 */
function touched(model, id) {
  const { cuts, impaired } = model.frame;
  return [...cuts, ...impaired].some(([from, to]) => from === id || to === id);
}

/** @param {Model} model @param {import('./pkg/raft_web.js').Run} run @param {number} id */
function rejoin({ frame }, run, id) {
  const links = new Set(
    [...frame.cuts, ...frame.impaired]
      .filter(([from, to]) => from === id || to === id)
      .map(([from, to]) => `${from} ${to}`),
  );
  for (const link of links) {
    const [from, to] = link.split(' ').map(Number);
    run.heal(from, to);
  }
}

/** @param {Model} model @param {number} a @param {number} b @returns {Content} */
export function linkMenu(model, a, b) {
  const { impaired } = model.frame;
  const whole = model.isCut(a, b) && model.isCut(b, a);
  const sound =
    !model.isCut(a, b) &&
    !model.isCut(b, a) &&
    ![
      [a, b],
      [b, a],
    ].some(([from, to]) => worse(impaired, from, to));
  const both = [];
  if (!whole)
    both.push(
      item(faults.cutBoth, () =>
        model.cutLinks([
          [a, b],
          [b, a],
        ]),
      ),
    );
  if (!sound) both.push(item(faults.healBoth, () => model.act((run) => [run.heal(a, b), run.heal(b, a)])));
  return { title: strings.linkName(a, b), groups: [{ items: both }, direction(model, a, b), direction(model, b, a)] };
}

/** @param {[number, number, number, number][]} impaired @param {number} from @param {number} to */
const worse = (impaired, from, to) => impaired.find(([f, t]) => f === from && t === to);

/** @param {Model} model @param {number} from @param {number} to */
function direction(model, from, to) {
  const [, , delay = 0, loss = 0] = worse(model.frame.impaired, from, to) ?? [];
  /** @param {string} words @param {boolean} checked @param {() => void} act */
  const choice = (words, checked, act) => item(words, act, { kind: 'checkbox', checked });
  return {
    name: strings.direction(from, to),
    items: [
      choice(faults.cut, model.isCut(from, to), () => model.toggleDirection(from, to)),
      choice(faults.slow, delay > 0, () => model.act((run) => run.impair(from, to, delay ? 0 : SLOW_LINK, loss))),
      choice(faults.lossy, loss > 0, () => model.act((run) => run.impair(from, to, delay, loss ? 0 : LOSSY_LINK))),
    ],
  };
}

/** @param {Model} model @param {MessageView} message @returns {Content} */
export function messageMenu(model, message) {
  const { id, held, lost } = message;
  const gone = lost > 0;
  return {
    title: strings.messageName(message),
    facts: [...model.messageFacts(id), ...strings.messageTimes(message)],
    groups: [
      {
        items: [
          item(faults.drop, () => void model.act((run) => run.dropMessage(id)), { disabled: gone }),
          item(faults.hold, () => void model.act((run) => run.holdMessage(id)), { disabled: gone || held > 0 }),
          item(faults.duplicate, () => void model.act((run) => run.duplicateMessage(id))),
          item(faults.deliver, () => void model.act((run) => run.deliverMessage(id)), { disabled: gone }),
        ],
      },
    ],
  };
}

/**
 * What can be done to all at once.
 * @param {Model} model
 * @param {() => void} openNetwork
 * @returns {Content}
 */
export function clusterMenu(model, openNetwork) {
  const { cuts, impaired, servers } = model.frame;
  return {
    title: strings.text.cluster,
    groups: [
      {
        items: [
          item(strings.healAll, () => model.healAll(), { key: 'H', disabled: cuts.length + impaired.length === 0 }),
          item(faults.restartAll, () => void model.act((run) => run.restartAll()), {
            disabled: servers.every((s) => s.role !== 'crashed'),
          }),
          item(faults.resumeAll, () => void model.act((run) => run.resumeAll()), {
            disabled: !servers.some((s) => s.paused),
          }),
          item(faults.add, () => void model.act((run) => run.addServer())),
          item(faults.partition, openNetwork, { key: 'P' }),
        ],
      },
    ],
  };
}
