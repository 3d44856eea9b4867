// @ts-check
// The lab: a worker with a module of its own, which is fetched when something asks for it.
import { readFileSync } from 'node:fs';
import { advanceBy, expect, open, openStill, tab, test, type } from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

const dialog = (/** @type {Page} */ page) => page.getByRole('dialog', { name: 'Share this run' });
const openShare = (/** @type {Page} */ page) => page.getByRole('button', { name: 'Share', exact: true }).click();
/** A hunt that finds something soon. */
const HUNT = { first: '0', servers: 3, length: 20e6, faults: 'full', without: ['vote-once-per-term'], all: false };

/**
 * Lets the lab's module do something else than it does.
 * @param {Page} page
 * @param {string} script
 */
const tamperLab = (page, script) =>
  page.route('**/worker-*.js', async (route) => {
    const response = await route.fetch();
    const before = `{
      const load = WebAssembly.instantiateStreaming;
      WebAssembly.instantiateStreaming = async (...given) => {
        const { instance, module } = await load(...given);
        const exports = { ...instance.exports };
        ${script}
        return { module, instance: { exports } };
      };
    }\n`;
    await route.fulfill({ response, body: before + (await response.text()) });
  });

test('nothing of it is fetched before a cluster lives', async ({ page }) => {
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (document.documentElement?.dataset.state !== 'running') return;
      observer.disconnect();
      performance.mark('alive');
    }).observe(document, { attributes: true, subtree: true, childList: true });
  });
  await open(page);
  /** When its script was asked for, after a cluster lived. */
  const after = () =>
    page.evaluate(() => {
      const [worker] = performance.getEntriesByType('resource').filter(({ name }) => /\/worker-[^/]*$/.test(name));
      return worker && worker.startTime - performance.getEntriesByName('alive')[0].startTime;
    });
  await expect.poll(after).toBeGreaterThan(0);
  // It judges what clients have seen.
  await expect(page.locator('#verdict')).toHaveText('clients: linearizable so far');
});

test('a hunt tells how far it is, and its failing run is shrunk and opens in the page', async ({ page }) => {
  await open(page);
  const { found, told, shrunk, tried } = await page.evaluate(async (options) => {
    const { lab } = /** @type {any} */ (window).raftarium;
    /** @type {any[]} */
    const told = [];
    /** @type {any[]} */
    const tried = [];
    const progress = (/** @type {any} */ seen) => told.push(seen);
    const found = await lab.hunt({ ...options, count: 200 }, { progress });
    const bytes = found.failed[0].bytes;
    const shrunk = await lab.shrink(bytes, 300, { progress: (/** @type {any} */ seen) => tried.push(seen) });
    const file = await lab.writeFile(shrunk.bytes, 'found by a hunt', null);
    const transfer = new DataTransfer();
    transfer.items.add(new File([file], 'found.json'));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }));
    return { found, told, shrunk, tried };
  }, HUNT);
  expect(found).toMatchObject({ seeds: told.length, stopped: false });
  expect(found.failed).toHaveLength(1);
  expect(told.at(-1)).toEqual({ seeds: found.seeds, events: found.events, time: found.time, failed: 1 });
  expect(shrunk.finding.property).toBe(found.failed[0].finding.property);
  expect(tried.at(-1).actions).toBeLessThan(tried[0].actions + 1);
  await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
  await expect(page.locator('#violation')).toContainText(`${shrunk.finding.property} is broken`);
});

test('a hunt that is stopped has what it has found, and others are answered in between', async ({ page }) => {
  await open(page);
  const result = await page.evaluate(async (options) => {
    const { lab, run } = /** @type {any} */ (window).raftarium;
    const stop = new AbortController();
    /** @type {(value?: unknown) => void} */
    let begun = () => {};
    const playing = new Promise((done) => (begun = done));
    const watch = { signal: stop.signal, progress: () => begun() };
    const hunt = lab.hunt({ ...options, without: [], count: 1e9, all: true }, watch);
    await playing;
    // It would take days.
    const verdict = await lab.judge(run.bytes());
    stop.abort();
    const early = AbortSignal.abort();
    return { verdict, hunt: await hunt, early: await lab.hunt({ ...options, count: 1e9 }, { signal: early }) };
  }, HUNT);
  expect(result.verdict.state).toBe('linearizable');
  expect(result.hunt.stopped).toBe(true);
  expect(result.hunt.seeds).toBeGreaterThan(0);
  expect(result.early).toMatchObject({ stopped: true, seeds: 0 });
});

test('what can’t be asked is refused in a sentence', async ({ page }) => {
  await open(page);
  const said = await page.evaluate(async (options) => {
    const { lab } = /** @type {any} */ (window).raftarium;
    const refusal = (/** @type {Promise<unknown>} */ asked) => asked.then(String, (error) => error.message);
    return [
      await refusal(lab.hunt({ ...options, count: 1, faults: 'fire' })),
      await refusal(lab.shrink(Uint8Array.of(1), 10)),
      await refusal(lab.readFile(new Blob([new Uint8Array(17 * 1024 * 1024)]))),
    ];
  }, HUNT);
  expect(said[0]).toContain('“fire” are no faults of a hunt');
  expect(said[1]).toContain('the bytes end');
  expect(said[2]).toContain('are too many for a scenario file');
});

