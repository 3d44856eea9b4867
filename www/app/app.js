// @ts-check
// The page around a run: connects its views, its clock, and what people do.

/** @typedef {import('../share/link.js').Wanted} Wanted */
/** @typedef {Omit<import('../../web/view.d.ts').ViolationView, 'about'>} ViolationView */
/** @typedef {import('../panels/panel.js').Page} Page */
/** @typedef {import('../panels/panel.js').View} View */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {typeof import('../pkg/raft_web.js').Run} RunClass */

import { Approach, BEFORE } from './approach.js';
import { BranchActions } from '../panels/branch-actions.js';
import { Clock } from './clock.js';
import { Console } from './command-line.js';
import { byId, lessMotion, make, setText } from '../kit/dom.js';
import { askedMode, embed } from './embed.js';
import { hideTrouble, reloadAction, showTrouble, wordsOf, panicMessage } from '../kit/errors.js';
import { StageGestures } from '../stage/gestures.js';
import { openDoor } from './door.js';
import { noteVisit, seenBefore } from './first-visit.js';
import { Jumps } from './jumps.js';
import { Lab } from '../lab/client.js';
import { listenForKeys } from '../kit/keys.js';
import { drawLegend } from './legend.js';
import { closeDialogs, openDialog } from '../kit/dialog.js';
import { forgetPalette } from '../draw/palette.js';
import { lazily } from '../kit/lazy.js';
import { isPlain, namesRun, pageAddress, readAddress, readLesson } from '../share/link.js';
import { progress } from '../lessons/progress.js';
import { closeMenu } from '../kit/menu.js';
import { Logs } from '../panels/logs.js';
import { SimulatedRun } from '../run/simulated-run.js';
import { PageState } from '../run/page-state.js';
import { Quorum } from '../stage/quorum.js';
import { rememberedSwitch } from '../kit/remembered-switch.js';
import { Ring } from '../stage/ring.js';
import { Sentence } from '../stage/sentence.js';
import { Sharing } from '../share/sharing.js';
import { SidePanel } from '../panels/side-panel.js';
import { whyNot } from '../run/source.js';
import { Story } from '../run/story.js';
import * as common from '../words/common.js';
import * as strings from '../words/app.js';
import { Tape } from '../tape/tape.js';
import { Theme } from '../kit/theme.js';
import { hideToast, toast } from '../kit/toast.js';
import { Transport } from './transport.js';
import { TurningPoints } from './turning-points.js';
import { StageButtons } from '../stage/buttons.js';

/**
 * A run as asked for; throws an Error with a sentence when there can't be one.
 * @param {RunClass} Run @param {Wanted} wanted
 */
export function runAsWanted(Run, { shared, found, watch = false, seed, servers, without, settings }) {
  if (shared !== undefined) {
    const run = Run.fromLink(shared);
    if (!found) return Object.assign(runFromElsewhere(Run, run, 'moment', '', null), { watch });
    const { what, at, first, second } = found;
    const claim = { ...Run.found(shared, what, at, first, second), at: at ?? '' };
    return Object.assign(runFromElsewhere(Run, run, 'moment', '', claim), { watch });
  }
  // Of anything else, there are none.
  const count = Number.isInteger(servers) && servers > 0 ? servers : 0;
  return new SimulatedRun(new Run(seed, count, without, settings), Run.usualSettings());
}

/**
 * A run that came from elsewhere.
 * @param {RunClass} Run @param {InstanceType<RunClass>} run @param {'moment' | 'beginning'} origin
 * @param {string} note @param {import('../lab/client.js').FoundView | null} found
 */
function runFromElsewhere(Run, run, origin, note, found) {
  const simulated = Object.assign(new SimulatedRun(run, Run.usualSettings()), { origin, note });
  // What was found in a run that plays differently here was found in another.
  if (found && !simulated.differs) simulated.claim = { ...found, branch: simulated.frame.branch, state: '' };
  return simulated;
}

