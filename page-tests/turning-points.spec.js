// @ts-check
// What just happened: the clock slows for it, the last sentences stay, steps say what they did, and
// nothing lags behind a fast run.
import { advanceBy, expect, framesAfter, leaderId, openStill, quiet, setSpeed, test } from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

const frame = (/** @type {Page} */ page) => page.evaluate(() => /** @type {any} */ (window).raftarium.frame);
const act = (/** @type {Page} */ page, /** @type {object} */ action) =>
  page.evaluate((action) => /** @type {any} */ (window).raftarium.act(action), action);
/** The story so far, without details. @param {Page} page @returns {Promise<any[]>} */
const story = (page) =>
  page.evaluate(() =>
    /** @type {any} */ (window).raftarium.run
      .story(0, 4000)
      .filter((/** @type {any} */ { weight }) => weight !== 'detail'),
  );

test('from a campaign to its end the run slows by itself; a switch, which is remembered, stops that', async ({
  page,
}) => {
  await page.addInitScript(() => {
    if (!sessionStorage.getItem('begun')) localStorage.setItem('raftarium.slow-at-turning-points', 'on');
    sessionStorage.setItem('begun', 'yes');
  });
  await openStill(page);
  await quiet(page);
  const slow = page.getByRole('checkbox', { name: 'slow at turning points' });
  await expect(slow).toBeChecked();
  const speed = page.locator('#speed-value');
  await expect(speed).toHaveText('1/25×');
  const play = () => page.getByRole('button', { name: 'Play' }).click();
  const campaign = async () => {
    await act(page, { do: 'crash', server: await leaderId(page) });
    for (let i = 0; i < 2_000; i++) {
      const { servers } = await frame(page);
      if (servers.some((/** @type {any} */ { role }) => role === 'pre-candidate' || role === 'candidate')) return;
      await advanceBy(page, 1_000);
    }
    throw new Error('nobody campaigned');
  };
  await campaign();
  await play();
  await expect(speed).toHaveText('1/150×');
  await expect(speed).toHaveClass(/slowed/);
  await leaderId(page);
  await expect(speed).toHaveText('1/25×');
  await expect(speed).not.toHaveClass(/slowed/);
  // Switched off, it doesn't, and that is so after a reload.
  await slow.uncheck();
  await page.reload();
  await expect(slow).not.toBeChecked();
  await quiet(page);
  await setSpeed(page, 0.01);
  await campaign();
  await play();
  await framesAfter(page, 30);
  await expect(speed).toHaveText('1/100×');
  await expect(speed).not.toHaveClass(/slowed/);
});

test('the last four sentences stay under the stage, and only the newest is read out', async ({ page }) => {
  await openStill(page);
  await quiet(page);
  const first = await leaderId(page);
  const others = [1, 2, 3, 4, 5].filter((id) => id !== first);
  for (const server of others.slice(0, 2)) await act(page, { do: 'pause', server });
  for (const server of others.slice(0, 2)) await act(page, { do: 'resume', server });
  const [one, two] = others;
  await expect(page.locator('#why q')).toHaveText(`S${two} runs again.`);
  await expect(page.locator('#earlier p span')).toHaveText([
    `S${one} is paused; messages wait for it.`,
    `S${two} is paused; messages wait for it.`,
    `S${one} runs again.`,
  ]);
  await expect(page.locator('#earlier')).toHaveAttribute('aria-hidden', 'true');
  await expect(page.locator('#live')).toHaveText(`S${two} runs again.`);
  // In a small window there is room for fewer; the newest always stays.
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(page.locator('#earlier p:visible')).toHaveCount(1);
  await page.setViewportSize({ width: 844, height: 390 });
  await expect(page.locator('#earlier p:visible')).toHaveCount(0);
});

