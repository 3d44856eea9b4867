// @ts-check
// See it break: a run is played slowly into what breaks in it, and the page points at that.
import { counterexamples } from '../www/run/counterexamples.js';
import { aboutOf } from '../www/run/about.js';
import { rules } from '../www/run/rules.js';
import { expect, open, test } from './page.js';

/** @param {string} rule */
const without = (rule) => `#run=${counterexamples[rules.findIndex(([name]) => name === rule)]}&watch`;

/**
 * Opens such a run where it breaks.
 * @param {import('@playwright/test').Page} page
 * @param {string} rule
 */
async function openBroken(page, rule) {
  await page.goto(`./${without(rule).replace('&watch', '')}`);
  await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
}

/** @param {import('@playwright/test').Page} page */
const frame = (page) => page.evaluate(() => /** @type {any} */ (window).raftarium.frame);

/** @param {import('@playwright/test').Page} page */
const speed = (page) => page.evaluate(() => 10 ** Number(document.querySelector('input#speed')?.value));

test('a run is played slowly into what breaks, and then the page points at it', async ({ page }) => {
  await open(page, without('vote-once-per-term'));
  await expect(page.locator('#toast')).toContainText('the moment at which Election Safety breaks');
  await expect(page.locator('#play')).toHaveText('Pause');
  await expect.poll(() => speed(page)).toBeLessThan(1 / 14);
  const { now, end } = await frame(page);
  expect(now).toBeLessThan(end);
  // It gets slower near the end, and comes to it by itself.
  await page.evaluate(() => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.advanceTo(raftarium.frame.end - 10_000);
  });
  await expect.poll(() => speed(page)).toBeLessThan(1 / 59);
  await expect(page.locator('html')).toHaveAttribute('data-state', 'violated', { timeout: 20_000 });
  const { violation } = await frame(page);
  const { servers } = aboutOf(violation);
  expect(servers).toHaveLength(2);
  // Whoever plays on has the usual speed again.
  await expect.poll(() => speed(page)).toBeCloseTo(10 ** -1.4, 3);

  const accused = page.locator('#logs .log-row.accused .log-name b');
  await expect(accused).toHaveText(servers.map((id) => `S${id}`));
  await expect(page.locator('#violation').getByRole('button').first()).toHaveText('Watch the last second');
});

test('the last second can be watched again', async ({ page }) => {
  await openBroken(page, 'persist-before-acknowledging');
  const { now, violation } = await frame(page);
  expect(now).toBe(violation.time);
  await page.locator('#violation').getByRole('button', { name: 'Watch the last second' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-state', 'running');
  await expect(page.locator('#play')).toHaveText('Pause');
  const { now: again } = await frame(page);
  expect(again).toBeLessThan(violation.time);
  expect(again).toBeGreaterThanOrEqual(Math.max(0, violation.time - 1_000_000));
  // Who chooses another speed has it.
  await page.keyboard.press('+');
  const chosen = await speed(page);
  await expect.poll(async () => (await frame(page)).now).toBeGreaterThan(again);
  expect(await speed(page)).toBeCloseTo(chosen, 6);
});

test('the entries and servers of a violation are marked in the logs, and the rest is faint', async ({ page }) => {
  await openBroken(page, 'persist-before-acknowledging');
  const { violation } = await frame(page);
  expect(violation.property).toBe('Leader Completeness');
  const [index] = aboutOf(violation).entries;
  const cells = page.locator('#logs .entry.accused:visible');
  await expect(cells).toHaveCount(2);
  for (const cell of await cells.all()) await expect(cell).toBeInViewport();
  await expect(page.locator('#logs .log-index.accused')).toHaveText(String(index));
  const faint = page.locator('#logs .log-row:not(.log-head, .accused)').first();
  // It keeps its contrast, and loses its colours.
  const colour = () => faint.locator('.log-name b').evaluate((node) => getComputedStyle(node).color);
  const dull = await colour();
  // Before it, nothing is.
  await page.evaluate((time) => /** @type {any} */ (window).raftarium.seek(time - 1), violation.time);
  await expect(page.locator('#logs .accused:visible')).toHaveCount(0);
  await expect(page.locator('#logs .pointing')).toHaveCount(0);
  expect(await colour()).not.toBe(dull);
});

test('what it means is said of these servers and entries, then in general', async ({ page }) => {
  await openBroken(page, 'vote-once-per-term');
  const { violation } = await frame(page);
  await page.locator('#violation').getByRole('button', { name: 'What it means' }).click();
  const known = page.locator('#safety .violation');
  await expect(known).toBeFocused();
  const [one, other] = aboutOf(violation).servers;
  await expect(known.locator('.means')).toContainText(`S${one} and S${other} have both been elected in one term`);
  await expect(known).toContainText('In general: At most one server leads a term');
  // Promises are passed over in such a run, and the lamps say so.
  const lamps = page.locator('#lamps');
  await expect(lamps.getByRole('button', { name: 'One Vote a Term: not looked at in this run' })).toHaveCount(1);
  await expect(lamps.getByRole('button', { name: 'Election Safety: broken' })).toHaveCount(1);
});

test('with less motion nothing plays by itself, and the page says how to', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, without('commit-only-own-term'));
  const box = page.locator('#violation');
  await expect(box).toContainText('breaks at');
  await expect(box).toContainText('less motion');
  await expect(page.locator('#play')).toHaveText('Play');
  const { now, end } = await frame(page);
  expect(now).toBe(Math.max(0, end - 2_000_000));
  expect(now).toBeLessThan(end);
  await box.getByRole('button', { name: 'Play slowly into it' }).click();
  await expect(box).toBeHidden();
  await expect.poll(async () => (await frame(page)).now).toBeGreaterThan(now);
});

test('acting on the way begins a branch, and ends the approach', async ({ page }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open(page, without('commit-only-own-term'));
  await page.keyboard.press('h');
  await expect.poll(async () => (await frame(page)).branches).toBe(2);
  await expect(page.locator('#violation')).toBeHidden();
});
