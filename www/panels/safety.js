// @ts-check
// Safety: a lamp for every property that is checked, the verdict on the clients' history, and the
// panel that says what they mean.

/** @typedef {import('../run/simulated-run.js').Claim['state']} ClaimState */
/**
 * @typedef {Omit<ViolationView, 'about'> & { about?: number[], branch: number, state?: ClaimState
 * }} Known
 */
/** @typedef {import('../lab/client.js').VerdictView} VerdictView */
/** @typedef {import('../../web/view.d.ts').ViolationView} ViolationView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('./panel.js').Page} Page */

import { sources, withTerm } from '../kit/explained.js';
import { byId, make, setAttribute, setText } from '../kit/dom.js';
import { aboutOf } from '../run/about.js';
import { harm, properties } from '../pkg/tables.js';
import { roveFocus } from '../kit/roving-focus.js';
import { rules } from '../run/rules.js';
import * as common from '../words/common.js';
import * as strings from '../words/panels.js';

const { safety } = strings;
/** The part of the time that judging the clients' history may take while the run plays. */
const SHARE = 1 / 20;
/**
 * How long nothing is judged after the page has begun, since the lab is large and others need the
 * browser then, and after a failure, in ms.
 */
const WAIT = { first: 2_500, failed: 10_000 };
/** Before anybody has asked for anything. @type {VerdictView} */
const NOTHING = { state: 'linearizable', answers: 0, first: '', second: '' };

/** Whether the page doesn't find itself what is said. @param {ClaimState} [state] */
const unsure = (state) => state === 'refuted' || state === 'asked';

/** @param {Page} page */
export const panel = (page) => new Safety(page);

class Safety {
  #page;
  /** @type {Source | null} */ #source = null;
  #lampBox = byId('lamps', HTMLElement);
  /** By property. @type {Map<string, { lamp: HTMLButtonElement, line: HTMLElement }>} */ #lamps = new Map();
  #verdictBox = make('p', { class: 'verdict' });
  #violation = make('div', { class: 'violation', tabindex: -1, hidden: true });
  /** The properties that this run looks at. @type {string[]} */ #looked = [];

