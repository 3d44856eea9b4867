// @ts-check
// The first load. The test prints how long it takes until a cluster lives, for a person to
// compare, since other load on the machine makes it longer. It fails only where that is out of all
// proportion, or where a file comes late or twice.
import { expect, test } from './page.js';

/** The goals, in ms, and on a slow phone: its processor, its network. */
const GOALS = { here: 300, phone: 3_000 };
const PHONE = { processor: 6, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8 };
const OUT_OF_PROPORTION = 8;

/**
 * Milliseconds from the first byte to the first frame of a cluster.
 * @param {import('@playwright/test').Page} page
 */
async function firstLoad(page) {
  await page.addInitScript(() => {
    const observer = new MutationObserver(() => {
      if (document.documentElement?.dataset.state !== 'running') return;
      observer.disconnect();
      // Two frames later, the first one is on the screen.
      requestAnimationFrame(() => requestAnimationFrame(() => performance.mark('alive')));
    });
    observer.observe(document, { attributes: true, subtree: true, childList: true });
  });
  await page.goto('./?seed=7');
  const alive = () => page.evaluate(() => performance.getEntriesByName('alive')[0]?.startTime ?? 0);
  await expect.poll(alive).toBeGreaterThan(0);
  const [first] = await page.evaluate(() =>
    performance.getEntriesByType('navigation').map((entry) => /** @type {any} */ (entry).responseStart),
  );
  return (await alive()) - first;
}

for (const [where, goal] of Object.entries(GOALS)) {
  test(`the first load, ${where}`, async ({ page }, { annotations }) => {
    if (where === 'phone') {
      const { processor, ...network } = PHONE;
      const devtools = await page.context().newCDPSession(page);
      await devtools.send('Network.enable');
      await devtools.send('Network.emulateNetworkConditions', { offline: false, ...network });
      await devtools.send('Emulation.setCPUThrottlingRate', { rate: processor });
    }
    const took = await firstLoad(page);
    const words = `${Math.round(took)} ms from the first byte to a living cluster (goal: ${goal})`;
    annotations.push({ type: 'first load', description: words });
    console.log(`first load, ${where}: ${words}`);
    expect(took).toBeLessThan(OUT_OF_PROPORTION * goal);

    // What has been asked for until then, and the page itself; what comes when the browser is idle
    // comes later.
    const asked = await page.evaluate(() => {
      const [alive] = performance.getEntriesByName('alive');
      const early = performance.getEntriesByType('resource').filter(({ startTime }) => startTime < alive.startTime);
      return early.map(({ name }) => new URL(name).pathname);
    });
    expect(asked.length, asked.join()).toBeLessThan(9);
    for (const name of asked)
      if (!name.endsWith('.svg'))
        expect(
          asked.filter((other) => other === name),
          name,
        ).toHaveLength(1);
    // The page itself asks for the simulator, not a script that would have to run first.
    const early = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .filter((entry) => /** @type {any} */ (entry).initiatorType === 'link')
        .map(({ name }) => name.split('/').pop()),
    );
    expect(early).toEqual(expect.arrayContaining([expect.stringMatching(/\.wasm$/)]));
  });
}
