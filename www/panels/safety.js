// @ts-check
// Safety: a lamp for every property that is checked, the verdict on the clients' history, and the
// panel that says what they mean.

/** @typedef {import('../run/model.js').Claim['state']} ClaimState */
/** @typedef {import('../run/scenario.js').Found} Found */
/** @typedef {Found & { about?: number[], branch: number, state?: ClaimState }} Known */
/** @typedef {import('../../web/view.d.ts').VerdictView} VerdictView */
/** @typedef {import('../run/model.js').Model} Model */

import { sources, withTerm } from '../kit/explained.js';
import { byId, make, setAttribute, setText } from '../kit/dom.js';
import { aboutOf } from '../run/about.js';
import { harm, properties } from '../pkg/tables.js';
import { roveFocus } from '../kit/roving-focus.js';
import { rules } from '../run/rules.js';
import * as strings from '../words/strings.js';

const { safety } = strings;
/** While the run plays, the part of the time that judging the clients' history may take. */
const SHARE = 1 / 500;

/**
 * @typedef {object} Actions
 * @property {() => void} open shows the panel
 * @property {(time: number) => void} goTo
 */

export class Safety {
  #actions;
  #panel = byId('safety', HTMLElement);
  #lampBox = byId('lamps', HTMLElement);
  /** By property. @type {Map<string, { lamp: HTMLButtonElement, line: HTMLElement }>} */ #lamps = new Map();
  #verdictBox = make('p', { class: 'verdict' });
  #violation = make('div', { class: 'violation', tabindex: -1, hidden: true });
  /** The properties that this run looks at. @type {string[]} */ #looked = [];

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
  /** Who leads where it is broken, 0 if nobody does. */
  #leader = 0;

