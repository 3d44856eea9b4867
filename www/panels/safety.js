// @ts-check
// Safety: a lamp for every property that is checked, the verdict on the clients' history, and the
// panel that says what they mean.

/** @typedef {import('../run/model.js').Claim['state']} ClaimState */
/** @typedef {ViolationView & { branch: number, state?: ClaimState }} Known */
/** @typedef {import('../../web/view.d.ts').VerdictView} VerdictView */
/** @typedef {import('../../web/view.d.ts').ViolationView} ViolationView */
/** @typedef {import('../run/model.js').Model} Model */

import { byId, make, setAttribute, setText } from '../kit/dom.js';
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

  /** @param {typeof import('../pkg/raft_web.js').Run} Run @param {Actions} actions */
  constructor(Run, actions) {
    this.#actions = actions;
    const list = make('ul', { class: 'properties' });
    for (const name of Run.properties().split('\n')) {
      const [words, source] = safety.properties[name] ?? ['', ''];
      const title = safety.lampTitle(name, words, source);
      const tabindex = this.#lamps.size ? -1 : 0;
      const lamp = make('button', { class: 'lamp', title, tabindex, onclick: () => this.open(name) });
      const sign = make('i', { class: 'lamp', 'aria-hidden': 'true' });
      const says = [make('b', {}, name), make('span', {}, words), make('cite', {}, source)];
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

  /** @param {Model} model */
  reset(model) {
    this.#judged = -1;
    this.#judgedIn = 0;
    this.#known = null;
    this.#shown = '';
    const names = model.without.split(',');
    const those = rules.filter(([name]) => names.includes(name));
    const item = (/** @type {typeof rules[number]} */ [name, prevents, source]) =>
      make('li', {}, make('b', {}, strings.ruleName(name)), ` ${strings.withoutRule(prevents, source)}`);
    const off = those.length ? [make('h3', {}, safety.rulesOff), make('ul', {}, ...those.map(item))] : [];
    this.#rules.replaceChildren(...off);
  }

  /** @param {Model} model @param {boolean} playing */
  update(model, playing) {
    const { violation, branch, end, operationsRevision } = model.frame;
    if (violation) this.#known = { ...violation, branch };
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
    const goThere = make('button', { onclick: () => this.#actions.goTo(known.time) }, strings.goThere);
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
