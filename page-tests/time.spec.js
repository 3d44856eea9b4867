// @ts-check
// Time in the page: playing, pausing, and the promise of a seed.
import { advanceBy, answer, expect, framesAfter, leader, open, openStill, setSpeed, tab, test, type } from './page.js';

const now = (/** @type {import('@playwright/test').Page} */ page) =>
  page.evaluate(() => /** @type {any} */ (window).raftarium.frame.now);

test('play, pause, step and speed', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByRole('button', { name: 'Play' })).toBeVisible();
  const still = await now(page);
  const events = await page.evaluate(() => /** @type {any} */ (window).raftarium.frame.events);
  await page.getByRole('button', { name: 'Step', exact: true }).click();
  expect(await page.evaluate(() => /** @type {any} */ (window).raftarium.frame.events)).toBe(events + 1);
  expect(await now(page)).toBeGreaterThanOrEqual(still);
  const speed = page.getByRole('slider', { name: 'Speed' });
  await speed.fill('1');
  await expect(page.locator('#speed-value')).toHaveText('10×');
  await speed.fill('-3');
  await expect(page.locator('#speed-value')).toHaveText('1/1000×');
  await expect(speed).toHaveAttribute('aria-valuetext', '1/1000 of real time');
  await page.getByRole('button', { name: 'Play' }).click();
  const before = await now(page);
  await expect.poll(() => now(page)).toBeGreaterThan(before);
});

test('paused, it draws nothing', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.locator('#verdict')).toHaveText(/so far/);
  const settled = await framesAfter(page, 5);
  expect(await framesAfter(page, 30)).toBe(settled);
  await page.getByRole('button', { name: 'Step', exact: true }).click();
  const stepped = await framesAfter(page, 5);
  expect(stepped).toBeGreaterThan(settled);
  expect(await framesAfter(page, 30)).toBe(stepped);
});

test('hidden, it draws nothing and time stands still; seen again, it goes on', async ({ page }) => {
  await open(page);
  const hide = (/** @type {boolean} */ hidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { value, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await hide(true);
  const frames = await framesAfter(page, 3);
  const still = await now(page);
  expect(await framesAfter(page, 30)).toBe(frames);
  expect(await now(page)).toBe(still);
  await hide(false);
  await expect.poll(() => now(page)).toBeGreaterThan(still);
});

test('the same seed plays the same run', async ({ page }) => {
  const hash = async () => {
    await page.evaluate(() => {
      const { raftarium } = /** @type {any} */ (window);
      raftarium.pause();
      raftarium.advanceTo(10_000_000);
    });
    return page.evaluate(() => /** @type {any} */ (window).raftarium.traceHash());
  };
  await open(page, '?seed=12345&servers=5');
  const first = await hash();
  expect(first).toMatch(/^[0-9a-f]{16}$/);
  await open(page, '?seed=6&servers=5');
  expect(await hash()).not.toBe(first);
  await open(page, '#seed=12345&servers=5');
  await expect(page.locator('#seed-value')).toHaveText('12345');
  expect(await hash()).toBe(first);
});

test('less motion asked for: it starts paused, and says so of what is sent', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page);
  await expect(page.getByRole('button', { name: 'Play' })).toBeVisible();
  await expect(page.locator('#verdict')).toHaveText(/so far/);
  const settled = await framesAfter(page, 5);
  expect(await framesAfter(page, 20)).toBe(settled);
  await type(page, 'put x 1');
  await expect(answer(page)).toContainText('press Play');
  await advanceBy(page, 1_000_000);
  await expect(answer(page)).toHaveText(/put x 1 → /);
});

test('logs follow their end until someone scrolls away', async ({ page }) => {
  await openStill(page);
  await advanceBy(page, 20_000_000);
  await expect(leader(page)).toHaveCount(1);
  const scroll = page.locator('.log-scroll');
  const atEnd = () => scroll.evaluate((node) => node.scrollLeft + node.clientWidth >= node.scrollWidth - 2);
  await expect.poll(atEnd).toBe(true);
  const last = await page.evaluate(() =>
    Math.max(.../** @type {any} */ (window).raftarium.frame.servers.map((/** @type {any} */ s) => s.lastIndex)),
  );
  expect(last).toBeGreaterThan(15);
  await expect(page.locator('.log-index:visible').filter({ hasText: new RegExp(`^${last}$`) })).toBeVisible();
  // Only what is in sight is in the document.
  expect(await page.locator('.entry').count()).toBeLessThan(5 * 25);
  await scroll.evaluate((node) => (node.scrollLeft = 0));
  await expect(page.getByRole('button', { name: 'To the end' })).toBeVisible();
  await expect(page.locator('.log-index:visible').filter({ hasText: /^1$/ })).toBeVisible();
  await advanceBy(page, 5_000_000);
  expect(await scroll.evaluate((node) => node.scrollLeft)).toBe(0);
  await page.getByRole('button', { name: 'To the end' }).click();
  await expect.poll(atEnd).toBe(true);
});

test('on a slow machine nothing waits for ever, and paused everything shown is right', async ({ page }) => {
  // Reading the clock takes five milliseconds, so that no frame has time to spare.
  await page.addInitScript(() => {
    const clock = performance.now.bind(performance);
    let late = 0;
    performance.now = () => clock() + (late += 5);
  });
  await open(page);
  const read = () =>
    page.evaluate(() => {
      const { raftarium } = /** @type {any} */ (window);
      const { servers } = raftarium.frame;
      const last = Math.max(...servers.map((/** @type {any} */ { lastIndex }) => lastIndex));
      const lines = raftarium.run.story(0, 400).filter((/** @type {any} */ { weight }) => weight !== 'detail');
      const operations = raftarium.run.operations(80);
      const of = (/** @type {string} */ of) => document.querySelector(of);
      return {
        expected: [last + 1, lines.at(-1).number, operations.at(-1).id].map(String),
        shown: [
          of('.log-table')?.getAttribute('aria-colcount'),
          of('#events [data-line]')?.getAttribute('data-line'),
          of('#operations [data-operation]')?.getAttribute('data-operation'),
        ],
        tape: Number(of('#tape-track')?.getAttribute('aria-valuemax')) - Math.round(raftarium.frame.end / 1e3),
      };
    });
  for (const name of ['Events', 'Clients']) {
    await tab(page, name);
    const { shown } = await read();
    await expect.poll(async () => (await read()).shown).not.toEqual(shown);
  }
  await setSpeed(page, 10);
  for (const [round, name] of ['Events', 'Clients', 'Events', 'Clients'].entries()) {
    await tab(page, name);
    await framesAfter(page, 12 + round);
    await page.getByRole('button', { name: 'Pause' }).click();
    await expect(page.getByRole('button', { name: 'Play' })).toBeVisible();
    const { expected, shown, tape } = await read();
    const place = name === 'Events' ? 1 : 2;
    expect([shown[0], shown[place], tape]).toEqual([expected[0], expected[place], 0]);
    await page.getByRole('button', { name: 'Play' }).click();
  }
});
