// @ts-check
// Lessons: which is open and at which step, and what of its run is shown.

/** @typedef {import('../../lab/lessons.d.ts').LessonView} LessonView */
/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/simulated-run.js').SimulatedRun} SimulatedRun */
/** @typedef {import('../pkg/lessons.js').Listed} Listed */
/** @typedef {import('../run/source.js').Source} Source */

/**
 * What an address asks for: a lesson by its name, or packed into it; the step, from 0, and a run
 * that somebody hands in.
 * @typedef {{ name: string, packed: string, step: number, run: string }} Wanted
 */

import { byId, lessMotion } from '../kit/dom.js';
import { openDialog } from '../kit/dialog.js';
import { showTrouble, hideTrouble, wordsOf } from '../kit/errors.js';
import { lazily } from '../kit/lazy.js';
import { toast } from '../kit/toast.js';
import { loadStyle } from '../kit/style.js';
import { lessons } from '../pkg/lessons.js';
import styleName from '../css/lessons.css?name';
import * as common from '../words/common.js';
import * as strings from '../words/lessons.js';
import { Card } from './card.js';
import { Contents } from './contents.js';
import { packed, unpacked } from './files.js';
import { spoken, wordsIn } from './listed.js';
import * as playlist from './playlist.js';
import { PlaylistDialog } from './playlist-dialog.js';
import { note, progress } from './progress.js';
import { printSheets } from './sheet.js';
import { Spotlight, tabsOf } from './spotlight.js';
import { TASK_PACE, paceOf } from './stretch.js';
import { Task } from './task.js';

/** The seed from which a lesson of somebody's own is played. */
const SEED = '1';

/**
 * What a lesson needs of the page.
 * @typedef {object} Surroundings
 * @property {import('../lab/client.js').Lab} lab
 * @property {{ speed: number, playing: boolean, play: () => void, pause: () => void, invalidate: ()
 * => void }} clock
 * @property {(link: string) => SimulatedRun} read the run in a link
 * @property {(simulated: SimulatedRun) => void} take shows it, as a part of a lesson
 * @property {() => Source} source what is shown
 * @property {() => SimulatedRun} simulated the simulated run that was shown last
 * @property {() => void} enter the page makes room
 * @property {(kept: boolean) => void} leave the page is as it was; with the run that is shown, or
 * with another that somebody has chosen
 * @property {(tab: string) => void} choose shows a tab
 * @property {(hash: string) => void} address the address is to be this
 */

/**
 * A lesson that is open.
 * @typedef {object} Opened
 * @property {LessonView} view
 * @property {string} name of ours; else empty
 * @property {() => Promise<string>} source the lesson itself
 * @property {string} hash how an address names it; empty where it can't
 * @property {boolean} moments whether its runs are moments as they are, and nothing is played
 */

