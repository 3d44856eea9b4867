// @ts-check
// The panel about one server: the state of Raft's Figure 2 with what each word means, what the
// server knows of its peers while it leads, and the sessions and keys of its store.

/** @typedef {import('../../web/view.d.ts').InspectorView} InspectorView */
/** @typedef {import('../../web/view.d.ts').ServerView} ServerView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('./panel.js').Page} Page */

import { make, setAttribute, setLines, setText } from '../kit/dom.js';
import { withTerms } from '../kit/explained.js';
import { frameTime } from '../kit/frame-time.js';
import * as common from '../words/common.js';
import * as strings from '../words/panels.js';
import * as serverWords from '../words/server.js';

const { inspector } = serverWords;
/** While the run plays, the panel is renewed this often, in ms. */
const EVERY = 150;
/** The most keys that are shown. */
const MOST_KEYS = 200;

/** @param {Page} page */
export const panel = (page) => new Inspector(page);

class Inspector {
  #choice = make('div', { class: 'choices', role: 'radiogroup', 'aria-label': inspector.which });
  #facts = make('dl', { class: 'state' });
  #peers = new Table(inspector.peers, inspector.peerColumns);
  #sessions = new Table(inspector.sessions, inspector.sessionColumns);
  #store = new Table(inspector.store, inspector.storeColumns);
  #body = make('div', { class: 'inspected' }, this.#facts, this.#peers.box, this.#sessions.box, this.#store.box);
  dom = make('div', { tabindex: 0 }, this.#choice, this.#body);
  #state;
  /** @type {Source | null} */ #source = null;
  #shown = '';
  #drawn = 0;
  #offered = '';

  /** @param {Page} page */
  constructor({ state }) {
    this.#state = state;
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#shown = this.#offered = '';
  }

  /** @param {Frame} frame @param {boolean} playing */
  update({ servers, events, now }, playing) {
    const state = this.#state;
    if (state.server > servers.length) state.server = 1;
    const offered = `${servers.length} ${state.server}`;
    if (this.#offered !== offered) this.#offer(servers.length);
    this.#offered = offered;
    const clock = performance.now();
    const wanted = `${state.server} ${events} ${now}`;
    const early = playing && clock - this.#drawn < EVERY && this.#body.dataset.server === String(state.server);
    if (wanted === this.#shown || early || !frameTime.has(this)) return;
    this.#shown = wanted;
    this.#drawn = clock;
    const view = this.#source?.inspect(state.server);
    if (view) this.#fill(servers[state.server - 1], view);
  }

  /** @param {number} servers */
  #offer(servers) {
    this.#choice.replaceChildren(
      ...Array.from({ length: servers }, (_, i) => {
        const id = i + 1;
        const choose = () => this.#state.set({ server: id });
        const input = make('input', { type: 'radio', name: 'inspected', value: id, onchange: choose });
        input.checked = id === this.#state.server;
        return make('label', {}, input, make('span', {}, `S${id}`));
      }),
    );
  }

  /** @param {ServerView} server @param {InspectorView} view */
  #fill(server, view) {
    /** @type {[string, string, string][]} */
    const rows = inspector.state(server, view);
    const line = (/** @type {string} */ name) =>
      make('div', {}, make('dt', {}, ...withTerms(name)), make('dd', {}, make('b'), make('small')));
    // A line stays, and the focus in it, while its value changes.
    setLines(
      this.#facts,
      rows.map(([name]) => [name, () => line(name)]),
    );
    rows.forEach(([, value, meaning], i) => {
      const [shown, means] = this.#facts.children[i].children[1].children;
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
      return [String(id), common.clientName(client), last, told, String(lastUsed)];
    };
    this.#sessions.show(view.sessions.map(session));
    const pairs = this.#source?.stores().find((store) => store.server === view.id)?.pairs ?? [];
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