test('every step forward says what it did, and every step back what it undid', async ({ page }) => {
  await openStill(page);
  await advanceBy(page, 40_000);
  const why = page.locator('#why q');
  /** @type {string[]} */
  const said = [];
  for (let i = 0; i < 25; i++) {
    const { events } = await frame(page);
    await page.keyboard.press('.');
    await expect.poll(async () => (await frame(page)).events).toBe(events + 1);
    await framesAfter(page, 2);
    said.push((await why.textContent()) ?? '');
    await expect(page.locator('#live')).toHaveText(said[i]);
  }
  expect(said.every((words) => words.length > 10)).toBe(true);
  // Sentences, and what has none: messages that arrive.
  expect(said.some((words) => /→ S\d: (arrived|sent)/.test(words))).toBe(true);
  expect(new Set(said).size).toBeGreaterThan(8);
  for (const words of said.toReversed()) {
    const { events } = await frame(page);
    await page.keyboard.press(',');
    await expect.poll(async () => (await frame(page)).events).toBe(events - 1);
    await framesAfter(page, 2);
    await expect(why).toHaveText(`Undone: ${words}`);
  }
  // What a person did is undone like the rest.
  await act(page, { do: 'pause', server: 1 });
  await expect(why).toHaveText('S1 is paused; messages wait for it.');
  await page.keyboard.press(',');
  await expect(why).toHaveText('Undone: S1 is paused; messages wait for it.');
  // At the beginning there is nothing to undo.
  await page.evaluate(() => /** @type {any} */ (window).raftarium.seek(0));
  for (let i = 0; i < 40 && (await frame(page)).events > 0; i++) {
    await page.keyboard.press(',');
    await framesAfter(page, 2);
  }
  await page.keyboard.press(',');
  await expect(why).toHaveText('This is the beginning: there is nothing to undo.');
});

test('at ten times the speed of real time the sentence does not lag behind the clock', async ({ page }) => {
  await openStill(page);
  await quiet(page);
  await setSpeed(page, 10);
  // Crashes and restarts are turning points; between them, commits are not.
  await page.evaluate(() => {
    const { raftarium } = /** @type {any} */ (window);
    /** @type {any} */ (window).lags = [];
    let frames = 0;
    let crashed = 0;
    const look = () => {
      const lines = raftarium.run.story(0, 4000).filter((/** @type {any} */ { weight }) => weight !== 'detail');
      const shown = document.querySelector('#why q')?.textContent;
      const at = lines.findLastIndex((/** @type {any} */ { text }) => text === shown);
      // The first that has come since, and how long ago that was: a turning point, or anything.
      const next = lines.slice(at + 1);
      const turning = next.find((/** @type {any} */ { weight }) => weight === 'turning');
      const behind = (/** @type {any} */ line) => (line ? raftarium.frame.now - line.time : 0);
      const fast = lines[at]?.weight === 'turning';
      /** @type {any} */ (window).lags.push([at < 0 ? Infinity : behind(turning), fast ? 0 : behind(next[0])]);
      if (++frames % 40 === 0) {
        crashed = crashed ? 0 : 1 + (frames % 5);
        raftarium.act(crashed ? { do: 'crash', server: crashed } : { do: 'restart-all' });
      }
      if (frames < 300) requestAnimationFrame(look);
      else raftarium.pause();
    };
    raftarium.play();
    requestAnimationFrame(look);
  });
  await expect.poll(() => page.evaluate(() => /** @type {any} */ (window).lags.length), { timeout: 120_000 }).toBe(300);
  const lags = /** @type {[number, number][]} */ (await page.evaluate(() => /** @type {any} */ (window).lags)).slice(
    10,
  );
  // A frame plays at most one second, and a sentence waits for one second at most.
  expect(Math.max(...lags.map(([turning]) => turning))).toBeLessThan(2.5e6);
  expect(Math.max(...lags.map(([, any]) => any))).toBeLessThan(2.5e6);
  expect((await story(page)).length).toBeGreaterThan(50);
});
