// @ts-check
// Where the page begins: loads the simulator and shows a run, or says why it can't.

import { App, runAsWanted } from './app/app.js';
import { reloadAction, showTrouble, wordsOf } from './kit/errors.js';
import { explainTerms } from './kit/explained.js';
import { askedMode } from './app/embed.js';
import { KeptRuns } from './share/kept-runs.js';
import { readAddress } from './share/link.js';
import moduleName from './pkg/raft_web_bg.wasm';
import * as common from './words/common.js';

/** Loads the simulator, or says why it can't. */
async function load() {
  if (typeof WebAssembly === 'undefined') {
    fail(common.trouble.noWasm, [reloadAction]);
    return null;
  }
  try {
    const simulator = await import('./pkg/raft_web.js');
    await simulator.default({ module_or_path: new URL(moduleName, document.baseURI) });
    return simulator.Run;
  } catch (error) {
    const { seed } = readAddress(location);
    const detail = `${wordsOf(error)}${seed ? ` (${common.text.seed} ${seed})` : ''}`;
    fail({ ...common.trouble.load, detail }, [reloadAction]);
    return null;
  }
}

/** @type {typeof showTrouble} */
function fail(what, actions) {
  document.documentElement.dataset.state = 'failed';
  showTrouble(what, actions);
}

/** @param {typeof import('./pkg/raft_web.js').Run} Run */
function begin(Run) {
  let simulated;
  const kept = askedMode() === 'embed' ? null : new KeptRuns(Run);
  try {
    simulated = kept?.find() ?? runAsWanted(Run, readAddress(location));
  } catch (error) {
    const startFresh = () => location.assign(location.pathname);
    fail({ ...common.trouble.badRun, text: wordsOf(error) }, [[common.tryAnotherSeed, startFresh]]);
    // Another link may be put into the address.
    addEventListener('hashchange', () => begin(Run), { once: true });
    return;
  }
  const app = new App(Run, simulated, kept);
  // For engineers and tests: the run, the clock that plays it, and the
  // lab.
  Object.assign(window, {
    raftarium: {
      get run() {
        return app.simulated?.run;
      },
      get frame() {
        return app.source.frame;
      },
      get claimed() {
        return app.source.claimed;
      },
      play: () => app.clock.play(),
      pause: () => app.clock.pause(),
      /** @param {number} time */
      advanceTo: (time) => {
        app.simulated?.advanceTo(time);
        app.clock.invalidate();
      },
      /** @param {number} time */
      seek: (time) => app.source.seek(time),
      /** @param {import('./pkg/tables.js').Action[]} actions */
      act: (...actions) => app.source.acting?.act(...actions),
      /** The source that is shown, and another in its place. */
      get source() {
        return app.source;
      },
      /** @param {import('./run/source.js').Source} source */
      show: (source) => app.show(source),
      traceHash: () => app.source.repeating?.traceHash(),
      lab: app.lab,
    },
  });
}

document.documentElement.dataset.loading = '';
// The simulator comes meanwhile.
const loaded = load();
common.fill(document);
explainTerms();
const Run = await loaded;
if (Run) begin(Run);