  #rules = make('div', { class: 'rules-off' });
  /** What is known, or why nothing is. @type {VerdictView | 'asked' | Error} */
  #verdict = NOTHING;
  /** What it is about. */
  #judged = { revision: 0, branch: 0, now: 0 };
  /** Whether somebody is judging. */
  #asked = false;
  /** Nothing is judged before that. */
  #next = performance.now() + WAIT.first;
  #timer = 0;
  /**
   * The violation that ends this branch, if one was seen, or what a link says was found in it.
   * @type {Known | null}
   */
  #known = null;
  #shown = '';
  /** Who leads where it is broken, 0 if nobody does. */
  #leader = 0;

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
    const list = make('ul', { class: 'properties' });
    for (const name of properties) {
      const [words, source] = safety.guarantees.get(name) ?? ['', ''];
      const title = safety.lampTitle(name, words, source);
      const tabindex = this.#lamps.size ? -1 : 0;
      const lamp = make('button', { class: 'lamp', title, tabindex, onclick: () => this.#open(name) });
      const sign = make('i', { class: 'lamp', 'aria-hidden': 'true' });
      const says = [make('b', {}, name), make('span', {}, words), make('cite', {}, ...sources(source))];
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
    this.#verdict = NOTHING;
    this.#judged = { revision: 0, branch: source.frame.branch, now: 0 };
    this.#looked = source.onlyHarm ? harm : properties;
    this.#known = null;
    this.#shown = '';
    const names = source.without.split(',');
    const those = rules.filter(([name]) => names.includes(name));
    const item = (/** @type {typeof rules[number]} */ [name, prevents, source]) =>
      make(
        'li',
        {},
        make('b', {}, common.ruleName(name)),
        ` ${common.withoutRule(prevents)} `,
        make('cite', {}, ...sources(source)),
      );
    /** @type {HTMLElement[]} */
    const off = those.length ? [make('h3', {}, safety.rulesOff), make('ul', {}, ...those.map(item))] : [];
    if (source.onlyHarm) off.push(make('p', { class: 'hint' }, safety.onlyHarm));
    this.#rules.replaceChildren(...off);
  }

  update() {
    const { state } = this.#page;
    const asked = state.explained;
    state.explained = '';
    if (asked === 'violation') {
      this.dom.scrollTo(0, 0);
      this.#violation.focus({ preventScroll: true });
    } else this.#lamps.get(asked)?.line.focus();
  }

  /** @param {Frame} frame @param {boolean} playing */
  watch({ violation, branch, end, servers }, playing) {
    const source = this.#source;
    if (!source) return;
    if (violation) {
      this.#known = { ...violation, branch };
      const leaders = servers.filter(({ role }) => role === 'leader');
      this.#leader = leaders.sort((a, b) => b.term - a.term)[0]?.id ?? 0;
    }
    // On another branch it doesn't happen.
    else if (this.#known && (this.#known.branch !== branch || end < this.#known.time)) this.#known = null;
    if (!this.#known && source.claim?.branch === branch) this.#known = source.claim;
    const { claimed } = source;
    const here = Boolean(violation ?? claimed);
    const broken = violation ?? (claimed && unsure(claimed.state) ? null : claimed);
    this.#judge(source, playing);
    const known = this.#known;
    const verdict = JSON.stringify(this.#verdict instanceof Error ? this.#verdict.message : this.#verdict);
    const shown = `${verdict} ${known?.property} ${known?.time} ${known?.state} ${here ? 'here' : ''}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#show(source.without ? source.without.split(',').length : 0, broken?.property ?? '', here);
  }

  /**
   * Has it judged what clients have seen, if that is something else than what was judged last.
   * @param {Source} source @param {boolean} playing
   */
  async #judge(source, playing) {
    const { repeating } = source;
    // What can't be handed on can't be judged elsewhere.
    if (!repeating) return;
    const { branch, now, operationsRevision: revision } = source.frame;
    // What was judged happened elsewhere, or has not happened yet.
    const holds = this.#judged.branch === branch && this.#judged.now <= now;
    const known = holds && this.#judged.revision === revision;
    if (!holds || (!known && this.#verdict === NOTHING)) this.#verdict = 'asked';
    if (known || this.#asked || source.dead) return;
    const wait = this.#next - performance.now();
    if (wait > 0) {
      // While it plays, it is called again anyway.
      clearTimeout(this.#timer);
      if (!playing) this.#timer = setTimeout(this.#page.changed, wait);
      return;
    }
    this.#asked = true;
    const began = performance.now();
    /** @type {VerdictView | Error} */
    let verdict;
    try {
      verdict = await this.#page.lab.judge(repeating.bytes());
    } catch (error) {
      verdict = error instanceof Error ? error : new Error(String(error));
    }
    const ended = performance.now();
    this.#asked = false;
    if (verdict instanceof Error) this.#next = ended + WAIT.failed;
    else this.#next = playing ? ended + (ended - began) / SHARE : ended;
    const { frame } = source;
    // Meanwhile there may be another run, another branch, or an earlier moment.
    if (this.#source === source && frame.branch === branch && frame.now >= now) {
      this.#verdict = verdict;
      this.#judged = { revision, branch, now };
    }
    this.#page.changed();
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
    const is = this.#verdict;
    const state = is === 'asked' ? is : is instanceof Error ? 'unknown' : is.answers ? is.state : 'nothing';
    setText(verdict, safety.verdict[state]);
    setAttribute(verdict, 'class', state);
    const words = is === 'asked' ? safety.judging : is instanceof Error ? safety.notJudged(is.message) : null;
    const said = words ?? safety.verdictWords(/** @type {VerdictView} */ (is));
    this.#verdictBox.replaceChildren(...withTerm(said, 'linearizable'));
    const known = this.#known;
    this.#violation.hidden = !known;
    if (!known) return;
    const goThere = make('button', { onclick: () => this.#page.goTo(known.time) }, common.goThere);
    const { state: claim } = known;
    const sure = claim !== '' && !unsure(claim);
    const means = make('p', { class: 'means' });
    const [what, source] = safety.guarantees.get(known.property) ?? ['', ''];
    const facts = [make('p', {}, `${known.first},`), make('p', {}, safety.but(known.second))];
    this.#violation.replaceChildren(
      make('h3', {}, sure ? safety.violated(known) : common.claim.title(known)),
      ...(known.first ? facts : []),
      ...(claim ? [make('p', {}, common.claim[claim])] : []),
      ...(sure ? [means] : []),
      ...(what ? [make('p', {}, `${safety.inGeneral(what)} `, make('cite', {}, ...sources(source)))] : []),
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