test('when it stops, that is said, and it begins anew for the next request', async ({ page }) => {
  // Whoever is first breaks it, as a panic would.
  await tamperLab(
    page,
    `exports.shiviz = () => { globalThis.raftariumPanic = 'made up'; throw new WebAssembly.RuntimeError('unreachable'); };`,
  );
  await openStill(page, '?seed=31&servers=3');
  await openShare(page);
  await dialog(page).getByRole('button', { name: 'ShiViz' }).click();
  await expect(dialog(page).getByRole('status')).toContainText('It is a bug in Raftarium');
  await expect(dialog(page).getByRole('status')).toContainText('made up');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog(page).getByRole('button', { name: 'Trace' }).click(),
  ]);
  expect(readFileSync(await download.path()).length).toBeGreaterThan(0);
  await expect(dialog(page).getByRole('status')).toHaveText('Saved.');
});

test('while it loads, the button that needs it says so; where it can’t be, that is said', async ({
  page,
  complaints,
}) => {
  /** @type {() => void} */
  let letGo = () => {};
  const held = new Promise((done) => (letGo = () => done(null)));
  await page.route('**/raft_lab_bg-*.wasm', async (route) => {
    await held;
    await route.continue();
  });
  await openStill(page, '?seed=31&servers=3');
  await openShare(page);
  const button = dialog(page).getByRole('button', { name: 'Save scenario' });
  await button.click();
  await expect(button).toHaveAttribute('aria-busy', 'true');
  await expect(dialog(page).getByRole('status')).toHaveText('Loading what this needs…');
  // Pressing it again does nothing more.
  let downloads = 0;
  page.on('download', () => downloads++);
  await button.click();
  letGo();
  await expect(dialog(page).getByRole('status')).toHaveText('Saved.');
  await expect(button).not.toHaveAttribute('aria-busy');
  expect(downloads).toBe(1);

  await page.unroute('**/raft_lab_bg-*.wasm');
  await page.route('**/raft_lab_bg-*.wasm', (route) => route.abort());
  await page.goto('./?seed=32');
  await openShare(page);
  await button.click();
  await expect(dialog(page).getByRole('status')).toContainText('A part of this page could not be loaded');
  await expect(page.locator('#verdict')).toHaveText(/clients: not judged|clients: being judged/);
  await page.unroute('**/raft_lab_bg-*.wasm');
  await Promise.all([page.waitForEvent('download'), button.click()]);
  complaints.length = 0;
});

test('a verdict shows only on the run, the branch and the moments that it is about', async ({ page }) => {
  await openStill(page);
  const verdict = page.locator('#verdict');
  // The verdict on what has been played is held back.
  await page.evaluate(() => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.held = [];
    raftarium.lab.judge = (/** @type {any} */ bytes) =>
      new Promise((done) => raftarium.held.push((/** @type {any} */ view) => done(view), bytes));
  });
  const answer = (/** @type {string} */ state) =>
    page.evaluate((is) => {
      const { held } = /** @type {any} */ (window).raftarium;
      held.shift()({ state: is, answers: 3, first: 'this', second: 'that' });
      held.shift();
    }, state);
  const asked = () => page.evaluate(() => /** @type {any} */ (window).raftarium.held.length / 2);
  await type(page, 'put x 1');
  await advanceBy(page, 2_000_000);
  await expect.poll(asked).toBe(1);
  await answer('broken');
  await expect(verdict).toHaveText('clients: not linearizable');
  await tab(page, 'Safety');
  await expect(page.locator('.verdict')).toContainText('What clients saw is not linearizable: this, but that.');
  // Before that moment it has not been seen.
  await page.evaluate(() => /** @type {any} */ (window).raftarium.seek(100_000));
  await expect(verdict).toHaveText('clients: being judged');
  await expect(page.locator('.verdict')).toContainText('is being judged');
  await expect.poll(asked).toBe(1);
  // While that is judged, another run begins: it isn't about that one.
  await page.keyboard.press('n');
  await page.getByRole('dialog', { name: 'New run' }).getByRole('button', { name: 'Start', exact: true }).click();
  await expect(verdict).not.toHaveText('clients: not linearizable');
  await answer('broken');
  await expect.poll(asked).toBe(1);
  await expect(verdict).not.toHaveText('clients: not linearizable');
  await answer('undecided');
  await expect(verdict).toHaveText('clients: undecided');
});

test('hunting in the worker', async ({ page }, { annotations }) => {
  await open(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  const measured = await page.evaluate(async () => {
    const { lab } = /** @type {any} */ (window).raftarium;
    const options = { servers: 0, length: 60e6, faults: 'full', without: [], all: true };
    // The engine optimises what has run for a while.
    await lab.hunt({ ...options, first: '100', count: 10 });
    const began = performance.now();
    const { seeds, events, failed } = await lab.hunt({ ...options, first: '0', count: 50 });
    return { seeds, events, failed: failed.length, took: (performance.now() - began) / 1e3 };
  });
  const { seeds, events, took } = measured;
  const words = `${seeds} seeds of a minute in ${took.toFixed(2)} s: ${(events / took / 1e6).toFixed(2)} million events/s`;
  annotations.push({ type: 'hunt in the worker', description: words });
  console.log(`hunt in the worker: ${words}`);
  expect(measured).toMatchObject({ seeds: 50, failed: 0 });
});
