// @ts-check
// What a first visit is told: three hints, once, and out of the way.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, open, server, test } from './page.js';

/** A page that nobody has opened before. @param {import('@playwright/test').BrowserContext} context */
const firstVisit = (context) => context.newPage();

test('three hints, once', async ({ context }) => {
  const page = await firstVisit(context);
  await open(page);
  const hints = page.getByRole('complementary', { name: 'Hints for a first visit' });
  await expect(hints).toContainText('1/3');
  // They take nobody's focus, and cover no server.
  await expect(page.locator('body')).toBeFocused();
  await server(page, 4).click();
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('Escape');
  await hints.getByRole('button', { name: 'Next' }).click();
  await expect(hints).toContainText('2/3');
  await hints.getByRole('button', { name: 'Next' }).focus();
  await page.keyboard.press('Enter');
  await expect(hints).toContainText('3/3');
  const { violations } = await new AxeBuilder({ page }).include('.hint-card').analyze();
  expect(violations).toEqual([]);
  await hints.getByRole('button', { name: 'Next' }).click();
  await expect(hints).toBeHidden();
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-state', 'running');
  await expect(hints).toHaveCount(0);
});

test('hints are sent away, and move nothing when they go', async ({ context }) => {
  const page = await firstVisit(context);
  await open(page);
  const places = () =>
    page.evaluate(() => {
      const views = ['#stage', '#quorum', '#why', '#legend', '#transport'];
      return views.map((id) => document.querySelector(id)?.getBoundingClientRect().top);
    });
  const before = await places();
  await page.getByRole('button', { name: 'No more hints' }).click();
  await expect(page.locator('.hint-card')).toHaveCount(0);
  expect(await places()).toEqual(before);
});

test('an embedded page gives no hints', async ({ context }) => {
  const page = await firstVisit(context);
  await page.goto('./?seed=7&embed');
  await expect(page.locator('html')).toHaveAttribute('data-state', 'running');
  await expect(page.locator('.hint-card')).toHaveCount(0);
});
