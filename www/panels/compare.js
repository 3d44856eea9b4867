// @ts-check
// Compares two branches at the same moment: every server's state in both, and its log from where
// the two logs differ.

/** @typedef {import('../../web/view.d.ts').EntryView} EntryView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../../web/view.d.ts').LogView} LogView */
/** @typedef {import('../../web/view.d.ts').ServerView} ServerView */

/** A moment of a branch. @typedef {{ name: string, frame: Frame, logs: LogView[] }} Side */

import { make } from '../kit/dom.js';
import { termVariable } from '../draw/palette.js';
import * as common from '../words/common.js';
import * as compareWords from '../words/compare.js';

const { compare } = compareWords;
/** Entries shown of each log, from the first that differs. */
const SHOWN = 4;

/**
 * From which index on the logs are to be read, so that `count` entries reach the end of each.
 * @param {Frame} one @param {Frame} other @param {number} count
 */
export function firstOf(one, other, count) {
  const lasts = [...one.servers, ...other.servers].map(({ lastIndex }) => lastIndex);
  return Math.max(1, Math.max(...lasts) - count + 1);
}

/**
 * The index of the first entry that two logs don't have in common; past both ends if there is none.
 * @param {LogView} one @param {LogView} other
 */
export function firstDifference(one, other) {
  const end = Math.max(one.lastIndex, other.lastIndex);
  // What one of them has compacted can't be read any more. It was committed, so it is the same.
  for (let index = Math.max(one.first, other.first); index <= end; index++) {
    const [a, b] = [one, other].map(({ entries, first }) => entries[index - first]);
    if (!a || !b || a.term !== b.term || a.kind !== b.kind || a.text !== b.text) return index;
  }
  return end + 1;
}

/** @param {Side} one the branch being played @param {Side} other */
export function comparison(one, other) {
  const ids = [...new Set([...one.frame.servers, ...other.frame.servers].map(({ id }) => id))];
  const head = make('tr', {}, ...compare.columns.map((words) => make('th', { scope: 'col' }, words)));
  const table = make('table', { class: 'comparison' }, make('thead', {}, head));
  let differing = 0;
  for (const id of ids) {
    const [a, b] = [one, other].map((side) => factsOf(side, id));
    const logs = [one, other].map((side) => side.logs.find(({ server }) => server === id));
    const differsFrom = logs[0] && logs[1] ? firstDifference(logs[0], logs[1]) : 1;
    const different = a.map((fact, i) => fact !== b[i]);
    const parted = [a, b].some((facts) => Number(facts[3]) >= differsFrom);
    if (parted || different.some(Boolean)) differing++;
    const row = (/** @type {string[]} */ facts, /** @type {number} */ i) => {
      const log = logs[i];
      return [
        make('th', { scope: 'row', class: 'of' }, [one, other][i].name),
        ...facts.map((fact, j) => make('td', { class: different[j] ? 'differs' : 'same' }, fact)),
        make(
          'td',
          { class: 'entries' },
          ...(parted && log ? entriesFrom(log, differsFrom) : i ? [] : [compare.sameLog]),
        ),
      ];
    };
    table.append(
      make(
        'tbody',
        {},
        make('tr', {}, make('th', { scope: 'rowgroup', rowspan: 2 }, `S${id}`), ...row(a, 0)),
        make('tr', {}, ...row(b, 1)),
      ),
    );
  }
  return { table, differing, of: ids.length };
}

/** Role, term, commit index, last index. @param {Side} side @param {number} id */
function factsOf({ frame }, id) {
  const server = frame.servers.find((one) => one.id === id);
  if (!server) return [compare.absent, '', '', ''];
  return [common.stateWords(server), String(server.term), String(server.commitIndex), String(server.lastIndex)];
}

/** @param {LogView} log @param {number} from */
function entriesFrom({ entries, first, lastIndex }, from) {
  const shown = entries.slice(from - first, from - first + SHOWN);
  const more = lastIndex - (from + shown.length - 1);
  return [
    ...shown.map(({ term, text }, i) => {
      const chip = make('span', { class: 'chip-entry' }, make('b', {}, `${from + i}@${term}`), ` ${text}`);
      chip.style.setProperty('--hue', `var(${termVariable(term)})`);
      return chip;
    }),
    ...(shown.length === 0 ? [compare.nothing] : more > 0 ? [compare.more(more)] : []),
  ];
}
