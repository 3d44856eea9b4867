// @ts-check
// Safety: a lamp for every property that is checked, the verdict on the clients' history, and the
// panel that says what they mean.

/** @typedef {import('../run/model.js').Claim['state']} ClaimState */
/** @typedef {ViolationView & { branch: number, state?: ClaimState }} Known */
/** @typedef {import('../../web/view.d.ts').VerdictView} VerdictView */
/** @typedef {import('../../web/view.d.ts').ViolationView} ViolationView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('./panel.js').Page} Page */

import { byId, make, setAttribute, setText } from '../kit/dom.js';
import { roveFocus } from '../kit/roving-focus.js';
import { rules } from '../run/rules.js';
import * as strings from '../words/strings.js';

const { safety } = strings;
/** While the run plays, the part of the time that judging the clients' history may take. */
const SHARE = 1 / 500;

/** @param {Page} page */
export const panel = (page) => new Safety(page);

class Safety {
  #page;
  /** @type {Source | null} */ #source = null;
  #lampBox = byId('lamps', HTMLElement);
  /** By property. @type {Map<string, { lamp: HTMLButtonElement, line: HTMLElement }>} */ #lamps = new Map();
  #verdictBox = make('p', { class: 'verdict' });
  #violation = make('div', { class: 'violation', hidden: true });
  #rules = make('div', { class: 'rules-off' });
  /** @type {VerdictView} */ #verdict = { state: 'linearizable', answers: 0, first: '', second: '' };
  #judged = -1;
  #judgedAt = 0;
  #judgedIn = 0;
  /**
   * The violation that ends this branch, if one was seen, or what a link says was found in it.
   * @type {Known | null}
   */
  #known = null;
  #shown = '';

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
    const list = make('ul', { class: 'properties' });
    for (const name of page.properties) {
      const [words, source] = safety.properties[name] ?? ['', ''];
      const title = safety.lampTitle(name, words, source);
      const tabindex = this.#lamps.size ? -1 : 0;
      const lamp = make('button', { class: 'lamp', title, tabindex, onclick: () => this.#open(name) });
      const sign = make('i', { class: 'lamp', 'aria-hidden': 'true' });
      const says = [make('b', {}, name), make('span', {}, words), make('cite', {}, source)];
      const line = make('li', { tabindex: -1 }, sign, ...says);
      this.#lamps.set(name, { lamp, line });
      this.#lampBox.append(lamp);
      list.append(line);
    }
    roveFocus(this.#lampBox);
    byId('verdict', HTMLButtonElement).addEventListener('click', () => this.#open());
    const title = make('h3', {}, safety.title);
    this.dom = make('div', { tabindex: 0 }, this.#verdictBox, this.#violation, this.#rules, title, list);
  }

  /** Shows the panel, with the focus on a property. @param {string} [property] */
  #open(property = '') {
    this.#page.state.explained = property;
    this.#page.show('safety');
    if (!property) this.dom.scrollTo(0, 0);
  }

  /** @param {Source} source */
  reset(source) {
    this.#source = source;
    this.#judged = -1;
    this.#judgedIn = 0;
    this.#known = null;
    this.#shown = '';
    const names = source.without.split(',');
    const those = rules.filter(([name]) => names.includes(name));
    const item = (/** @type {typeof rules[number]} */ [name, prevents, source]) =>
      make('li', {}, make('b', {}, strings.ruleName(name)), ` ${strings.withoutRule(prevents, source)}`);
    const off = those.length ? [make('h3', {}, safety.rulesOff), make('ul', {}, ...those.map(item))] : [];
    this.#rules.replaceChildren(...off);
  }

  update() {
    const { state } = this.#page;
    const line = this.#lamps.get(state.explained)?.line;
    state.explained = '';
    line?.focus();
  }

  /** @param {Frame} frame @param {boolean} playing */
  watch({ violation, branch, end, operationsRevision }, playing) {
    const source = this.#source;
    if (!source) return;
    if (violation) this.#known = { ...violation, branch };
    // On another branch it doesn't happen.
    else if (this.#known && (this.#known.branch !== branch || end < this.#known.time)) this.#known = null;
    if (!this.#known && source.claim?.branch === branch) this.#known = source.claim;
    const { claimed } = source;
    const here = Boolean(violation ?? claimed);
    const broken = violation ?? (claimed?.state === 'refuted' ? null : claimed);
    const clock = performance.now();
    if (operationsRevision !== this.#judged && !(playing && clock - this.#judgedAt < this.#judgedIn / SHARE)) {
      this.#verdict = source.verdict() ?? this.#verdict;
      this.#judged = operationsRevision;
      this.#judgedAt = clock;
      this.#judgedIn = performance.now() - clock;
    }
    const { state, answers, first } = this.#verdict;
    const known = this.#known;
    const shown = `${state} ${answers} ${first} ${known?.property} ${known?.time} ${known?.state} ${here ? 'here' : ''}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#show(source.without ? source.without.split(',').length : 0, broken?.property ?? '', here);
  }

  /**
   * @param {number} off how many rules are off
   * @param {string} broken what is broken here
   * @param {boolean} here whether this is the moment of what is known
   */
  #show(off, broken, here) {
    for (const [name, { lamp, line }] of this.#lamps) {
      setAttribute(lamp, 'aria-label', safety.lampLabel(name, name === broken));
      for (const node of [lamp, line]) node.classList.toggle('broken', name === broken);
    }
    setText(byId('safety-words', HTMLElement), safety.words(this.#lamps.size, broken, off));
    const verdict = byId('verdict', HTMLButtonElement);
    setText(verdict, safety.verdict[this.#verdict.state]);
    setAttribute(verdict, 'class', this.#verdict.state);
    setText(this.#verdictBox, safety.verdictWords(this.#verdict));
    const known = this.#known;
    this.#violation.hidden = !known;
    if (!known) return;
    const goThere = make('button', { onclick: () => this.#page.goTo(known.time) }, strings.goThere);
    const { state } = known;
    const sure = state !== '' && state !== 'refuted';
    const [words, source] = safety.others[known.property] ?? [];
    const facts = [make('p', {}, `${known.first},`), make('p', {}, safety.but(known.second))];
    this.#violation.replaceChildren(
      make('h3', {}, sure ? safety.violated(known) : strings.claim.title(known)),
      ...(known.first ? facts : []),
      ...(state ? [make('p', {}, strings.claim[state])] : []),
      ...(words ? [make('p', {}, `${words} `, make('cite', {}, source))] : []),
      ...(here ? [] : [goThere]),
    );
  }
}
