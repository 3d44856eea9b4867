// @ts-check
// Where the page begins: loads the simulator, makes the views, and connects what people do to the run.

/** @typedef {import('./link.js').Wanted} Wanted */

import { Clock } from './clock.js';
import { Console } from './console.js';
import { byId, lessMotion, setText } from './dom.js';
import { hideTrouble, reloadAction, showTrouble, wordsOf } from './errors.js';
import { HelpDialog } from './help-dialog.js';
import { listenForKeys } from './keys.js';
import { drawLegend } from './legend.js';
import { addressOf, putAddress, readAddress } from './link.js';
import { Logs } from './logs.js';
import { Model } from './model.js';
import { NetworkDialog } from './network-dialog.js';
import { Operations } from './operations.js';
import { Ring } from './ring.js';
import { RunDialog } from './run-dialog.js';
import { Stores } from './stores.js';
import { Story } from './story.js';
import * as strings from './strings.js';
import { wireTabs } from './tabs.js';
import { Theme } from './theme.js';
import { Transport } from './transport.js';
import { Twins } from './twins.js';

const root = document.documentElement;

/** Loads the simulator, or says why it can't. */
async function load() {
  if (typeof WebAssembly === 'undefined') {
    root.dataset.state = 'failed';
    showTrouble(strings.trouble.noWasm, [reloadAction]);
    return null;
  }
  try {
    const simulator = await import('./pkg/raft_web.js');
    await simulator.default();
    return simulator.Run;
  } catch (error) {
    root.dataset.state = 'failed';
    const { seed } = readAddress(location);
    const detail = `${wordsOf(error)}${seed ? ` (${strings.text.seed} ${seed})` : ''}`;
    showTrouble({ ...strings.trouble.load, detail }, [reloadAction]);
    return null;
  }
}

/** @param {typeof import('./pkg/raft_web.js').Run} Run */
function begin(Run) {
  /** @param {Wanted} wanted */
  const makeModel = ({ seed, servers }) => {
    if (!(Number.isInteger(servers) && servers >= 1 && servers <= 9)) throw new Error(strings.badServers);
    return new Model(new Run(seed, servers));
  };

  /** @type {Model} */
  let model;
  try {
    model = makeModel(readAddress(location));
  } catch (error) {
    root.dataset.state = 'failed';
    const afresh = () => location.assign(location.pathname);
    showTrouble({ ...strings.trouble.badRun, text: wordsOf(error) }, [[strings.tryAnotherSeed, afresh]]);
    return;
  }

  const clock = new Clock({ advance: (micros) => model.advance(micros), draw });
  const changed = () => clock.invalidate();
  const stage = byId('stage', HTMLElement);
  const ring = new Ring(byId('ring', HTMLCanvasElement), model.servers);
  const twins = new Twins(ring, stage, {
    server: (id) => model.toggleServer(id),
    link: (a, b) => model.toggleLink(a, b),
    changed,
  });
  const logs = new Logs();
  const stores = new Stores();
  const operations = new Operations(changed);
  const story = new Story(changed);
  const commands = new Console(() => model);
  const toggle = () => (clock.playing ? clock.pause() : model.dead || clock.play());
  const step = () => {
    clock.pause();
    model.step();
  };
  const transport = new Transport(clock, { toggle, step });

  function draw() {
    const { frame } = model;
    ring.draw(frame);
    twins.update(frame);
    const { who, so } = strings.quorum(frame.quorum);
    const [first, second] = byId('quorum', HTMLElement).children;
    setText(first, who);
    setText(second, so);
    byId('quorum', HTMLElement).classList.toggle('broken', !frame.quorum.canCommit);
    logs.update(model);
    stores.update(model);
    operations.update(model);
    story.update(model, clock.playing);
    commands.update(model, clock.playing);
    transport.update(model);
    if (frame.violation && clock.playing) showViolation();
  }

  function showViolation() {
    const { violation } = model.frame;
    if (!violation) return;
    clock.pause();
    showTrouble({ title: strings.violationTitle(violation, model.seed), text: strings.violationText(violation) }, [
      [strings.tryAnotherSeed, () => start({ seed: '', servers: model.servers })],
    ]);
  }

  function showRun() {
    hideTrouble();
    root.dataset.state = 'running';
    model.listen({
      change: changed,
      panic: (error) => {
        clock.pause();
        root.dataset.state = 'stopped';
        const { title, text } = strings.trouble.panic;
        showTrouble({ title, text: text(model.seed, model.servers, model.now), detail: wordsOf(error) }, [reloadAction]);
      },
    });
    model.open();
    putAddress(model);
    setText(byId('seed-value', HTMLElement), model.seed);
    ring.reset(model.servers);
    twins.reset(model.servers);
    logs.reset(model);
    for (const view of [stores, operations, story, commands]) view.reset();
    if (lessMotion.matches || model.dead) clock.pause();
    else clock.play();
  }

  /** @param {Wanted} wanted */
  function start(wanted) {
    const fresh = makeModel(wanted);
    model.free();
    model = fresh;
    showRun();
  }

  const networkDialog = new NetworkDialog(() => model);
  const runDialog = new RunDialog(() => model, start);
  const helpDialog = new HelpDialog();
  const theme = new Theme(() => {
    ring.recolour();
    drawLegend();
    changed();
  });
  wireTabs(byId('tabs', HTMLElement));
  drawLegend();

  const seed = byId('seed', HTMLButtonElement);
  seed.addEventListener('click', async () => {
    const link = addressOf(model);
    const said = await navigator.clipboard.writeText(link).then(() => strings.copied, () => strings.copyFailed(link));
    setText(byId('live', HTMLElement), said);
    seed.dataset.said = said === strings.copied ? said : '';
    seed.addEventListener('blur', () => delete seed.dataset.said, { once: true });
    seed.addEventListener('pointerleave', () => delete seed.dataset.said, { once: true });
  });
  byId('open-network', HTMLButtonElement).addEventListener('click', () => networkDialog.open());
  byId('open-run', HTMLButtonElement).addEventListener('click', () => runDialog.open());
  byId('open-help', HTMLButtonElement).addEventListener('click', () => helpDialog.open());
  listenForKeys(
    {
      ' ': toggle,
      '.': step,
      '+': () => transport.change(1),
      '=': () => transport.change(1),
      '-': () => transport.change(-1),
      '/': () => byId('command', HTMLInputElement).focus(),
      '?': () => helpDialog.open(),
      p: () => networkDialog.open(),
      h: () => model.healAll(),
      n: () => runDialog.open(),
      t: () => theme.next(),
    },
    (server) => {
      if (server <= model.servers) model.toggleServer(server);
    },
  );
  new ResizeObserver(() => {
    ring.resize();
    twins.place();
    changed();
  }).observe(stage);
  addEventListener('hashchange', () => {
    try {
      start(readAddress(location));
    } catch (error) {
      showTrouble({ ...strings.trouble.badRun, text: wordsOf(error) }, [[strings.close, hideTrouble]]);
    }
  });

  showRun();

  // For engineers and tests: the run, and the clock that plays it.
  Object.assign(window, {
    raftarium: {
      get run() {
        return model.run;
      },
      get frame() {
        return model.frame;
      },
      play: () => clock.play(),
      pause: () => clock.pause(),
      /** @param {number} time */
      advanceTo: (time) => {
        model.advanceTo(time);
        changed();
      },
      traceHash: () => model.traceHash(),
    },
  });
}

strings.fill(document);
root.dataset.loading = '';
const Run = await load();
if (Run) begin(Run);
