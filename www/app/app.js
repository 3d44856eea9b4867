// @ts-check
// The page around a run: connects its views, its clock, and what people do.

/** @typedef {import('../share/link.js').Wanted} Wanted */
/** @typedef {import('../run/scenario.js').Found} ViolationView */
/** @typedef {typeof import('../pkg/raft_web.js').Run} RunClass */

import { Approach, BEFORE } from './approach.js';
import { Branches } from '../panels/branches.js';
import { Clock } from './clock.js';
import { Console } from './command-line.js';
import { byId, lessMotion, make, setText } from '../kit/dom.js';
import { withTerm } from '../kit/explained.js';
import { askedMode, embed } from './embed.js';
import { hideTrouble, reloadAction, showTrouble, wordsOf, panicMessage } from '../kit/errors.js';
import { StageGestures } from '../stage/gestures.js';
import { HelpDialog } from './help-dialog.js';
import { giveHints } from './hints.js';
import { Jumps } from './jumps.js';
import { listenForKeys } from '../kit/keys.js';
import { drawLegend } from './legend.js';
import { namesRun, readAddress } from '../share/link.js';
import { closeMenu } from '../kit/menu.js';
import { Logs } from '../panels/logs.js';
import { Model } from '../run/model.js';
import { NetworkDialog } from './network-dialog.js';
import { Operations } from '../panels/operations.js';
import { Presenter } from './presenter.js';
import { Reading } from '../panels/side-panel.js';
import { Ring } from '../stage/ring.js';
import { RunDialog } from './new-run-dialog.js';
import { WHOLE_RUN, endOf, readFound } from '../run/scenario.js';
import { Sharing } from '../share/sharing.js';
import { Stores } from '../panels/stores.js';
import { Story } from '../panels/events.js';
import * as strings from '../words/strings.js';
import { wireTabs } from '../kit/tabs.js';
import { Tape } from '../tape/tape.js';
import { Theme } from '../kit/theme.js';
import { toast } from '../kit/toast.js';
import { Transport } from './transport.js';
import { StageButtons } from '../stage/buttons.js';

/**
 * A run as asked for; throws an Error with a sentence when there can't be one.
 * @param {RunClass} Run @param {Wanted} wanted
 */
export function makeModel(Run, { shared, found, watch = false, seed, servers, without, settings }) {
  if (shared !== undefined) {
    const run = Run.fromLink(shared);
    const model = openModel(Run, run, 'moment', '', found ? readFound(found, endOf(shared) || WHOLE_RUN) : null);
    return Object.assign(model, { watch });
  }
  if (!(Number.isInteger(servers) && servers >= 1 && servers <= 9)) throw new Error(strings.badServers);
  return new Model(new Run(seed, servers, without, settings), Run.usualSettings());
}

/**
 * A run that came from elsewhere.
 * @param {RunClass} Run @param {InstanceType<RunClass>} run @param {'moment' | 'beginning'} origin
 * @param {string} note @param {import('../run/scenario.js').Found | null} found
 */
function openModel(Run, run, origin, note, found) {
  const model = Object.assign(new Model(run, Run.usualSettings()), { origin, note });
  // What was found in a run that plays differently here was found in another.
  if (found && !model.differs) model.claim = { ...found, branch: model.frame.branch, state: '' };
  return model;
}

/** A voter, and the line at the majority. @param {boolean} answers @param {boolean} last */
const dot = (answers, last) => make('i', { class: `${answers ? 'answers' : ''}${last ? ' majority' : ''}` });

export class App {
  #Run;
  #model;
  #changed = () => this.clock.invalidate();

