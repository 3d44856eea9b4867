// @ts-check
// The panel of logs, aligned by index, one row for each server. Only the columns in sight are in
// the document. The panel follows the end of the logs until somebody scrolls away from it.

/** @typedef {import('../../web/view.d.ts').LogView} LogView */
/** @typedef {import('../../web/view.d.ts').EntryView} EntryView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/page-state.js').PageState} PageState */
/** @typedef {import('../run/source.js').Source} Source */

import { newestLeader } from '../run/leader.js';
import { byId, make, setAttribute, setText } from '../kit/dom.js';
import { aboutOf } from '../run/about.js';
import { isShown } from '../run/page-state.js';
import { termVariable } from '../draw/palette.js';
import { frameTime } from '../kit/frame-time.js';
import * as common from '../words/common.js';
import * as strings from '../words/panels.js';

/** Empty columns after the last entry, in which the mark of the next index has its place. */
const SPARE = 1;

/** @typedef {{ box: HTMLElement, term: HTMLElement, words: HTMLElement, shown: string }} Cell */
/**
 * @typedef {object} Row
 * @property {HTMLElement} box
 * @property {HTMLElement} role
 * @property {Cell[]} cells
 * @property {HTMLElement} snapshot
 * @property {HTMLElement} snapshotWords
 * @property {HTMLElement} applied
 * @property {HTMLElement} match
 * @property {HTMLElement} next
 */

export class Logs {
  #scroll = make('div', { class: 'log-scroll', tabindex: 0, role: 'group', 'aria-label': common.text.logs });
  #table = make('div', { class: 'log-table', role: 'table', 'aria-label': common.text.logs });
  #head = make('div', { class: 'log-row log-head', role: 'row' });
  #toEnd = make('button', { class: 'to-end', hidden: true, title: strings.followEnd }, strings.toEnd);
  #empty = make('p', { class: 'empty' }, strings.logsEmpty);
  #state;
  #filter = byId('members-only', HTMLLabelElement);
  #membersOnly = /** @type {HTMLInputElement} */ (this.#filter.control);
  /** @type {HTMLElement[]} */ #numbers = [];
  /** @type {Row[]} */ #rows = [];
  /** @type {Source | null} */ #source = null;
  #revision = -1;
  #window = '';
  #last = 0;
  /** How much of the content is in sight, in px, and from where on. */ #width = 0;
  #from = 0;
  #following = true;
  #tableWidth = '';
  /** The violation that it has been scrolled to, and what that is about. */ #pointedAt = '';
  #about = aboutOf();
  #cellWidth = 72;
  #nameWidth = 84;