const NO_LESSON = { name: '', packed: '', step: 0, run: '' };
/** No lesson has more bytes. */
const LONGEST_LESSON = 256 * 1024;
/** What a run is that was opened at a moment. */
const FROM_LINK = { origin: /** @type {const} */ ('moment') };

export class App {
  #Run;
  /** @type {Source} */ #source;
  /**
   * The simulated run that was shown last: a new one begins with its settings.
   * @type {SimulatedRun}
   */
  #run;
  #changed = () => this.clock.invalidate();

  // First, since those who draw read the colours when they are made.
  #theme = new Theme(() => this.#recolour());
  lab = new Lab();
  clock = new Clock({
    advance: (micros) => this.#source.advance(micros),
    draw: () => this.#draw(),
    paceAt: (speed, passed) =>
      this.#source.pacing && !this.#approach.on ? this.#turningPoints.paceAt(this.#source.frame, speed, passed) : speed,
  });
  #turningPoints = new TurningPoints();
  #state = new PageState(this.#changed);
  #approach = new Approach(this.clock);
  #heartbeats = byId('heartbeats', HTMLInputElement);
  #story = new Story();
  #sentence = new Sentence(this.#story, () => this.clock.pace);
  #ring = new Ring(byId('ring', HTMLCanvasElement), this.#state);
  #stageButtons;
  #gestures;
  #branches = new BranchActions(
    this.#state,
    () => this.#showPanel('branches'),
    () => this.#draw(),
  );
  #panels;
  #transport = new Transport(this.clock, { toggle: () => this.toggle(), step: (forward) => this.step(forward) });
  #jumps = new Jumps({ source: () => this.#source, pause: () => this.clock.pause() });
  #tape = new Tape(this.#state, {
    changed: this.#changed,
    hold: (held) => this.#hold(held),
    press: (branch, lane) => this.#branches.menu(branch, lane),
  });
  /** All that shows something of the source, in the order in which it is drawn. @type {View[]} */
  #views;
  #resume = () => {};
  /** What it has stopped for. */
  #stopped = '';
  // Parts that come when they are asked for.
  #networkDialog = lazily(async () => {
    const { NetworkDialog } = await import('./network-dialog.js');
    return new NetworkDialog(() => this.#source);
  });
  #runDialog = lazily(async () => {
    const { RunDialog } = await import('./new-run-dialog.js');
    return new RunDialog(
      this.#Run,
      () => this.#run,
      (wanted) => this.start(wanted),
    );
  });
  #helpDialog = lazily(async () => new (await import('./help-dialog.js')).HelpDialog());
  #presenter = lazily(async () => {
    const { Presenter } = await import('./presenter.js');
    const presenter = new Presenter(this.#state, {
      toggle: () => this.toggle(),
      jump: (forward) => this.#jumps.jump(forward, 'notable'),
      step: (forward) => this.step(forward),
      playing: () => this.clock.playing,
      stopAtCommit: (index) => {
        this.#jumps.jump(false, 'commit');
        // Where nothing has happened since, that was the commit before.
        const known = this.#source.frame.servers.some(({ commitIndex }) => commitIndex >= index);
        if (!known) this.#jumps.jump(true, 'commit');
      },
    });
    this.#views.push(presenter);
    return presenter;
  });
  #sharing;
  #kept;
  #lessons = lazily(async () => {
    const { Lessons } = await import('../lessons/lessons.js');
    const lessons = new Lessons({
      lab: this.lab,
      clock: this.clock,
      read: (link) => Object.assign(new SimulatedRun(this.#Run.fromLink(link), this.#Run.usualSettings()), FROM_LINK),
      take: (simulated) => this.#take(simulated),
      simulated: () => this.#run,
      source: () => this.#source,
      enter: () => this.#enterLesson(),
      leave: (kept) => this.#leaveLesson(kept),
      choose: (tab) => this.#panels.choose(tab),
      address: (hash) => history.replaceState(history.state, '', pageAddress(hash, false)),
    });
    this.#views.push(lessons);
    return lessons;
  });
  /** Whether a lesson is open: then the address is its own, and its runs aren't kept. */
  #inLesson = false;
  /** The speed that somebody has chosen, while a lesson has its own. */
  #ownSpeed = 0;
  /** Whether the entry of the browser's history is a lesson's already. */
  #atLesson = false;
  /** Takes the door of a first visit away. */
  #shutDoor = () => {};

  /**
   * @param {RunClass} Run @param {SimulatedRun} simulated the first run
   * @param {import('../share/kept-runs.js').KeptRuns | null} kept where runs are kept, if they are
   */
  constructor(Run, simulated, kept) {
    this.#Run = Run;
    this.#source = this.#run = simulated;
    this.#kept = kept;
    const stage = byId('stage', HTMLElement);
    /** @type {Page} */
    const page = {
      state: this.#state,
      story: this.#story,
      branches: this.#branches,
      changed: this.#changed,
      goTo: (time) => this.#goTo(time),
      goToLine: (line) => this.#goToLine(line),
      show: (panel) => this.#showPanel(panel),
      inspect: (server) => this.#inspect(server),
      newRun: () => this.#openRun(),
      lab: this.lab,
    };
    this.#panels = new SidePanel(page);
    this.#gestures = new StageGestures(this.#ring, this.#state, {
      source: () => this.#source,
      inspect: page.inspect,
      openNetwork: () => this.#openNetwork(),
      pauseForNow: () => this.#pauseForNow(),
      changed: this.#changed,
    });
    this.#stageButtons = new StageButtons(this.#ring, this.#state, stage, {
      server: (id, button) => this.#gestures.server(id, button),
      link: (a, b, button) => this.#gestures.link(a, b, button),
      message: (id, button) => this.#gestures.message(id, button),
    });
    this.#heartbeats.addEventListener('change', () => this.#state.set({ heartbeats: this.#heartbeats.checked }));
    new ResizeObserver(() => {
      this.#ring.resize();
      this.#stageButtons.place();
      this.#changed();
    }).observe(stage);
    drawLegend();
    this.#views = [
      this.#ring,
      this.#stageButtons,
      this.#story,
      this.#sentence,
      new Quorum(),
      new Logs(this.#state),
      this.#branches,
      this.#panels,
      new Console(),
      this.#tape,
      this.#transport,
    ];
    this.#sharing = new Sharing({
      Run,
      lab: this.lab,
      simulated: () => this.#run,
      other: (file) => this.#openIfLesson(file),
      take: (run, origin, note, found) => this.#replace(runFromElsewhere(Run, run, origin, note, found)),
      scene: () => this.#scene(),
      present: () => this.#present(),
      collect: () => this.#lessons().then((lessons) => lessons?.collect()),
      stop: (error) => this.#stopForPanic(error),
    });
    this.#wireHeader();
    const slow = byId('slow-at-turning-points', HTMLInputElement);
    rememberedSwitch(slow, 'raftarium.slow-at-turning-points', (on) => (this.#turningPoints.on = on));
    const mode = askedMode();
    if (mode === 'embed')
      embed(
        () => this.simulated,
        () => (this.#inLesson ? location.hash.slice(1) : ''),
      );
    else this.#wireKeys();
    if (mode === 'present') this.#present();
    addEventListener('popstate', () => this.#arrive());
    addEventListener('pagehide', () => kept?.keep(this.#ownRun));
    document.addEventListener('visibilitychange', () => document.hidden && kept?.keep(this.#ownRun));
    const first = !mode && !seenBefore();
    const { at } = progress();
    const lesson = readLesson(location) ?? (mode || !isPlain(location) || !at ? null : { ...NO_LESSON, ...at });
    if (lesson) this.#openLesson(lesson);
    else if (first && isPlain(location)) {
      this.#shutDoor = openDoor({
        learn: () => this.#lessons().then((lessons) => lessons?.open('', 0)),
        explore: () => {
          this.#shutDoor();
          this.#hint();
        },
      });
    } else if (first) this.#hint();
    this.#show();
  }

  async #hint() {
    noteVisit();
    // Their room is kept, so that nothing moves when they come. Who can't have them does without.
    const room = make('div', { class: 'hint-room' });
    byId('seed', HTMLElement).parentElement?.before(room);
    const part = await import('./hints.js').catch(() => null);
    if (part) this.#views.push(new part.Hints(room));
  }

  /** The run that somebody plays with, and that is kept: not a lesson's. */
  get #ownRun() {
    return this.#inLesson ? null : this.simulated;
  }

  // Lessons

  /** Whether the address is a lesson's. */
  get #isLessons() {
    return this.#inLesson || this.#atLesson;
  }

  /** Opens the lesson of the address. @param {import('../lessons/lessons.js').Wanted} wanted */
  #openLesson(wanted) {
    document.documentElement.dataset.guided ??= 'lesson';
    this.#atLesson = true;
    this.#lessons().then((lessons) => {
      if (lessons) lessons.openWanted(wanted);
      else this.#leaveLesson(true);
    });
  }

  /** @param {File} file */
  async #openIfLesson(file) {
    if (file.size > LONGEST_LESSON || !/"raftarium-(lesson|playlist)"/.test(await file.text())) return false;
    (await this.#lessons())?.openFile(file);
    return true;
  }

  #enterLesson() {
    noteVisit();
    this.#shutDoor();
    if (!this.#atLesson) {
      this.#sharing.restore();
      this.#kept?.replace(this.simulated);
    }
    this.#atLesson = false;
    this.#inLesson = true;
    this.#ownSpeed = this.clock.speed;
  }

  /** @param {boolean} kept whether the run that is shown is kept */
  #leaveLesson(kept) {
    const { dataset } = document.documentElement;
    if (dataset.guided === 'lesson') delete dataset.guided;
    delete dataset.shown;
    delete dataset.look;
    this.#atLesson = false;
    if (!this.#inLesson) return;
    this.#inLesson = false;
    this.clock.speed = this.#ownSpeed;
    if (kept) this.#sharing.show(this.simulated);
  }

  /** The simulated run that is shown; null where something else is. */
  get simulated() {
    return this.#source instanceof SimulatedRun ? this.#source : null;
  }

  get source() {
    return this.#source;
  }

  /** How many servers there were at the beginning, if that is known, or are now. */
  get #serversAtFirst() {
    const { repeating, frame } = this.#source;
    return repeating?.servers ?? frame.servers.length;
  }

  /** Plays or pauses. */
  toggle() {
    if (this.clock.playing) this.clock.pause();
    else if (this.#source.frame.violation) toast(strings.runIsOver);
    else if (!this.#source.dead) this.clock.play();
  }

  /** Plays one event, or goes back by one. @param {boolean} forward */
  step(forward) {
    this.clock.pause();
    const source = this.#source;
    const before = source.frame;
    this.#story.update(before);
    const { lines, read } = this.#story;
    if (forward) source.step();
    else source.stepBack();
    if (source.dead) return;
    this.#story.update(source.frame);
    const now = this.#story.read;
    const changed = forward
      ? this.#story.lines.filter(({ number }) => number > read)
      : lines.filter(({ number }) => number > now);
    this.#sentence.step(before, source.frame, changed);
  }

  /** Whether somebody drags on the tape: the run is paused meanwhile. @param {boolean} held */
  #hold(held) {
    if (held) this.#resume = this.#pauseForNow();
    else this.#resume();
  }

  /** The stage as a picture, with the sentence under it. */
  #scene() {
    const { frame, name, now, claimed } = this.#source;
    const { layout, palette } = this.#ring;
    const said = frame.violation ?? claimed;
    const why = this.#sentence.words;
    const sentence = said ? [strings.violationTitle(said), said.first && strings.violationText(said)].join(' ') : why;
    const origin = common.origin(name, now);
    const draw = (/** @type {CanvasRenderingContext2D} */ c) => this.#ring.drawOn(c, frame);
    return { name: `raftarium-${name}`, width: layout.width, height: layout.height, draw, palette, sentence, origin };
  }

  /** @param {number} server */
  #inspect(server) {
    this.#state.set({ server });
    this.#showPanel('server');
  }

  /** Brings a panel into sight, wherever that is in this mode. @param {string} name */
  #showPanel(name) {
    const { mode } = document.documentElement.dataset;
    // A player in a frame has no panels: the whole page has.
    if (mode === 'embed') byId('open-whole', HTMLAnchorElement).click();
    else if (mode === 'present')
      this.#presenter().then((presenter) => {
        presenter?.read();
        this.#panels.show(name);
      });
    else this.#panels.show(name);
  }

  #openNetwork() {
    if (this.#acting()) openDialog(this.#networkDialog);
  }

  #openRun() {
    openDialog(this.#runDialog);
  }

  #listLessons() {
    this.#lessons().then((lessons) => lessons?.contents());
  }

  #openHelp() {
    openDialog(this.#helpDialog);
  }

  #present() {
    // A lesson is presented by itself.
    if (this.#inLesson) this.#lessons().then((lessons) => lessons?.present());
    else this.#presenter().then((presenter) => presenter?.enter());
  }

  /** @param {number} time */
  #goTo(time) {
    this.clock.pause();
    this.#source.seek(time);
  }

  /** Goes to what a sentence is about. @param {number} line its number */
  #goToLine(line) {
    this.clock.pause();
    this.#source.seekNews(line);
  }

  /** Pauses the run if it plays; the function that it returns lets it play on. */
  #pauseForNow() {
    if (!this.clock.playing) return () => {};
    this.clock.pause();
    return () => this.#source.dead || this.clock.play();
  }

  /**
   * Puts another run in place of this one; throws when there can't be one.
   * @param {Wanted} wanted
   */
  start(wanted) {
    this.#replace(runAsWanted(this.#Run, wanted));
  }

  /** Shows another source in place of this one. @param {Source} fresh */
  #replace(fresh) {
    this.#shutDoor();
    if (!this.#isLessons) this.#sharing.restore();
    this.#kept?.replace(this.#ownRun);
    this.#take(fresh);
  }

  /** @param {Source} fresh */
  show(fresh) {
    this.#replace(fresh);
  }

  /** @param {Source} fresh */
  #take(fresh) {
    // They are about the run that there was.
    closeMenu();
    closeDialogs();
    this.#source.free();
    this.#source = fresh;
    this.#run = this.simulated ?? this.#run;
    this.#show();
  }

  /** Shows the source that there is now. */
  #show() {
    const source = this.#source;
    hideTrouble();
    document.documentElement.dataset.state = 'running';
    source.listen({
      change: this.#changed,
      panic: (error) => this.#stopForPanic(error),
      refusal: toast,
      judge: (bytes) => this.lab.judge(bytes),
    });
    this.simulated?.open();
    setText(byId('seed-value', HTMLElement), source.name);
    byId('open-share', HTMLElement).hidden = !source.repeating;
    byId('open-network', HTMLElement).hidden = !source.acting;
    this.#state.reset();
    this.#turningPoints.reset();
    for (const view of this.#views) view.reset(source);
    if (lessMotion.matches || source.dead || this.simulated?.origin === 'moment') this.clock.pause();
    else this.clock.play();
    if (!this.#isLessons) this.#sharing.show(this.simulated);
    if (this.simulated?.watch) this.#approach.begin(this.simulated, BEFORE.first);
  }

  #draw() {
    this.#tape.follow();
    const { frame, claimed } = this.#source;
    const { playing } = this.clock;
    if (this.simulated) this.#approach.update(this.simulated, playing);
    this.#heartbeats.checked = this.#state.heartbeats;
    for (const view of this.#views) view.update(frame, playing);
    if (!this.#isLessons) this.#sharing.update(this.simulated, playing);
    if (frame.violation) this.#stopAt(frame.violation);
    else if (claimed) this.#stopAt(claimed, claimed.state);
    else if (document.documentElement.dataset.state === 'violated') this.#goOn();
  }

  /**
   * A property is violated: the run ends here. Or a link says so: then the run can go on.
   * @param {ViolationView} violation
   * @param {import('../run/simulated-run.js').Claim['state']} [said] what the page finds, if that
   * is said
   */
  #stopAt(violation, said = '') {
    const { dataset } = document.documentElement;
    const stopped = `${violation.property} ${violation.time} ${said}`;
    const told = dataset.state === 'violated' && this.#stopped === stopped;
    if (this.clock.playing && !(told && said)) this.clock.pause();
    if (told) return;
    dataset.state = 'violated';
    this.#stopped = stopped;
    const servers = this.#serversAtFirst;
    const { claim } = common;
    const { violationTitle, violationText } = strings;
    const what = {
      title: (said === 'refuted' || said === 'asked' ? claim.title : violationTitle)(violation),
      text: violation.first ? violationText(violation) : '',
      detail: said ? claim[said] : '',
    };
    const actions = /** @type {[string, () => void][]} */ ([
      [strings.approach.again, () => this.simulated && this.#approach.begin(this.simulated, BEFORE.again)],
      [strings.whatItMeans, () => this.#explain()],
      // A frame has little room, and stays with its run.
      ...(dataset.mode === 'embed' ? [] : [[common.tryAnotherSeed, () => this.start({ seed: '', servers })]]),
    ]);
    hideToast();
    showTrouble(what, actions, byId('violation', HTMLElement));
  }

  /** Says what it means that something is broken, and how it was. */
  #explain() {
    this.#state.explained = 'violation';
    this.#showPanel('safety');
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
    const { name: seed, now } = this.#source;
    const servers = this.#serversAtFirst;
    const { title, text } = common.trouble.panic;
    showTrouble({ title, text: text(seed, servers, now), detail: panicMessage() || wordsOf(error) }, [reloadAction]);
  }

  #recolour() {
    forgetPalette();
    for (const view of this.#views) view.recolour?.();
    drawLegend();
    this.#changed();
  }

  /** The browser went to another entry of its history, or the address was changed by hand. */
  #arrive() {
    const lesson = readLesson(location);
    if (lesson) {
      this.#kept?.keep(this.#ownRun);
      this.#kept?.settle();
      this.#openLesson(lesson);
      return;
    }
    const kept = this.#kept?.arrive(this.#ownRun);
    if (!kept && !namesRun(location.hash)) {
      this.#kept?.stay();
      return;
    }
    try {
      const simulated = kept ?? runAsWanted(this.#Run, readAddress(location));
      this.#kept?.settle();
      this.#take(simulated);
    } catch (error) {
      this.#kept?.stay();
      showTrouble({ ...common.trouble.badRun, text: wordsOf(error) }, [[common.close, hideTrouble]]);
      this.#sharing.restore();
    }
  }

  #wireHeader() {
    byId('open-network', HTMLButtonElement).addEventListener('click', () => this.#openNetwork());
    byId('open-run', HTMLButtonElement).addEventListener('click', () => this.#openRun());
    byId('open-lessons', HTMLButtonElement).addEventListener('click', () => this.#listLessons());
    for (const id of ['open-help', 'all-signs']) {
      byId(id, HTMLButtonElement).addEventListener('click', () => this.#openHelp());
    }
  }

  /** What acts on the cluster; where nothing can, says why. */
  #acting() {
    const why = whyNot(this.#source, 'acting');
    if (why) toast(why);
    return this.#source.acting;
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
      b: () => this.#showPanel('branches'),
      u: () => this.#branches.undelete(),
      '+': () => this.#transport.change(1),
      '-': () => this.#transport.change(-1),
      '1 … 9': (key) => {
        if (Number(key) > this.#source.frame.servers.length) return;
        this.#acting()?.toggleServer(Number(key));
      },
      '/': () => byId('command', HTMLInputElement).focus(),
      p: () => this.#openNetwork(),
      h: () => this.#acting()?.healAll(),
      n: () => this.#openRun(),
      l: () => this.#listLessons(),
      t: () => this.#theme.next(),
      s: () => this.#sharing.open(),
      f: () => this.#present(),
      '?': () => this.#openHelp(),
    });
  }
}
