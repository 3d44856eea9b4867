// @ts-check
// The panel of stores: a row for each key, a column for each server. A value that differs from the
// one in the store that is furthest ahead is marked as not there yet.

/** @typedef {import('../../web/view.d.ts').ServerView} ServerView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */

import { make, setLines, setText } from '../kit/dom.js';
import { frameTime } from '../kit/frame-time.js';
import * as strings from '../words/panels.js';
import * as storesWords from '../words/stores.js';

/** The most keys that are shown; the rest is counted. */
const MOST_KEYS = 100;

export const panel = () => new Stores();

class Stores {
  #head = make('thead');
  #body = make('tbody');
  #table = make('table', {}, this.#head, this.#body);
  #note = make('p', { class: 'empty' });
  dom = make('div', { tabindex: 0 }, this.#table, this.#note);
  /** @type {Source | null} */ #source = null;
  #revision = -1;

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#revision = -1;
    for (const part of [this.#head, this.#body, this.#note]) part.replaceChildren();
  }

  /** @param {Frame} frame */
  update({ logsRevision, servers }) {
    if (!this.#source || logsRevision === this.#revision || !frameTime.has(this)) return;
    this.#revision = logsRevision;
    // A crashed server has no store.
    const byServer = new Map(this.#source.stores().map(({ server, pairs }) => [server, new Map(pairs)]));
    const stores = servers.map(({ id }) => byServer.get(id));
    const keys = [...new Set([...byServer.values()].flatMap((store) => [...store.keys()]))].sort();
    const more = keys.length - MOST_KEYS;
    this.#table.hidden = keys.length === 0;
    this.#note.hidden = keys.length > 0 && more <= 0;
    setText(this.#note, more > 0 ? storesWords.moreKeys(more) : storesWords.storesEmpty);
    setLines(this.#head, [[servers.map(({ role }) => role === 'crashed').join(), () => heading(servers)]]);
    const furthest = stores[servers.reduce((best, s, i) => (s.lastApplied > servers[best].lastApplied ? i : best), 0)];
    const rows = keys.slice(0, MOST_KEYS).map((key) => {
      const values = stores.map((store) => store?.get(key));
      const behind = stores.map((store, i) => store !== undefined && values[i] !== furthest?.get(key));
      return /** @type {[string, () => HTMLElement]} */ ([
        JSON.stringify([key, values, behind]),
        () => row(key, values, behind),
      ]);
    });
    setLines(this.#body, rows);
  }
}

/** @param {ServerView[]} servers */
function heading(servers) {
  const names = servers.map(({ id, role }) =>
    make('th', { scope: 'col', class: role === 'crashed' ? 'down' : '' }, `S${id}`),
  );
  return make('tr', {}, make('th', { scope: 'col' }, strings.key), ...names);
}

/** @param {string} key @param {(string | undefined)[]} values @param {boolean[]} behind */
function row(key, values, behind) {
  const cells = values.map((value, i) => {
    const names = [value === undefined && 'absent', behind[i] && 'behind'].filter(Boolean);
    return make('td', { class: names.join(' '), title: value ?? '' }, value ?? strings.absent);
  });
  return make('tr', {}, make('th', { scope: 'row', title: key }, key), ...cells);
}
