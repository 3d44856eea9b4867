// @ts-check
// Where the page begins: loads the simulator and shows a run, or says why it can't.

import { App, makeModel } from './app/app.js';
import { reloadAction, showTrouble, wordsOf } from './kit/errors.js';
import { explainTerms } from './kit/explained.js';
import { askedMode } from './app/embed.js';
import { KeptRuns } from './share/kept-runs.js';
import { readAddress } from './share/link.js';
import moduleName from './pkg/raft_web_bg.wasm';
import * as strings from './words/strings.js';

/** Loads the simulator, or says why it can't. */
async function load() {
  if (typeof WebAssembly === 'undefined') {
    fail(strings.trouble.noWasm, [reloadAction]);
    return null;
  }
  try {
    const simulator = await import('./pkg/raft_web.js');
    await simulator.default({ module_or_path: new URL(moduleName, document.baseURI) });
    return simulator.Run;
  } catch (error) {
    const { seed } = readAddress(location);
    const detail = `${wordsOf(error)}${seed ? ` (${strings.text.seed} ${seed})` : ''}`;
    fail({ ...strings.trouble.load, detail }, [reloadAction]);
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
  let model;
  const kept = askedMode() === 'embed' ? null : new KeptRuns(Run);
  try {
    model = kept?.find() ?? makeModel(Run, readAddress(location));
  } catch (error) {
    const startFresh = () => location.assign(location.pathname);
    fail({ ...strings.trouble.badRun, text: wordsOf(error) }, [[strings.tryAnotherSeed, startFresh]]);
    // Another link may be put into the address.
    addEventListener('hashchange', () => begin(Run), { once: true });
    return;
  }
  const app = new App(Run, model, kept);
  // For engineers and tests: the run, the clock that plays it, and the
  // lab.
  Object.assign(window, {
    raftarium: {
      get run() {
        return app.model?.run;
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
        app.model?.advanceTo(time);
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
strings.fill(document);
explainTerms();
const Run = await loaded;
if (Run) begin(Run);
