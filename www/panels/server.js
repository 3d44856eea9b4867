// @ts-check
// The panel about one server: the state of Raft's Figure 2 with what each word means, what the
// server knows of its peers while it leads, and the sessions and keys of its store.

/** @typedef {import('../../web/view.d.ts').InspectorView} InspectorView */
/** @typedef {import('../../web/view.d.ts').ServerView} ServerView */
/** @typedef {import('../run/model.js').Model} Model */

import { byId, make, setAttribute, setLines, setText } from '../kit/dom.js';
import { withTerms } from '../kit/explained.js';
import { frameTime } from '../kit/frame-time.js';
import * as strings from '../words/strings.js';

const { inspector } = strings;
/** While the run plays, the panel is renewed this often, in ms. */
const EVERY = 150;
/** The most keys that are shown. */
const MOST_KEYS = 200;

export class Inspector {
  /** The server that is shown. */
  server = 1;

  #panel = byId('server', HTMLElement);
  #choice = make('div', { class: 'choices', role: 'radiogroup', 'aria-label': inspector.which });
  #state = make('dl', { class: 'state' });
  #peers = new Table(inspector.peers, inspector.peerColumns);
  #sessions = new Table(inspector.sessions, inspector.sessionColumns);
  #store = new Table(inspector.store, inspector.storeColumns);
  #body = make('div', { class: 'inspected' }, this.#state, this.#peers.box, this.#sessions.box, this.#store.box);
  #changed;
  #shown = '';
  #drawn = 0;
  #servers = 0;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
    this.#panel.append(this.#choice, this.#body);
  }

  reset() {
    this.#shown = '';
    this.#servers = 0;
  }

  /** @param {number} id */
  show(id) {
    this.server = id;
    this.#shown = '';
    this.#servers = 0;
    this.#changed();
  }

  /** @param {Model} model @param {boolean} playing */
  update(model, playing) {
    if (this.#panel.hidden) return;
    const { servers, events, now } = model.frame;
    if (this.server > servers.length) this.server = 1;
    if (this.#servers !== servers.length) this.#offer(servers.length);
    const clock = performance.now();
    const state = `${this.server} ${events} ${now}`;
    if (state === this.#shown || (playing && clock - this.#drawn < EVERY) || !frameTime.has(this)) return;
    this.#shown = state;
    this.#drawn = clock;
    const view = model.inspect(this.server);
    if (view) this.#fill(servers[this.server - 1], view, model);
  }

  /** @param {number} servers */
  #offer(servers) {
    this.#servers = servers;
    this.#choice.replaceChildren(
      ...Array.from({ length: servers }, (_, i) => {
        const id = i + 1;
        const input = make('input', { type: 'radio', name: 'inspected', value: id, onchange: () => this.show(id) });
        input.checked = id === this.server;
        return make('label', {}, input, make('span', {}, `S${id}`));
      }),
    );
  }

  /** @param {ServerView} server @param {InspectorView} view @param {Model} model */
  #fill(server, view, model) {
    /** @type {[string, string, string][]} */
    const rows = inspector.state(server, view);
    const line = (/** @type {string} */ name) =>
      make('div', {}, make('dt', {}, ...withTerms(name)), make('dd', {}, make('b'), make('small')));
    // A line stays, and the focus in it, while its value changes.
    setLines(
      this.#state,
      rows.map(([name]) => [name, () => line(name)]),
    );
    rows.forEach(([, value, meaning], i) => {
      const [shown, means] = this.#state.children[i].children[1].children;
      setText(shown, value);
      setText(means, meaning);
    });
    const peer = (/** @type {import('../../web/view.d.ts').PeerView} */ peer) => {
      const { id, matchIndex, nextIndex, heard } = peer;
      return [`S${id}`, String(matchIndex), String(nextIndex), inspector.peerState(peer), inspector.heard(heard)];
    };
    this.#peers.show(view.peers.map(peer));
    const session = (/** @type {import('../../web/view.d.ts').SessionView} */ session) => {
      const { id, client, serial, answer, lastUsed } = session;
      const [last, told] = [serial ? String(serial) : strings.absent, answer || strings.absent];
      return [String(id), strings.clientName(client), last, told, String(lastUsed)];
    };
    this.#sessions.show(view.sessions.map(session));
    const pairs = model.stores().find((store) => store.server === view.id)?.pairs ?? [];
    this.#store.show(pairs.slice(0, MOST_KEYS));
    setAttribute(this.#body, 'data-server', String(view.id));
  }
}

/** A table that is made anew only if a row has changed. */
class Table {
  #rows = make('tbody');
  box;

  /** @param {string} title @param {string[]} columns */
  constructor(title, columns) {
    const head = make('tr', {}, ...columns.map((name) => make('th', { scope: 'col' }, ...withTerms(name))));
    this.box = make(
      'table',
      { class: 'facts' },
      make('caption', {}, ...withTerms(title)),
      make('thead', {}, head),
      this.#rows,
    );
  }

  /** @param {string[][]} rows */
  show(rows) {
    this.box.hidden = rows.length === 0;
    const line = (/** @type {string[]} */ [first, ...rest]) =>
      make('tr', {}, make('th', { scope: 'row' }, first), ...rest.map((cell) => make('td', {}, cell)));
    setLines(
      this.#rows,
      rows.map((cells) => [JSON.stringify(cells), () => line(cells)]),
    );
  }
}
