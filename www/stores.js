// @ts-check
// Every server's store side by side: keys down, servers across. A value that differs from the store that is
// furthest ahead is marked as not there yet.

/** @typedef {import('./model.js').Model} Model */

import { byId, make } from './dom.js';
import * as strings from './strings.js';

/** More keys than anyone reads; the rest is counted. */
const MOST_KEYS = 100;

export class Stores {
  #box = byId('stores', HTMLElement);
  #revision = -1;

  reset() {
    this.#revision = -1;
    this.#box.replaceChildren();
  }

  /** Costs something with many keys: only where it can be seen. @param {Model} model */
  update(model) {
    const { logsRevision, servers } = model.frame;
    if (this.#box.hidden || logsRevision === this.#revision) return;
    this.#revision = logsRevision;
    // A crashed server has no store.
    const byServer = new Map(model.stores().map(({ server, pairs }) => [server, new Map(pairs)]));
    const stores = servers.map(({ id }) => byServer.get(id));
    const keys = [...new Set([...byServer.values()].flatMap((store) => [...store.keys()]))].sort();
    if (keys.length === 0) {
      this.#box.replaceChildren(make('p', { class: 'empty' }, strings.storesEmpty));
      return;
    }
    const furthest = servers.reduce((best, s, i) => (s.lastApplied > servers[best].lastApplied ? i : best), 0);
    const head = make('tr', {}, make('th', { scope: 'col' }, strings.key));
    for (const { id, role } of servers) {
      head.append(make('th', { scope: 'col', class: role === 'crashed' ? 'down' : '' }, `S${id}`));
    }
    const rows = keys.slice(0, MOST_KEYS).map((key) => {
      const row = make('tr', {}, make('th', { scope: 'row', title: key }, key));
      for (const store of stores) {
        const value = store?.get(key);
        const behind = store !== undefined && value !== stores[furthest]?.get(key);
        const names = `${value === undefined ? 'absent' : ''}${behind ? ' behind' : ''}`;
        row.append(make('td', { class: names.trim(), title: value ?? '' }, value ?? strings.absent));
      }
      return row;
    });
    const table = make('table', {}, make('thead', {}, head), make('tbody', {}, ...rows));
    this.#box.replaceChildren(table);
    if (keys.length > MOST_KEYS) this.#box.append(make('p', { class: 'empty' }, strings.moreKeys(keys.length - MOST_KEYS)));
  }
}