  clock = new Clock({ advance: (micros) => this.#model.advance(micros), draw: () => this.#draw() });
  #approach = new Approach(this.clock);
  #heartbeats = byId('heartbeats', HTMLInputElement);
  #quorum = byId('quorum', HTMLElement);
  /** What its dots show. */
  #dots = '';
  #ring;
  #stageButtons;
  #gestures;
  #reading;
  #logs = new Logs();
  #stores = new Stores();
  #operations = new Operations(this.#changed);
  #story = new Story({ changed: this.#changed, goTo: (line) => this.#goToLine(line) });
  #console = new Console(() => this.#model);
  #transport = new Transport(this.clock, { toggle: () => this.toggle(), step: (forward) => this.step(forward) });
  #jumps = new Jumps({ model: () => this.#model, pause: () => this.clock.pause() });
  #branches = new Branches({
    model: () => this.#model,
    changed: this.#changed,
    show: () => this.#reading.show('branches'),
  });
  #tape = new Tape({
    changed: this.#changed,
    hold: (held) => this.#hold(held),
    press: (branch, lane) => this.#branches.menu(branch, lane),
  });
  #resume = () => {};
  /** What it has stopped for. */
  #stopped = '';
  #networkDialog = new NetworkDialog(() => this.#model);
  #runDialog;
  #helpDialog = new HelpDialog();
  #theme = new Theme(() => this.#recolour());
  #sharing;
  #presenter;
  #kept;

  /**
   * @param {RunClass} Run @param {Model} model the first run
   * @param {import('../share/kept-runs.js').KeptRuns | null} kept where runs are kept, if they are
   */
  constructor(Run, model, kept) {
    this.#Run = Run;
    this.#model = model;
    this.#kept = kept;
    const stage = byId('stage', HTMLElement);
    this.#ring = new Ring(byId('ring', HTMLCanvasElement), model.servers);
    this.#runDialog = new RunDialog(
      Run,
      () => this.#model,
      (wanted) => this.start(wanted),
    );
    this.#reading = new Reading(this.#ring, {
      model: () => this.#model,
      openRun: () => this.#runDialog.open(),
      goTo: (time) => this.#goTo(time),
      changed: this.#changed,
    });
    this.#gestures = new StageGestures(this.#ring, {
      model: () => this.#model,
      inspect: (id) => this.#reading.inspect(id),
      openNetwork: () => this.#networkDialog.open(),
      pauseForNow: () => this.#pauseForNow(),
      changed: this.#changed,
    });
    this.#stageButtons = new StageButtons(this.#ring, stage, {
      server: (id, button) => this.#gestures.server(id, button),
      link: (a, b, button) => this.#gestures.link(a, b, button),
      message: (id, button) => this.#gestures.message(id, button),
      changed: this.#changed,
    });
    this.#heartbeats.addEventListener('change', () => {
      this.#ring.heartbeats = this.#heartbeats.checked;
      this.#changed();
    });
    new ResizeObserver(() => {
      this.#ring.resize();
      this.#stageButtons.place();
      this.#changed();
    }).observe(stage);
    wireTabs(byId('tabs', HTMLElement), this.#changed);
    drawLegend();
    this.#presenter = new Presenter(this.#ring, {
      toggle: () => this.toggle(),
      jump: (forward) => this.#jumps.jump(forward, 'notable'),
      step: (forward) => this.step(forward),
      playing: () => this.clock.playing,
    });
    this.#sharing = new Sharing({
      Run,
      model: () => this.#model,
      take: (run, origin, note, found) => this.#replace(openModel(Run, run, origin, note, found)),
      scene: () => this.#scene(),
      present: () => this.#presenter.enter(),
      stop: (error) => this.#stopForPanic(error),
    });
    this.#wireHeader();
    const mode = askedMode();
    if (mode === 'embed') embed(() => this.#model);
    else this.#wireKeys();
    if (mode === 'present') this.#presenter.enter();
    addEventListener('popstate', () => this.#arrive());
    addEventListener('pagehide', () => kept?.keep(this.#model));
    document.addEventListener('visibilitychange', () => document.hidden && kept?.keep(this.#model));
    this.#show();
    if (!mode) giveHints();
  }

  get model() {
    return this.#model;
  }

  /** Plays or pauses. */
  toggle() {
    if (this.clock.playing) this.clock.pause();
    else if (this.#model.frame.violation) toast(strings.runIsOver);
    else if (!this.#model.dead) this.clock.play();
  }

  /** Plays one event, or goes back by one. @param {boolean} forward */
  step(forward) {
    this.clock.pause();
    if (forward) this.#model.step();
    else this.#model.stepBack();
  }

  /** Whether somebody drags on the tape: the run is paused meanwhile. @param {boolean} held */
  #hold(held) {
    if (held) this.#resume = this.#pauseForNow();
    else this.#resume();
  }

  /** The stage as a picture, with the sentence under it. */
  #scene() {
    const { frame, seed, now } = this.#model;
    const { layout, palette } = this.#ring;
    const said = frame.violation ?? this.#model.claimed;
    const why = byId('why', HTMLElement).querySelector('q')?.textContent ?? '';
    const sentence = said ? [strings.violationTitle(said), said.first && strings.violationText(said)].join(' ') : why;
    const origin = strings.origin(seed, now);
    const draw = (/** @type {CanvasRenderingContext2D} */ c) => this.#ring.drawOn(c, frame);
    return { name: `raftarium-${seed}`, width: layout.width, height: layout.height, draw, palette, sentence, origin };
  }

  /** @param {number} time */
  #goTo(time) {
    this.clock.pause();
    this.#model.seek(time);
  }

  /** Goes to what a sentence is about. @param {number} line its number */
  #goToLine(line) {
    this.clock.pause();
    this.#model.seekNews(line);
  }

  /** Pauses the run if it plays; the function that it returns lets it play on. */
  #pauseForNow() {
    if (!this.clock.playing) return () => {};
    this.clock.pause();
    return () => this.#model.dead || this.clock.play();
  }

  /**
   * Puts another run in place of this one; throws when there can't be one.
   * @param {Wanted} wanted
   */
  start(wanted) {
    this.#replace(makeModel(this.#Run, wanted));
  }

  /** @param {Model} fresh */
  #replace(fresh) {
    this.#sharing.restore();
    this.#kept?.replace(this.#model);
    this.#take(fresh);
  }

  /** @param {Model} fresh */
  #take(fresh) {
    // They are about the run that there was.
    closeMenu();
    for (const dialog of document.querySelectorAll('dialog')) dialog.close();
    this.#model.free();
    this.#model = fresh;
    this.#show();
  }

  /** Shows the run that there is now. */
  #show() {
    const model = this.#model;
    hideTrouble();
    document.documentElement.dataset.state = 'running';
    model.listen({ change: this.#changed, panic: (error) => this.#stopForPanic(error), refusal: toast });
    model.open();
    setText(byId('seed-value', HTMLElement), model.seed);
    this.#placeServers();
    this.#reading.reset(model);
    for (const view of [this.#tape, this.#branches, this.#stores]) view.reset();
    for (const view of [this.#operations, this.#story, this.#console]) view.reset();
    if (lessMotion.matches || model.dead || model.origin === 'moment') this.clock.pause();
    else this.clock.play();
    this.#sharing.show(model);
    if (model.watch) this.#approach.begin(model, BEFORE.first);
  }

  /** Gives every server its place on the ring: at the start, and when one has joined. */
  #placeServers() {
    const { length } = this.#model.frame.servers;
    this.#ring.reset(length);
    this.#stageButtons.reset(length);
    this.#logs.reset(this.#model);
  }

  #draw() {
    const model = this.#model;
    this.#tape.follow(model);
    const { frame } = model;
    const { playing } = this.clock;
    this.#approach.update(model, playing);
    if (frame.servers.length !== this.#ring.layout.servers.length) this.#placeServers();
    this.#heartbeats.checked = this.#ring.heartbeats;
    this.#ring.draw(frame);
    this.#stageButtons.update(frame, playing);
    this.#reading.update(model, playing);
    this.#drawQuorum();
    this.#logs.update(model);
    this.#stores.update(model);
    this.#operations.update(model);
    this.#story.update(model, playing);
    this.#console.update(model, playing);
    this.#branches.update(model, playing);
    this.#tape.update(model, playing);
    this.#transport.update(model);
    this.#presenter.update();
    this.#sharing.update(model, playing);
    const { claimed } = model;
    if (frame.violation) this.#stopAt(frame.violation);
    else if (claimed) this.#stopAt(claimed, claimed.state);
    else if (document.documentElement.dataset.state === 'violated') this.#goOn();
  }

  /** Whether writes commit: in words, and as dots, which are filled for voters that answer. */
  #drawQuorum() {
    const { words, canCommit, majorities } = this.#model.frame.quorum;
    const [dots, first, second] = this.#quorum.children;
    const [who, so] = words.split(': ');
    setText(first, who);
    const term = so.includes('majority') ? 'majority' : 'commit';
    if (second.textContent !== so) second.replaceChildren(...withTerm(so, term));
    this.#quorum.classList.toggle('broken', !canCommit);
    const drawn = majorities.join(';');
    if (drawn === this.#dots) return;
    this.#dots = drawn;
    dots.replaceChildren(
      ...majorities.map(([answering, needed, voters]) =>
        make('span', {}, ...Array.from({ length: voters }, (_, i) => dot(i < answering, i + 1 === needed))),
      ),
    );
  }

  /**
   * A property is violated: the run ends here. Or a link says so: then the run can go on.
   * @param {ViolationView} violation
   * @param {import('../run/model.js').Claim['state']} [said] what the page finds, if that is said
   */
  #stopAt(violation, said = '') {
    const { dataset } = document.documentElement;
    const stopped = `${violation.property} ${violation.time} ${said}`;
    const told = dataset.state === 'violated' && this.#stopped === stopped;
    if (this.clock.playing && !(told && said)) this.clock.pause();
    if (told) return;
    dataset.state = 'violated';
    this.#stopped = stopped;
    const { servers } = this.#model;
    const { claim, violationTitle, violationText } = strings;
    const what = {
      title: (said === 'refuted' ? claim.title : violationTitle)(violation),
      text: violation.first ? violationText(violation) : '',
      detail: said ? claim[said] : '',
    };
    const actions = /** @type {[string, () => void][]} */ ([
      [strings.approach.again, () => this.#approach.begin(this.#model, BEFORE.again)],
      [strings.whatItMeans, () => this.#reading.explain()],
      [strings.tryAnotherSeed, () => this.start({ seed: '', servers })],
    ]);
    showTrouble(what, actions, byId('violation', HTMLElement));
  }

  /** Someone went back to before a violation. */
  #goOn() {
    document.documentElement.dataset.state = 'running';
    hideTrouble();
  }

  /** The simulator panicked. @param {unknown} error */
  #stopForPanic(error) {
    this.clock.pause();
    document.documentElement.dataset.state = 'stopped';
    const { seed, servers, now } = this.#model;
    const { title, text } = strings.trouble.panic;
    showTrouble({ title, text: text(seed, servers, now), detail: panicMessage() || wordsOf(error) }, [reloadAction]);
  }

  #recolour() {
    this.#ring.recolour();
    this.#reading.recolour();
    this.#tape.recolour();
    drawLegend();
    this.#changed();
  }

  /** The browser went to another entry of its history, or the address was changed by hand. */
  #arrive() {
    const kept = this.#kept?.arrive(this.#model);
    if (!kept && !namesRun(location.hash)) {
      this.#kept?.stay();
      return;
    }
    try {
      const model = kept ?? makeModel(this.#Run, readAddress(location));
      this.#kept?.settle();
      this.#take(model);
    } catch (error) {
      this.#kept?.stay();
      showTrouble({ ...strings.trouble.badRun, text: wordsOf(error) }, [[strings.close, hideTrouble]]);
      this.#sharing.restore();
    }
  }

  #wireHeader() {
    byId('open-network', HTMLButtonElement).addEventListener('click', () => this.#networkDialog.open());
    byId('open-run', HTMLButtonElement).addEventListener('click', () => this.#runDialog.open());
    for (const id of ['open-help', 'all-signs']) {
      byId(id, HTMLButtonElement).addEventListener('click', () => this.#helpDialog.open());
    }
  }

  #wireKeys() {
    listenForKeys({
      ' ': () => this.toggle(),
      '.': () => this.step(true),
      ',': () => this.step(false),
      '[': () => this.#jumps.jump(false),
      ']': () => this.#jumps.jump(true),
      j: () => this.#jumps.choose(),
      z: () => this.#tape.zoom(1.6),
      x: () => this.#tape.zoom(1 / 1.6),
      w: () => this.#tape.fit(),
      b: () => this.#reading.show('branches'),
      u: () => this.#branches.undelete(),
      '+': () => this.#transport.change(1),
      '-': () => this.#transport.change(-1),
      '1 … 9': (key) => {
        if (Number(key) <= this.#model.frame.servers.length) this.#model.toggleServer(Number(key));
      },
      '/': () => byId('command', HTMLInputElement).focus(),
      p: () => this.#networkDialog.open(),
      h: () => this.#model.healAll(),
      n: () => this.#runDialog.open(),
      t: () => this.#theme.next(),
      s: () => this.#sharing.open(),
      f: () => this.#presenter.enter(),
      '?': () => this.#helpDialog.open(),
    });
  }
}
