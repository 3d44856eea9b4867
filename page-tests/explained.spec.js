// @ts-check
// Terms and sources are explained where they stand: by a press, a key, or the pointer.
import { noViolations } from './axe.js';
import { expect, open, openStill, tab, test } from './page.js';

/** @param {import('@playwright/test').Page} page */
const box = (page) => page.locator('.explanation');

test('a term is explained by a press and by a key, and Escape leads back', async ({ page }) => {
  await open(page);
  const term = page.locator('#logs-panel small').getByRole('button', { name: 'committed' });
  await term.click();
  const dialog = page.getByRole('dialog', { name: 'committed' });
  await expect(dialog).toBeFocused();
  await expect(dialog).toContainText('it will never be lost');
  await page.keyboard.press('Escape');
  await expect(box(page)).toHaveCount(0);
  await expect(term).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog).toBeFocused();
  // A press elsewhere closes it.
  await page.mouse.click(5, 5);
  await expect(box(page)).toHaveCount(0);
});

test('where the pointer rests, the explanation comes and goes with it', async ({ page }) => {
  await open(page);
  const term = page.locator('#legend').getByRole('button', { name: 'heartbeat' });
  await term.hover();
  await expect(box(page)).toContainText('the leader says that it is alive');
  await expect(box(page)).not.toBeFocused();
  await box(page).hover();
  await expect(box(page)).toBeVisible();
  await page.mouse.move(2, 2);
  await expect(box(page)).toHaveCount(0);
});

test('the source of the sentence under the ring can be looked up', async ({ page }) => {
  // While it plays, another sentence may come with another source.
  await openStill(page);
  const source = page.locator('#why cite').getByRole('button');
  const name = await source.textContent();
  await source.click();
  await expect(page.getByRole('dialog')).toContainText(`${name}: `);
  await expect(page.locator('#explanation-text')).not.toContainText('no explanation');
});

test('in the list of events a source is beside its line, and does not go there', async ({ page }) => {
  await open(page);
  await page.locator('#play').click();
  await tab(page, 'Events');
  const { now } = await page.evaluate(() => /** @type {any} */ (window).raftarium.frame);
  const line = page
    .locator('.event')
    .filter({ has: page.locator('cite') })
    .last();
  await line.locator('cite button').click();
  await expect(box(page)).toBeVisible();
  await page.keyboard.press('Escape');
  expect((await page.evaluate(() => /** @type {any} */ (window).raftarium.frame)).now).toBe(now);
  // Up and down go from line to line, to the right is the source.
  const first = page.locator('.event .go').first();
  await first.focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.locator('.event .go').nth(1)).toBeFocused();
});

test('the words of the inspector stay in focus while their values change', async ({ page }) => {
  await open(page);
  await tab(page, 'Server');
  const term = page.locator('#server').getByRole('button', { name: 'commitIndex' });
  await term.focus();
  await page.evaluate(() => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.pause();
    raftarium.advanceTo(raftarium.frame.now + 2_000_000);
  });
  await expect(term).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'commitIndex: commit index' })).toContainText('may lag behind');
});

test('sources and terms are explained within a dialog, too, and change nothing there', async ({ page }) => {
  await open(page);
  await page.keyboard.press('n');
  const dialog = page.getByRole('dialog', { name: 'New run' });
  await dialog.locator('summary').first().click();
  const rule = dialog.locator('.rule').filter({ hasText: 'commit only own term' });
  await rule.getByRole('button', { name: 'Raft §5.4.2' }).click();
  await expect(dialog.locator('.explanation')).toContainText('an entry of its own term');
  await page.keyboard.press('Escape');
  await expect(dialog).toBeVisible();
  await rule.getByRole('button', { name: 'Figure 8' }).click();
  await expect(dialog.locator('.explanation')).toContainText('still be overwritten');
  await expect(rule.getByRole('checkbox')).toBeChecked();
});

test('the sheet lists every term, and the marks in the logs', async ({ page }) => {
  await open(page);
  await page.keyboard.press('?');
  const dialog = page.locator('#help-dialog');
  for (const term of ['term', 'quorum', 'pre-candidate', 'learner', 'match', 'next', 'no-op', 'read index', 'lease'])
    await expect(dialog.locator('.words dt').filter({ hasText: new RegExp(`^${term}$`) })).toHaveCount(1);
  await expect(dialog.locator('.log-sign')).toHaveCount(8);
  for (const role of ['pre-candidate', 'learner'])
    await expect(dialog.locator('.signs b', { hasText: role })).toHaveCount(1);
  await noViolations(page, 'the sheet');
});