  /** @param {PageState} state */
  constructor(state) {
    this.#state = state;
    this.#membersOnly.addEventListener('change', () => state.set({ membersOnly: this.#membersOnly.checked }));
    this.#scroll.append(this.#table);
    byId('logs', HTMLElement).append(this.#scroll, this.#empty, this.#toEnd);
    this.#scroll.addEventListener('scroll', () => {
      this.#from = this.#scroll.scrollLeft;
      // A wider window scrolls them, too, before it is said how wide it is.
      const { clientWidth, scrollWidth } = this.#scroll;
      if (clientWidth !== this.#width) return;
      this.#following = this.#from + clientWidth > scrollWidth - this.#cellWidth;
      this.#toEnd.hidden = this.#following;
      this.#render();
    });
    this.#toEnd.addEventListener('click', () => {
      this.#following = true;
      this.#toTheEnd();
      this.#scroll.focus();
    });
    // It says the size at first, too: to ask for it would make the browser lay out the page at
    // once.
    new ResizeObserver(() => {
      this.#measure();
      this.#widen();
      this.#render();
    }).observe(this.#scroll);
    // The table is another width by now, so that scrolling needs no layout of its own.
    new ResizeObserver(() => this.#following && this.#toTheEnd()).observe(this.#table);
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#begin(source.frame);
  }

  /** @param {Frame} frame */
  #begin({ servers }) {
    this.#revision = -1;
    this.#window = '';
    this.#pointedAt = '';
    this.#about = aboutOf();
    this.#table.classList.remove('pointing');
    this.#last = 0;
    this.#following = true;
    this.#numbers = [];
    this.#rows = servers.map(({ id }) => makeRow(id));
    this.#head.replaceChildren(
      make('span', { class: 'log-name', role: 'columnheader' }, make('span', { class: 'unseen' }, common.server)),
    );
    this.#table.replaceChildren(this.#head, ...this.#rows.map((row) => row.box));
  }

  /** @param {Frame} frame */
  update(frame) {
    const { logsRevision, servers } = frame;
    // A server has joined.
    if (servers.length !== this.#rows.length) this.#begin(frame);
    this.#showMembers(frame);
    servers.forEach((server, i) => {
      setText(this.#rows[i].role, common.roleWord(server));
      this.#rows[i].box.classList.toggle('down', server.role === 'crashed');
      this.#rows[i].box.classList.toggle('leads', server.role === 'leader');
    });
    const { violation } = frame;
    const pointed = violation ? `${violation.property} ${violation.time}` : '';
    if (logsRevision === this.#revision && pointed === this.#pointedAt) return;
    if (!pointed && !frameTime.has(this)) return;
    this.#revision = logsRevision;
    this.#last = Math.max(0, ...servers.map((s) => Math.max(s.lastIndex, s.snapshotIndex)));
    this.#empty.hidden = this.#last > 0;
    setAttribute(this.#table, 'aria-colcount', String(this.#last + 1));
    this.#window = '';
    if (this.#width === 0) return;
    this.#widen();
    if (pointed !== this.#pointedAt) this.#pointAt(pointed, violation);
    this.#render();
  }

  /**
   * Marks what a violation is about, and scrolls to it.
   * @param {string} name @param {import('../../web/view.d.ts').ViolationView | null} violation
   */
  #pointAt(name, violation) {
    this.#pointedAt = name;
    this.#about = aboutOf(violation);
    const { servers, entries } = this.#about;
    this.#table.classList.toggle('pointing', servers.length + entries.length > 0);
    this.#rows.forEach(({ box }, i) => box.classList.toggle('accused', servers.includes(i + 1)));
    if (!entries.length) return;
    const [first, last] = [Math.min(...entries), Math.min(this.#last, Math.max(...entries))];
    const middle = ((first + last - 1) / 2) * this.#cellWidth;
    this.#scroll.scrollLeft = middle - (this.#width - this.#nameWidth) / 2;
    this.#from = this.#scroll.scrollLeft;
    const [row] = this.#rows.filter((_, i) => servers.includes(i + 1));
    // Only the logs are scrolled, not what they stand in.
    if (row) this.#scroll.scrollTop = Math.max(0, row.box.offsetTop - this.#head.offsetHeight);
  }

  /** Whether a violation is about this entry. @param {number} server @param {number} index */
  #isAccused(server, index) {
    const { servers, entries } = this.#about;
    return entries.includes(index) && (servers.length < 2 || servers.includes(server));
  }

  /**
   * The switch that hides who isn't a member; it is there only while there are such.
   * @param {Frame} frame
   */
  #showMembers(frame) {
    const others = frame.servers.filter((server) => !isShown(server)).map(({ id }) => id);
    const some = others.length > 0 && others.length < frame.servers.length;
    this.#filter.hidden = !some;
    if (some) setText(/** @type {Node} */ (this.#filter.lastElementChild), strings.hideServers(others));
    this.#membersOnly.checked = this.#state.membersOnly;
    const shown = this.#state.serversShown(frame);
    this.#rows.forEach(({ box }, i) => (box.hidden = !shown.includes(i + 1)));
  }

  #measure() {
    const style = getComputedStyle(this.#table);
    this.#width = this.#scroll.clientWidth;
    this.#cellWidth = parseFloat(style.getPropertyValue('--cell')) || 72;
    this.#nameWidth = parseFloat(style.getPropertyValue('--name')) || 84;
    this.#window = '';
  }

  /**
   * Makes the scrolled content as wide as the logs, rounded so that whole columns are shown at its
   * end.
   */
  #widen() {
    const whole = this.#nameWidth + (this.#last + SPARE) * this.#cellWidth;
    const hidden = Math.max(0, Math.ceil((whole - this.#width) / this.#cellWidth));
    const width = `${this.#width + hidden * this.#cellWidth}px`;
    if (this.#tableWidth === width) return;
    this.#table.style.width = this.#tableWidth = width;
    // It will be scrolled there.
    if (this.#following) this.#from = hidden * this.#cellWidth;
  }

  #toTheEnd() {
    this.#scroll.scrollLeft = this.#scroll.scrollWidth;
    this.#from = this.#scroll.scrollLeft;
  }

  #render() {
    if (!this.#source) return;
    const first = Math.max(1, Math.floor(this.#from / this.#cellWidth) + 1);
    const count = Math.ceil((this.#width - this.#nameWidth) / this.#cellWidth) + 2;
    const span = `${first}+${count}`;
    if (span === this.#window) return;
    this.#window = span;
    const logs = this.#source.logs(first, count);
    this.#drawNumbers(first, count);
    const leader = newestLeader(this.#source.frame.servers);
    const reference = leader && logs[leader.id - 1];
    for (const log of logs) this.#drawRow(this.#rows[log.server - 1], log, first, count, logs, reference);
  }

  /** @param {number} index */
  #left(index) {
    return `${this.#nameWidth + (index - 1) * this.#cellWidth}px`;
  }

  /** @param {number} first @param {number} count */
  #drawNumbers(first, count) {
    while (this.#numbers.length < count) {
      const number = make('span', { class: 'log-index', role: 'columnheader' });
      this.#numbers.push(number);
      this.#head.append(number);
    }
    this.#numbers.forEach((number, slot) => {
      const index = indexIn(slot, first, this.#numbers.length);
      number.hidden = index > this.#last || index >= first + count;
      setText(number, String(index));
      number.classList.toggle('accused', this.#about.entries.includes(index));
      setAttribute(number, 'aria-colindex', String(index + 1));
      number.style.left = this.#left(index);
    });
  }

  /**
   * @param {Row} row
   * @param {LogView} log
   * @param {number} first
   * @param {number} count
   * @param {LogView[]} logs
   * @param {LogView | undefined} reference
   */
  #drawRow(row, log, first, count, logs, reference) {
    while (row.cells.length < count) row.cells.push(makeCell(row.box));
    row.cells.forEach((cell, slot) => {
      const index = indexIn(slot, first, row.cells.length);
      const entry = entryAt(log, index);
      if (entry) this.#drawCell(cell, log, index, entry, inConflict(entry, index, logs, reference));
      else if (this.#isAccused(log.server, index) && index > log.lastIndex) this.#drawLack(cell, index);
      else if (cell.shown !== '') {
        cell.shown = '';
        cell.box.hidden = true;
      }
    });
    const covered = log.snapshotIndex > 0;
    row.snapshot.hidden = !covered;
    if (covered) {
      row.snapshot.style.left = this.#left(1);
      row.snapshot.style.width = `${log.snapshotIndex * this.#cellWidth - 4}px`;
      setText(
        row.snapshotWords,
        log.snapshotIndex > 1 ? `${strings.snapshot} ≤ ${log.snapshotIndex}` : strings.snapshot,
      );
      row.snapshot.title = strings.snapshotUpTo(log.snapshotIndex, log.snapshotTerm);
    }
    row.applied.style.width = `${Math.max(0, log.lastApplied * this.#cellWidth - 4)}px`;
    row.applied.style.left = this.#left(1);
    this.#drawMark(row.match, log.matchIndex);
    this.#drawMark(row.next, log.nextIndex);
  }

  /** @param {HTMLElement} mark @param {number} index */
  #drawMark(mark, index) {
    mark.hidden = index < 1;
    mark.style.left = this.#left(Math.max(1, index));
  }

  /**
   * An entry that a violation is about, and that this log lacks.
   * @param {Cell} cell
   * @param {number} index
   */
  #drawLack(cell, index) {
    const shown = `${index} lacks`;
    if (cell.shown === shown) return;
    cell.shown = shown;
    cell.box.hidden = false;
    cell.box.className = 'entry lack accused';
    cell.box.style.left = this.#left(index);
    setText(cell.term, '');
    setText(cell.words, strings.lacks);
    cell.box.title = strings.lacksTitle(index);
    setAttribute(cell.box, 'aria-colindex', String(index + 1));
  }

  /**
   * @param {Cell} cell
   * @param {LogView} log
   * @param {number} index
   * @param {EntryView} entry
   * @param {boolean} conflict
   */
  #drawCell(cell, log, index, entry, conflict) {
    const committed = index <= log.commitIndex;
    const applied = index <= log.lastApplied;
    const durable = index <= log.durableIndex;
    const accused = this.#isAccused(log.server, index);
    const shown = `${index}@${entry.term} ${entry.text} ${committed}${applied}${durable}${conflict}${accused}`;
    if (cell.shown === shown) return;
    cell.shown = shown;
    cell.box.hidden = false;
    cell.box.className = `entry ${entry.kind}${committed ? ' committed' : ''}${conflict ? ' conflict' : ''}${durable ? '' : ' volatile'}${accused ? ' accused' : ''}`;
    cell.box.style.left = this.#left(index);
    cell.box.style.setProperty('--hue', `var(${termVariable(entry.term)})`);
    setText(cell.term, String(entry.term));
    setText(cell.words, shorten(entry.text));
    cell.box.title = strings.entryTitle(index, entry.term, entry.text, committed, applied);
    setAttribute(cell.box, 'aria-colindex', String(index + 1));
  }
}

/**
 * The index that a reused cell shows. It stays the same while the cell is in sight.
 * @param {number} slot @param {number} first @param {number} size
 */
function indexIn(slot, first, size) {
  return first + ((((slot - first) % size) + size) % size);
}

/** @param {LogView} log @param {number} index @returns {EntryView | undefined} */
const entryAt = (log, index) => log.entries[index - log.first];

/**
 * Whether an entry differs from the leader's at the same index or, without a leader, from anyone's.
 * @param {EntryView} entry
 * @param {number} index
 * @param {LogView[]} logs
 * @param {LogView | undefined} reference
 */
function inConflict(entry, index, logs, reference) {
  const against = reference ? [reference] : logs;
  return against.some((log) => {
    const other = entryAt(log, index);
    return other !== undefined && other.term !== entry.term;
  });
}

/** Shortens a command to fit a cell: `put x 1` is `x=1`. @param {string} words */
export function shorten(words) {
  const [verb, key, ...rest] = words.split(' ');
  if (verb === 'put' && rest.length) return `${key}=${rest.join(' ')}`;
  if (verb === 'delete') return `del ${key}`;
  if (verb === 'cas' && rest.length === 2) return `${key}:${rest[0]}→${rest[1]}`;
  if (verb === 'session') return verb;
  return words;
}

/** @param {number} id @returns {Row} */
function makeRow(id) {
  const role = make('small');
  const snapshotWords = make('span');
  const snapshot = make('span', { class: 'snapshot', role: 'cell', hidden: true }, snapshotWords);
  const applied = make('i', { class: 'applied', 'aria-hidden': 'true' });
  const match = make('i', { class: 'mark match', 'aria-hidden': 'true', hidden: true });
  const next = make('i', { class: 'mark next', 'aria-hidden': 'true', hidden: true });
  const name = make('span', { class: 'log-name', role: 'rowheader' }, make('b', {}, `S${id}`), role);
  const box = make('div', { class: 'log-row', role: 'row', 'data-log': id }, name, snapshot, applied, match, next);
  return { box, role, cells: [], snapshot, snapshotWords, applied, match, next };
}

/** @param {HTMLElement} row @returns {Cell} */
function makeCell(row) {
  const term = make('b');
  const words = make('span');
  const box = make('span', { class: 'entry', role: 'cell', hidden: true }, term, words);
  row.append(box);
  return { box, term, words, shown: '' };
}