export class Lessons {
  #around;
  #card = new Card({
    goTo: (step) => this.#go(step),
    back: () => this.back(),
    next: () => this.next(),
    answer: (answer) => this.#answer(answer),
    again: () => this.#go(this.#step),
    hint: () => this.#task.hint(),
    skip: () => this.#skip(),
    contents: () => this.contents(),
    playOn: () => this.playOn(),
    handIn: () => this.#task.handIn().then((hash) => hash && this.#around.address(hash)),
    speak: (language) => this.#speak(language),
  });
  #contents = new Contents({
    open: (name, step) => this.open(name, step),
    file: (file) => this.openFile(file),
    print: (names) => this.#print(names),
  });
  #collection = lazily(async () => {
    await loadStyle(styleName);
    return new PlaylistDialog({
      simulated: () => this.#around.simulated(),
      play: (list, moment) => this.#play(list, moment),
    });
  });
  #spotlight = new Spotlight();
  /** @type {Opened | null} */ #open = null;
  #step = 0;
  /** The run that the step shows. @type {SimulatedRun | null} */ #run = null;
  /** Which of the lesson's runs that is. */
  #place = -1;
  /** How much had been done to it when the step began. */
  #acts = 0;
  #watched = false;
  /** @type {number | null} */ #chosen = null;
  #task;
  /** Which opening is wanted: a later one takes the place of one that is still loading. */
  #wanted = 0;

  /** @param {Surroundings} around */
  constructor(around) {
    this.#around = around;
    const { lab, clock } = around;
    this.#task = new Task({
      lab,
      clock,
      show: (step, state) => this.#open && this.#card.set(this.#open.view.steps[step], state),
    });
    byId('logs-panel', HTMLElement).before(this.#card.dom);
    this.#card.dom.hidden = true;
    document.addEventListener('keydown', (event) => this.#key(event), true);
  }

  /** The list of all. */
  contents() {
    openDialog(async () => {
      await loadStyle(styleName);
      return this.#contents;
    });
  }

  /** What an address asks for. @param {Wanted} wanted */
  async openWanted({ name, packed: part, step, run }) {
    if (name) await this.open(name, step, run);
    else await this.#openText(() => unpacked(part), part, step, run).catch(() => this.#fail(strings.badLink, ''));
  }

  /**
   * Opens a lesson of ours at a step, from 0.
   * @param {string} name the first one, where it is empty
   * @param {number} step @param {string} [run] one that somebody hands in
   */
  async open(name, step, run = '') {
    const listed = name ? lessons.find((one) => one.name === name) : lessons[0];
    if (!listed) {
      this.#fail(strings.unknown(name), '');
      return;
    }
    const mine = ++this.#wanted;
    try {
      const view = await viewOf(listed, progress().language);
      await loadStyle(styleName);
      if (mine !== this.#wanted) return;
      const source = async () => JSON.stringify((await listed.source()).default);
      this.#begin({ view, name: listed.name, source, hash: `lesson=${listed.name}`, moments: false }, step, run);
    } catch (error) {
      if (mine === this.#wanted) this.#fail(strings.notLoaded, wordsOf(error));
    }
  }

  /** The playlist that somebody is making. */
  collect() {
    this.#around.clock.pause();
    openDialog(this.#collection);
  }

  /** @param {import('./playlist.js').Playlist} list @param {number} moment */
  async #play(list, moment) {
    const mine = ++this.#wanted;
    await loadStyle(styleName);
    if (mine !== this.#wanted) return;
    const source = async () => '';
    this.#begin({ view: playlist.shown(list), name: '', source, hash: '', moments: true }, moment, '');
  }

  /** A lesson of somebody's own, or a playlist. @param {File} file */
  async openFile(file) {
    try {
      const text = await file.text();
      if (text.includes('"raftarium-playlist"')) await this.#play(playlist.read(text), 0);
      else await this.#openText(async () => text, '', 0, '');
    } catch (error) {
      this.#fail(strings.badFile(file.name), wordsOf(error));
    }
  }

  /**
   * @param {() => Promise<string>} read
   * @param {string} part how an address has it, if that is known
   * @param {number} step @param {string} run
   */
  async #openText(read, part, step, run) {
    const mine = ++this.#wanted;
    if (!this.#around.lab.ready) toast(common.lab.loading);
    const text = await read();
    const view = await this.#around.lab.readLesson({ text, seed: SEED, language: progress().language });
    const known = part || (await packed(text));
    await loadStyle(styleName);
    if (mine !== this.#wanted) return;
    const hash = known ? `teach=${known}` : '';
    this.#begin({ view, name: '', source: async () => text, hash, moments: false }, step, run);
  }

  /** @param {string} title @param {string} text */
  #fail(title, text) {
    if (!this.#open) this.#around.leave(true);
    showTrouble({ title, text }, [[common.close, hideTrouble]]);
  }

  /** @param {Opened} opened @param {number} step @param {string} run */
  #begin(opened, step, run) {
    const at = Math.min(step, opened.view.steps.length - 1);
    // What can't be played takes no other's place.
    try {
      this.#around.read(opened.view.runs[opened.view.steps[at].run]).free();
    } catch (error) {
      this.#fail(strings.notLoaded, wordsOf(error));
      return;
    }
    const entering = !this.#open;
    this.#open = opened;
    this.#place = -1;
    this.#run = null;
    if (entering) this.#around.enter();
    document.documentElement.dataset.guided = 'lesson';
    this.#card.dom.hidden = false;
    this.#card.begin(opened.view);
    this.#go(at, run);
  }

  /**
   * Goes to a step, from 0, if its run can be shown.
   * @param {number} at @param {string} [handedIn] somebody's run
   */
  #go(at, handedIn = '') {
    if (!this.#open) return;
    const { view, name } = this.#open;
    const step = view.steps[at];
    // A run that is just there goes on, so that nothing jumps.
    const goesOn =
      this.#isOurs && !this.#open.moments && this.#place === step.run && this.#run?.now === step.from && !handedIn;
    const { clock } = this.#around;
    clock.pause();
    if (!goesOn && !this.#show(step.run, step.from, handedIn)) return;
    this.#step = at;
    this.#chosen = null;
    this.#watched = false;
    // It goes on from its own solution.
    const { solved } = this.#task;
    this.#task.end();
    const run = /** @type {SimulatedRun} */ (this.#run);
    this.#acts = run.acts;
    run.stop = step.kind === 'done' || this.#open.moments ? Infinity : step.to;
    this.#introduce(at);
    const follows = solved && view.steps[at - 1]?.kind === 'done';
    this.#card.show(view, at, this.#after, follows ? strings.card.ownSolution : '');
    this.#spotlight.turn(step.look);
    if (step.kind === 'predicted') this.#card.ask(step, null, false);
    if (step.kind === 'done') {
      clock.speed = TASK_PACE;
      const { source } = this.#open;
      this.#task.begin({ view, source, step: at, run, hash: this.#hash, handedIn: this.#place < 0 });
    }
    if (step.kind === 'told') this.#watch();
    if (name) {
      const { steps, done } = progress();
      const isLast = at === view.steps.length - 1;
      note({
        at: { name, step: at },
        steps: { ...steps, [name]: at },
        ...(isLast && !done.includes(name) && { done: [...done, name] }),
      });
    }
    this.#around.address(handedIn && this.#place < 0 ? `${this.#hash}&run=${handedIn}` : this.#hash);
    // On a phone, the page scrolls as a whole.
    for (const id of ['reading', 'page']) byId(id, HTMLElement).scrollTo({ top: 0 });
  }

  get #hash() {
    return this.#open?.hash ? `${this.#open.hash}&step=${this.#step + 1}` : '';
  }

  /** The lesson after this one, if there is one. */
  get #following() {
    const at = lessons.findIndex(({ name }) => name === this.#open?.name);
    return at < 0 ? null : (lessons[at + 1] ?? null);
  }

  /** What the button of what comes next says. */
  get #after() {
    const { view } = /** @type {Opened} */ (this.#open);
    if (this.#step < view.steps.length - 1) return strings.card.next;
    const following = this.#following;
    return following ? strings.card.nextLesson(wordsIn(following, view.language).title) : strings.card.all;
  }

  /** Whether what is shown is what the lesson plays, and nobody has done anything to it. */
  get #isOurs() {
    const run = this.#run;
    return run !== null && this.#around.source() === run && !run.dead && run.acts === 0;
  }

  /**
   * Shows one of the lesson's runs at a moment, or one that somebody hands in; whether that went
   * well.
   * @param {number} place @param {number} from @param {string} handedIn @returns {boolean}
   */
  #show(place, from, handedIn) {
    const { view } = /** @type {Opened} */ (this.#open);
    let run;
    try {
      run = this.#around.read(handedIn || view.runs[place]);
    } catch (error) {
      this.#fail(handedIn ? strings.task.badLink : strings.notLoaded, wordsOf(error));
      // Whoever hands in something else can do the task.
      return handedIn !== '' && this.#show(place, from, '');
    }
    if (run.differs) showTrouble({ title: strings.differs, text: '' }, [[common.close, hideTrouble]]);
    if (!handedIn && !(/** @type {Opened} */ (this.#open).moments)) run.seek(from);
    this.#run = run;
    this.#place = handedIn ? -1 : place;
    this.#around.take(run);
    return true;
  }

  /** The instruments that have been introduced by a step. @param {number} at */
  #introduce(at) {
    const { steps } = /** @type {Opened} */ (this.#open).view;
    const parts = steps.slice(0, at + 1).flatMap(({ show }) => show);
    const tabs = tabsOf(parts);
    const { kind, look } = steps[at];
    const all = ['ring', ...parts, ...tabs, ...(tabs.length ? ['panels'] : []), ...(kind === 'done' ? ['tape'] : [])];
    document.documentElement.dataset.shown = [...new Set(all)].join(' ');
    document.documentElement.dataset.look = [kind, ...look].join(' ');
    const [wanted] = [...tabsOf(look), ...tabsOf(steps[at].show)];
    const now = wanted ?? tabs.at(-1);
    if (now) this.#around.choose(now);
  }

  /** Plays the step's stretch. */
  #watch() {
    if (!this.#open || !this.#run) return;
    const { clock } = this.#around;
    const { from, to } = this.#open.view.steps[this.#step];
    if (to <= from) return;
    clock.speed = paceOf(to - from);
    if (lessMotion.matches) return this.#skip();
    if (this.#open.view.steps[this.#step].kind === 'told') this.#card.wait(true);
    clock.play();
    clock.invalidate();
  }

  /** To where the step ends. */
  #skip() {
    if (!this.#open || !this.#run) return;
    this.#around.clock.pause();
    this.#run.seek(this.#open.view.steps[this.#step].to);
    this.#around.clock.invalidate();
  }

  /** @param {number} answer */
  #answer(answer) {
    if (!this.#open) return;
    const step = this.#open.view.steps[this.#step];
    this.#chosen = answer;
    // On a phone, the answers may lie under the cluster, which is to be seen now.
    if (!this.#watched) byId('page', HTMLElement).scrollTo({ top: 0 });
    this.#card.ask(step, answer, this.#watched);
    if (!this.#watched && this.#isOurs) this.#watch();
    // Whoever has changed the run sees the lesson's own, where it begins.
    else if (!this.#watched && this.#show(step.run, step.from, '')) {
      /** @type {SimulatedRun} */ (this.#run).stop = step.to;
      this.#watch();
    }
  }

  back() {
    if (this.#step > 0) this.#go(this.#step - 1);
  }

  next() {
    if (!this.#open) return;
    const following = this.#following;
    if (this.#step < this.#open.view.steps.length - 1) this.#go(this.#step + 1);
    else if (following) this.open(following.name, 0);
    else this.contents();
  }

  /** The whole page, with the run as it is. */
  playOn() {
    if (!this.#open) return;
    const run = this.#run;
    this.#close();
    note({ at: null });
    // Without what the lesson does later: it is somebody else's from here on.
    try {
      if (run) this.#around.take(this.#around.read(run.link()));
    } catch {
      // Too long for a link: then it stays as it is.
    }
    this.#around.leave(true);
    toast(strings.left);
  }

  /** Something else is shown, which isn't of this lesson. */
  drop() {
    if (!this.#open) return;
    this.#close();
    note({ at: null });
    this.#around.leave(false);
  }

  #close() {
    this.#wanted++;
    if (this.#run) this.#run.stop = Infinity;
    this.#open = this.#run = null;
    this.#task.end();
    this.#card.dom.hidden = true;
    this.#spotlight.turn([]);
    if (document.documentElement.dataset.large !== undefined) this.present();
  }

  /** @param {string} language */
  async #speak(language) {
    note({ language });
    const { name, source, hash } = this.#open ?? {};
    if (name) await this.open(name, this.#step);
    else if (source && hash !== undefined) {
      const text = await source();
      await this.#openText(async () => text, hash.replace('teach=', ''), this.#step, '');
    }
  }

  /** As large as the screen has room, or as before. */
  present() {
    const { dataset } = document.documentElement;
    const large = dataset.large === undefined;
    if (large) dataset.large = '';
    else delete dataset.large;
    if (large && navigator.userActivation?.isActive) document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen();
  }

  /** @param {string[]} names of ours */
  async #print(names) {
    const { language } = progress();
    try {
      const address = (/** @type {string} */ name) => Object.assign(new URL(location.href), { hash: `lesson=${name}` });
      const all = lessons.filter(({ name }) => names.includes(name));
      const sheets = all.map(async (one) => ({ view: await viewOf(one, language), address: address(one.name).href }));
      printSheets(await Promise.all(sheets));
    } catch (error) {
      this.#fail(strings.notLoaded, wordsOf(error));
    }
  }

  // As a view of the page

  /** Another source is shown. @param {Source} source */
  reset(source) {
    if (this.#open && source !== this.#run) this.drop();
  }

  /** @param {Frame} frame @param {boolean} playing */
  update({ now }, playing) {
    const [opened, run] = [this.#open, this.#run];
    if (!opened || !run) return;
    this.#spotlight.shine();
    const step = opened.view.steps[this.#step];
    // Whoever does something sees what comes of it, and what was to be told isn't so any more.
    if (run.acts > this.#acts && run.stop !== Infinity) {
      run.stop = Infinity;
      if (step.kind === 'told') this.#card.wait(false);
      if (step.kind !== 'done' && !this.#watched) this.#card.remark(strings.card.changed);
    }
    if (step.kind === 'done') this.#task.follow(playing);
    else if (now >= step.to && run.acts === this.#acts) {
      if (playing && now === run.stop) this.#around.clock.pause();
      // From here, it can be played on.
      if (!playing && now === run.stop) run.stop = Infinity;
      if (!this.#watched) {
        this.#watched = true;
        if (step.kind === 'predicted') this.#card.ask(step, this.#chosen, true);
        else this.#card.wait(false);
      }
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.#open || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (document.querySelector('.menu, dialog[open], .explanation:focus-within')) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest('input, select, textarea')) return;
    const turns = { PageDown: true, PageUp: false }[event.key];
    // What has the focus may have use for the arrows.
    const own = target.closest('[role=toolbar], [role=slider], [role=tablist], [role=tabpanel], .log-scroll');
    const goes = turns ?? (own ? undefined : { ArrowRight: true, ArrowLeft: false }[event.key]);
    if (goes === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (goes) this.next();
    else this.back();
  }
}

/** @param {Listed} listed @param {string} language @returns {Promise<LessonView>} */
const viewOf = async (listed, language) => (await listed.shown[spoken(listed, language)]()).default;
