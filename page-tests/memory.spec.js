// @ts-check
// How much memory ten minutes of play leave in use.
import { expect, open, setSpeed, tab, test } from './page.js';

/**
 * Bytes in use after garbage collection, by scripts and by the simulator. @param
 * {import('@playwright/test').Page} page
 */
async function memory(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('HeapProfiler.enable');
  // One collection can be too few, since freed objects hold others, and the run goes on meanwhile.
  let scripts = Infinity;
  for (let round = 0; round < 4; round += 1) {
    await devtools.send('HeapProfiler.collectGarbage');
    const { usedSize } = await devtools.send('Runtime.getHeapUsage');
    scripts = Math.min(scripts, usedSize);
  }
  await devtools.detach();
  const simulator = await page.evaluate(async () => {
    // The module is loaded already: this import returns the page's own instance.
    const [glue] = performance.getEntriesByType('resource').filter(({ name }) => /raft_web-.*js$/.test(name));
    const { default: started } = await import(glue.name);
    return (await started()).memory.buffer.byteLength;
  });
  return { scripts, simulator };
}

test('ten minutes at full speed leave no more behind than two', async ({ page }, { annotations }) => {
  test.setTimeout(180_000);
  await open(page);
  await tab(page, 'Events');
  await setSpeed(page, 10);
  /** @param {number} seconds */
  const played = (seconds) =>
    page.waitForFunction((until) => /** @type {any} */ (window).raftarium.frame.now >= until, seconds * 1e6, {
      timeout: 120_000,
      polling: 100,
    });
  await played(120);
  const early = await memory(page);
  await played(600);
  const late = await memory(page);
  const grown = { scripts: late.scripts - early.scripts, simulator: late.simulator - early.simulator };
  const figures = `after 2 min ${JSON.stringify(early)}, after 10 min ${JSON.stringify(late)}, grown ${JSON.stringify(grown)} bytes`;
  annotations.push({ type: 'memory', description: figures });
  console.log(figures);
  expect(grown.scripts, 'scripts').toBeLessThan(1e6);
  expect(grown.simulator, 'simulator').toBeLessThan(8e6);
});
