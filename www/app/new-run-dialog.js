// @ts-check
// The dialog that starts a new run: its seed, its servers (one to nine), the rules that hold, its
// timing and its clients. It begins with those of the run that is on, if that was made here, and
// else with the usual ones: whoever has opened a counterexample doesn't want to keep its two
// servers. It says what it begins with.

/** @typedef {import('../share/link.js').Wanted} Wanted */
/** @typedef {typeof import('../pkg/raft_web.js').Run} RunClass */

import { fillDialog } from '../kit/dialog.js';
import { latencyWarning } from '../panels/dials.js';
import { byId, make, setText } from '../kit/dom.js';
import { sources, withFigures, withTerms } from '../kit/explained.js';
import { wordsOf } from '../kit/errors.js';
import { rules } from '../run/rules.js';
import { USUAL_SERVERS } from '../share/link.js';
import * as common from '../words/common.js';
import * as strings from '../words/app.js';
import * as newrunWords from '../words/new-run.js';

export class RunDialog {
  #dialog = byId('run-dialog', HTMLDialogElement);
  #seed = make('input', {
    id: 'run-seed',
    type: 'text',
    inputmode: 'numeric',
    autocomplete: 'off',
    spellcheck: 'false',
    autofocus: true,
    'aria-describedby': 'run-seed-help run-error',
  });
  #error = make('p', { class: 'error', id: 'run-error', role: 'alert' });
  #choices = make('span', { class: 'choices' });
  /** By the rule's name: a rule that is ticked holds. @type {Map<string, HTMLInputElement>} */ #rules = new Map();
  /** In the order of the rules: links to runs that break without them. @type {HTMLAnchorElement[]} */ #examples = [];
  #rulesWords = make('small');
  /** In the order of `Run.settings`. @type {HTMLInputElement[]} */ #settings = [];
  #settingsWords = make('small');
  #warning = make('p', { class: 'dial-warning', role: 'status' });
  #keeps = make('p', { class: 'hint', id: 'run-keeps', role: 'status' });
  /** Takes what the run has that is on, or the usual, whichever isn't taken. */
  #other = make('button', { type: 'button', onclick: () => this.#take(!this.#taken) });
  /** Whether the settings of the run that is on have been taken. */
  #taken = false;
  #Run;
  #start;
  #current;

  /**
   * @param {RunClass} Run
   * @param {() => Wanted & { latency: [number, number], origin: string }} current the run that is
   * on
   * @param {(wanted: Wanted) => void} start throws an Error with a sentence when it can't
   */
  constructor(Run, current, start) {
    this.#Run = Run;
    this.#current = current;
    this.#start = start;
    const form = make(
      'form',
      { id: 'run-form', novalidate: true },
      make('label', { for: 'run-seed' }, newrunWords.runSeed),
      this.#seed,
      make('p', { class: 'hint', id: 'run-seed-help' }, newrunWords.runSeedHelp),
      make('div', { class: 'row kept' }, this.#keeps, this.#other),
      make('fieldset', {}, make('legend', {}, newrunWords.runServers), this.#choices),
      make(
        'details',
        {},
        make('summary', {}, `${newrunWords.runRules} `, this.#rulesWords),
        make('p', { class: 'hint' }, newrunWords.runRulesHelp),
        ...rules.map((rule) => this.#rule(rule)),
      ),
      make(
        'details',
        {},
        make('summary', {}, `${newrunWords.runSettings} `, this.#settingsWords),
        make('div', { class: 'numbers' }, ...newrunWords.settings.flatMap((setting, i) => this.#setting(setting, i))),
        this.#warning,
      ),
      this.#error,
      make(
        'p',
        { class: 'row' },
        make('button', { class: 'primary', type: 'submit' }, strings.start),
        make('button', { type: 'button', onclick: () => this.#try(this.#current()) }, common.again),
      ),
    );
    form.addEventListener('change', () => this.#say());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.#refuses()) return;
      const chosen = form.querySelector('input[name=run-servers]:checked');
      const servers = chosen instanceof HTMLInputElement ? Number(chosen.value) : 5;
      const [without, settings] = [this.#off().join(','), this.#numbers().join(',')];
      this.#try({ seed: this.#seed.value.trim(), servers, without, settings });
    });
    fillDialog(this.#dialog, newrunWords.runTitle, form);
  }

  open() {
    this.#seed.value = '';
    setText(this.#error, '');
    // What was opened from a link or a file is somebody's example: it isn't where one goes on from.
    this.#take(this.#current().origin === 'fresh');
    this.#dialog.showModal();
    this.#link();
  }

  /** Fills in what the run has that is on, or the usual. @param {boolean} current */
  #take(current) {
    const usual = { servers: USUAL_SERVERS, without: '', settings: '' };
    const run = this.#current();
    const { servers, without = '', settings } = current ? run : usual;
    this.#taken = current;
    this.#choices.replaceChildren(
      ...Array.from({ length: 9 }, (_, i) => {
        const input = make('input', { type: 'radio', name: 'run-servers', value: i + 1 });
        input.checked = i + 1 === servers;
        return make('label', {}, input, make('span', {}, String(i + 1)));
      }),
    );
    const off = without.split(',');
    for (const [name, input] of this.#rules) input.checked = !off.includes(name);
    const numbers = (settings || this.#Run.usualSettings()).split(',').map(Number);
    this.#settings.forEach((input, i) => {
      const [, , one] = newrunWords.settings[i];
      input.checked = numbers[i] > 0;
      if (one) input.value = String(numbers[i] / one);
    });
    const unusual = [
      ...(run.servers === USUAL_SERVERS ? [] : [newrunWords.runKeeps.servers(run.servers)]),
      ...(run.without ? [newrunWords.runKeeps.without(run.without.split(',').map(common.ruleName))] : []),
      ...(run.settings ? [newrunWords.runKeeps.settings] : []),
    ];
    // Where both are the same there is nothing to choose.
    const { keeps, usually, takeUsual, takeCurrent } = newrunWords.runKeeps;
    setText(this.#keeps, unusual.length ? (current ? keeps : usually)(unusual) : '');
    setText(this.#other, current ? takeUsual : takeCurrent);
    this.#other.hidden = this.#keeps.hidden = unusual.length === 0;
    this.#say();
  }

  /** The runs that break without a rule come when they may be chosen. */
  async #link() {
    const { counterexamples } = await import('../run/counterexamples.js');
    this.#examples.forEach((link, i) => {
      link.href = `#run=${counterexamples[i]}&watch`;
      link.hidden = !counterexamples[i];
    });
  }

  /**
   * @param {typeof rules[number]} rule
   */
  #rule([name, prevents, source]) {
    const input = make('input', { type: 'checkbox', value: name });
    this.#rules.set(name, input);
    const why = make('small', {}, ...withFigures(common.withoutRule(prevents)));
    const label = make('label', {}, input, make('span', {}, common.ruleName(name), why));
    const close = () => this.#dialog.close();
    const see = make('a', { onclick: close, hidden: true }, newrunWords.seeItBreak);
    this.#examples.push(see);
    return make('div', { class: 'rule' }, label, make('cite', {}, ...sources(source)), see);
  }

  /** @param {typeof newrunWords.settings[number]} setting @param {number} i */
  #setting([words, unit = '', one, [min, max] = [0, 1]], i) {
    const id = `run-setting-${i}`;
    const input = make('input', { id, type: one ? 'number' : 'checkbox', min, max, step: 'any' });
    this.#settings.push(input);
    return [
      make('label', { for: id }, ...withTerms(words)),
      make('span', {}, input, ' ', make('span', { class: 'unit' }, unit)),
    ];
  }

  /** Whether a number is none, or beyond what it may be; says so then. */
  #refuses() {
    const wrong = this.#settings.findIndex(
      ({ type, value, validity }) => type === 'number' && (value === '' || !validity.valid),
    );
    if (wrong < 0) return false;
    const [words, , , [least, most] = [0, 0]] = newrunWords.settings[wrong];
    setText(this.#error, newrunWords.outOfRange(words, least, most));
    const folded = this.#settings[wrong].closest('details');
    if (folded) folded.open = true;
    this.#settings[wrong].focus();
    return true;
  }

  /** The rules that are switched off. */
  #off() {
    return [...this.#rules].flatMap(([name, input]) => (input.checked ? [] : [name]));
  }

  #numbers() {
    return this.#settings.map((input, i) => {
      const [, , one] = newrunWords.settings[i];
      return one ? Math.round(Number(input.value) * one) : Number(input.checked);
    });
  }

  /** Says in the headings what is chosen in the parts that are folded away. */
  #say() {
    setText(this.#rulesWords, newrunWords.runRulesWords(this.#off().length, this.#rules.size));
    const numbers = this.#numbers();
    const usual = numbers.join(',') === this.#Run.usualSettings();
    setText(this.#settingsWords, usual ? newrunWords.runSettingsUsual : newrunWords.runSettingsOther);
    const [electionTimeoutMin, , heartbeatInterval] = numbers;
    const [latencyMin, latencyMax] = this.#current().latency;
    const { words, bad } = latencyWarning({ latencyMin, latencyMax, electionTimeoutMin, heartbeatInterval });
    setText(this.#warning, words);
    this.#warning.classList.toggle('bad', bad);
  }

  /** @param {Wanted} wanted */
  #try(wanted) {
    try {
      this.#start(wanted);
      this.#dialog.close();
    } catch (error) {
      setText(this.#error, wordsOf(error));
    }
  }
}
