// @ts-check
// The stage and the tape at fixed moments, stroke by stroke, as SVGs: a diff shows what
// changed, and unlike pixels they don't depend on the machine's fonts. UPDATE_PICTURES=1 renews
// them: look at them before you commit them.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { counterexamples } from '../www/run/counterexamples.js';
import { SvgContext } from '../www/draw/svg-context.js';
import { expect, framesAfter, open, test } from './page.js';

const FOLDER = 'page-tests/snapshots';

/**
 * What is done, and when it is looked at.
 * @type {Record<string, { query?: string, dark?: boolean, at: number, before?: object[] }>}
 */
const moments = {
  'an-election': { at: 0.205 },
  'writes-under-way': { at: 1.03, before: [{ do: 'submit', command: 'put colour teal' }] },
  'a-minority-cut-off': {
    at: 3,
    before: [
      { do: 'partition', groups: [0, 0, 0, 1, 1] },
      { do: 'crash', server: 3 },
    ],
  },
  'nine-servers-that-lose-messages': {
    query: '?seed=7&servers=9',
    at: 1.115,
    before: [{ do: 'set-loss', share: 300_000 }],
  },
  'in-the-dark': { dark: true, at: 1.045, before: [{ do: 'submit', command: 'put colour teal' }] },
};

/** Makes every letter equally wide, so that positions don't depend on the installed fonts. */
function evenLetters() {
  CanvasRenderingContext2D.prototype.measureText = function (words) {
    const size = Number.parseFloat(/([\d.]+)px/.exec(this.font)?.[1] ?? '12');
    return /** @type {any} */ ({ width: 0.55 * size * words.length });
  };
}

/** Compares a picture with the recorded one. @param {string} name @param {string} svg */
async function sameAsKept(name, svg) {
  expect(svg.match(/<(path|line|rect|circle|text)/g)?.length).toBeGreaterThan(20);
  const file = `${FOLDER}/${name}.svg`;
  if (process.env.UPDATE_PICTURES) {
    await mkdir(FOLDER, { recursive: true });
    await writeFile(file, svg);
  }
  expect(svg).toBe(await readFile(file, 'utf8'));
}

for (const [name, { query, dark, at, before }] of Object.entries(moments)) {
  test(`the stage: ${name}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    await page.addInitScript(evenLetters);
    await open(page, query);
    await page.evaluate(
      ([moment, actions]) => {
        const { raftarium } = /** @type {any} */ (window);
        raftarium.pause();
        raftarium.run.seek(1_000_000);
        raftarium.act(...actions);
        raftarium.run.seek(moment);
        raftarium.advanceTo(moment);
      },
      /** @type {const} */ ([at * 1e6, before ?? []]),
    );
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('dialog').getByRole('button', { name: 'SVG', exact: true }).click(),
    ]);
    await sameAsKept(name, await readFile(await download.path(), 'utf8'));
  });
}

/**
 * A call on a drawing context, with its arguments, or a property with its value. @typedef {[string,
 * any]} Stroke
 */

/**
 * Has what is drawn on canvases that are not the ring's written down, from when they were last
 * cleared.
 */
function writeDown() {
  const { getContext } = HTMLCanvasElement.prototype;
  /** @type {WeakMap<HTMLCanvasElement, [string, any][]>} */
  const strokes = new WeakMap();
  /** @type {any} */ (HTMLCanvasElement.prototype).getContext = function (/** @type {any[]} */ ...how) {
    const real = /** @type {any} */ (getContext).apply(this, how);
    if (this.isConnected && this.id !== 'tape-canvas') return real;
    const done = strokes.get(this) ?? [];
    strokes.set(this, done);
    return new Proxy(real, {
      get: (_, name) =>
        typeof real[name] !== 'function'
          ? real[name]
          : (/** @type {any[]} */ ...given) => {
              if (name === 'clearRect') done.length = 0;
              if (name === 'drawImage') done.push(['drawImage', [strokes.get(given[0])]]);
              else if (name !== 'measureText') done.push([String(name), given]);
              return real[name](...given);
            },
      set: (_, name, value) => {
        done.push([String(name), value]);
        real[name] = value;
        return true;
      },
    });
  };
  /** @type {any} */ (window).strokesOf = (/** @type {string} */ id) =>
    strokes.get(/** @type {HTMLCanvasElement} */ (document.getElementById(id)));
}

/**
 * Replays strokes; the SVGs here have no clips and no images. @param {any} c @param {Stroke[]}
 * strokes
 */
function drawAgain(c, strokes) {
  for (const [name, value] of strokes) {
    if (name === 'drawImage') drawAgain(c, value[0]);
    else if (!Array.isArray(value)) c[name] = value;
    else if (typeof c[name] === 'function') c[name](...value);
  }
}

/**
 * @type {Record<string, { dark?: boolean, query?: string, done: (page:
 * import('@playwright/test').Page) => Promise<void> }>}
 */
const tapes = {
  'a-tape-with-branches': {
    done: async (page) => {
      await page.evaluate(() => {
        const { run, act } = /** @type {any} */ (window).raftarium;
        const at = (/** @type {number} */ seconds) => run.seek(seconds * 1e6);
        at(2);
        act({ do: 'submit', command: 'put colour teal' }, { do: 'crash', server: 2 });
        at(3);
        act({ do: 'restart', server: 2 }, { do: 'partition', groups: [0, 0, 0, 1, 1] });
        at(4);
        act({ do: 'heal-all' }, { do: 'pause', server: 4 });
        at(6);
        for (const [moment, server] of [
          [4.5, 4],
          [5, 5],
          [5.5, 1],
        ]) {
          at(moment);
          act({ do: 'crash', server });
          at(moment + server);
        }
      });
      await page.keyboard.press(',');
    },
  },
  'a-tape-of-a-violation-in-the-dark': {
    dark: true,
    query: `#run=${counterexamples[13]}`,
    done: async (page) => {
      for (const key of ['z', 'z', 'z', 'z', ',']) await page.keyboard.press(key);
    },
  },
};

for (const [name, { dark, query, done }] of Object.entries(tapes)) {
  test(`the tape: ${name}`, async ({ page }) => {
    // Without animations.
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' });
    await page.addInitScript(evenLetters);
    await page.addInitScript(writeDown);
    await page.goto(`./${query ?? '?seed=7'}`);
    await expect(page.locator('html')).toHaveAttribute('data-state', query ? 'violated' : 'running');
    await done(page);
    await framesAfter(page, 5);
    /** @type {Stroke[]} */
    const strokes = await page.evaluate(() => /** @type {any} */ (window).strokesOf('tape-canvas'));
    const size = await page.locator('#tape-canvas').boundingBox();
    if (!size) throw new Error('the tape has no place');
    // The tape uses no transformations.
    /** @type {any} */ (globalThis).DOMMatrix ??= class {
      isIdentity = true;
    };
    const c = new SvgContext(/** @type {any} */ (null));
    drawAgain(c, strokes);
    await sameAsKept(name, c.whole(size.width, size.height));
  });
}