  /** @param {Actions} actions */
  constructor(actions) {
    this.#actions = actions;
    const list = make('ul', { class: 'properties' });
    for (const name of properties) {
      const [words, source] = safety.properties[name] ?? ['', ''];
      const title = safety.lampTitle(name, words, source);
      const tabindex = this.#lamps.size ? -1 : 0;
      const lamp = make('button', { class: 'lamp', title, tabindex, onclick: () => this.open(name) });
      const sign = make('i', { class: 'lamp', 'aria-hidden': 'true' });
      const says = [make('b', {}, name), make('span', {}, words), make('cite', {}, ...sources(source))];
      const line = make('li', { tabindex: -1 }, sign, ...says);
      this.#lamps.set(name, { lamp, line });
      this.#lampBox.append(lamp);
      list.append(line);
    }
    roveFocus(this.#lampBox);
    byId('verdict', HTMLButtonElement).addEventListener('click', () => this.open());
    this.#panel.append(this.#verdictBox, this.#violation, this.#rules, make('h3', {}, safety.title), list);
  }

  /** Shows the panel, scrolled to a property. @param {string} [property] */
  open(property) {
    this.#actions.open();
    const line = property && this.#lamps.get(property)?.line;
    if (line) line.focus();
    else this.#panel.scrollTo(0, 0);
  }

  /** Shows the panel, with what is known to be broken in this run. */
  explain() {
    this.#actions.open();
    this.#panel.scrollTo(0, 0);
    this.#violation.focus({ preventScroll: true });
  }

  /** @param {Model} model */
  reset(model) {
    this.#looked = model.run.onlyHarm ? harm : properties;
    this.#judged = -1;
    this.#judgedIn = 0;
    this.#known = null;
    this.#shown = '';
    const names = model.without.split(',');
    const those = rules.filter(([name]) => names.includes(name));
    const item = (/** @type {typeof rules[number]} */ [name, prevents, source]) =>
      make(
        'li',
        {},
        make('b', {}, strings.ruleName(name)),
        ` ${strings.withoutRule(prevents)} `,
        make('cite', {}, ...sources(source)),
      );
    /** @type {HTMLElement[]} */
    const off = those.length ? [make('h3', {}, safety.rulesOff), make('ul', {}, ...those.map(item))] : [];
    if (model.run.onlyHarm) off.push(make('p', { class: 'hint' }, safety.onlyHarm));
    this.#rules.replaceChildren(...off);
  }

  /** @param {Model} model @param {boolean} playing */
  update(model, playing) {
    const { violation, branch, end, operationsRevision } = model.frame;
    if (violation) {
      this.#known = { ...violation, branch };
      const leaders = model.frame.servers.filter(({ role }) => role === 'leader');
      this.#leader = leaders.sort((a, b) => b.term - a.term)[0]?.id ?? 0;
    }
    // On another branch it doesn't happen.
    else if (this.#known && (this.#known.branch !== branch || end < this.#known.time)) this.#known = null;
    if (!this.#known && model.claim?.branch === branch) this.#known = model.claim;
    const { claimed } = model;
    const here = Boolean(violation ?? claimed);
    const broken = violation ?? (claimed?.state === 'refuted' ? null : claimed);
    const clock = performance.now();
    if (operationsRevision !== this.#judged && !(playing && clock - this.#judgedAt < this.#judgedIn / SHARE)) {
      this.#verdict = model.verdict() ?? this.#verdict;
      this.#judged = operationsRevision;
      this.#judgedAt = clock;
      this.#judgedIn = performance.now() - clock;
    }
    const { state, answers, first } = this.#verdict;
    const known = this.#known;
    const shown = `${state} ${answers} ${first} ${known?.property} ${known?.time} ${known?.state} ${here ? 'here' : ''}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#show(model.without ? model.without.split(',').length : 0, broken?.property ?? '', here);
  }

  /**
   * @param {number} off how many rules are off
   * @param {string} broken what is broken here
   * @param {boolean} here whether this is the moment of what is known
   */
  #show(off, broken, here) {
    for (const [name, { lamp, line }] of this.#lamps) {
      const looked = this.#looked.includes(name) || name === broken;
      setAttribute(lamp, 'aria-label', looked ? safety.lampLabel(name, name === broken) : safety.passedOver(name));
      for (const node of [lamp, line]) {
        node.classList.toggle('broken', name === broken);
        node.classList.toggle('passed-over', !looked);
      }
    }
    setText(byId('safety-words', HTMLElement), safety.words(this.#lamps.size, broken, off, this.#looked.length));
    const verdict = byId('verdict', HTMLButtonElement);
    setText(verdict, safety.verdict[this.#verdict.state]);
    setAttribute(verdict, 'class', this.#verdict.state);
    this.#verdictBox.replaceChildren(...withTerm(safety.verdictWords(this.#verdict), 'linearizable'));
    const known = this.#known;
    this.#violation.hidden = !known;
    if (!known) return;
    const goThere = make('button', { onclick: () => this.#actions.goTo(known.time) }, strings.goThere);
    const { state } = known;
    const sure = state !== '' && state !== 'refuted';
    const [words, source] = safety.others[known.property] ?? safety.properties[known.property] ?? [];
    const means = make('p', { class: 'means' });
    const facts = [make('p', {}, `${known.first},`), make('p', {}, safety.but(known.second))];
    this.#violation.replaceChildren(
      make('h3', {}, sure ? safety.violated(known) : strings.claim.title(known)),
      ...(known.first ? facts : []),
      ...(state ? [make('p', {}, strings.claim[state])] : []),
      ...(sure ? [means] : []),
      ...(words ? [make('p', {}, `${safety.inGeneral(words)} `, make('cite', {}, ...sources(source)))] : []),
      ...(here ? [] : [goThere]),
    );
    if (sure) this.#sayWhatItMeans(known, means);
  }

  /**
   * Says what it means for the servers and entries of this violation.
   * @param {Known} known @param {HTMLElement} box
   */
  async #sayWhatItMeans(known, box) {
    const { meanings } = await import('../words/meanings.js');
    setText(box, meanings[known.property]?.({ ...aboutOf(known), leader: this.#leader }) ?? '');
  }
}
