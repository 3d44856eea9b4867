// @ts-check
// What the page shows is a source: what one can't do is hidden, and the page says why. And parts of
// the page that come when they are asked for.

import { expect, test } from '@playwright/test';
import { open } from './page.js';

/**
 * Shows a copy of the run as a source that can't do some things, as a recording can't.
 * @param {import('@playwright/test').Page} page @param {string[]} parts
 */
async function showWithout(page, parts) {
  await page.evaluate((parts) => {
    const { source, show } = /** @type {any} */ (window).raftarium;
    const { constructor: SimulatedRun } = source;
    const run = source.run.constructor.fromBytes(source.bytes());
    const simulated = new SimulatedRun(run, '');
    // What is called keeps the simulated as its `this`: it has private parts.
    const lacking = new Proxy(simulated, {
      get: (target, name) => {
        if (parts.includes(String(name))) return null;
        const value = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
      getPrototypeOf: () => Object.prototype,
    });
    show(lacking);
  }, parts);
}

test('what can only be watched is watched: what acts is hidden, and menus say why', async ({ page }) => {
  await open(page, '?seed=7');
  await page.evaluate(() => /** @type {any} */ (window).raftarium.pause());
  await showWithout(page, ['acting', 'branching', 'repeating', 'pacing']);
  const why = 'This can only be watched.';
  await expect(page.locator('#command')).toBeDisabled();
  await expect(page.locator('#answer')).toHaveText(why);
  for (const id of ['#open-share', '#open-network', '#open-branches']) await expect(page.locator(id)).toBeHidden();
  await expect(page.locator('#speed')).toBeDisabled();
  await expect(page.locator('#speed-value')).toHaveText('1×');
  // A server's menu says why, and still leads to the inspector.
  await page.locator('[data-server="2"]').click();
  const menu = page.getByRole('menu');
  await expect(page.locator('#menu-note')).toHaveText(why);
  await expect(menu.getByRole('menuitem')).toHaveCount(1);
  await menu.getByRole('menuitem').click();
  await expect(page.locator('#server .inspected')).toHaveAttribute('data-server', '2');
  // A link's menu has nothing to choose, takes the keyboard, and closes.
  await page.locator('[data-link="1-2"]').focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('#menu-note')).toHaveText(why);
  await page.keyboard.press('Escape');
  await expect(page.locator('.menu')).toHaveCount(0);
  // Keys say so, too.
  await page.locator('body').press('h');
  await expect(page.locator('#toast')).toHaveText(why);
  await page.getByRole('tab', { name: 'Dials' }).click();
  await expect(page.locator('#dials fieldset').first()).toHaveAttribute('disabled', '');
  await page.getByRole('tab', { name: 'Branches' }).click();
  await expect(page.locator('#branches .empty')).toContainText('This has no branches');
  // It can be travelled, and read.
  await page.evaluate(() => {
    const { pause, seek } = /** @type {any} */ (window).raftarium;
    pause();
    seek(400_000);
  });
  await expect(page.locator('#now')).toHaveText('0.400 s');
  await page.getByRole('tab', { name: 'Stores' }).click();
  await expect(page.locator('#stores')).not.toContainText('Loading');
});

test('after it, a new run can do everything again', async ({ page }) => {
  await open(page, '?seed=7');
  await showWithout(page, ['acting', 'branching', 'repeating', 'pacing']);
  await expect(page.locator('#command')).toBeDisabled();
  await page.locator('#open-run').click();
  await page.locator('#run-form').getByRole('button', { name: 'Start' }).click();
  await expect(page.locator('#command')).toBeEnabled();
  for (const id of ['#open-share', '#open-network', '#open-branches']) await expect(page.locator(id)).toBeVisible();
  await expect(page.locator('#speed')).toBeEnabled();
});

test('a part of the page that can’t be had says so, and is tried again', async ({ page }) => {
  let broken = true;
  await page.route(/\/(stores|help-dialog)-\w+\.js/, (route) => (broken ? route.abort() : route.continue()));
  await open(page, '?seed=7');
  await page.getByRole('tab', { name: 'Stores' }).click();
  await expect(page.locator('#stores').getByRole('alert')).toContainText('did not load');
  await page.locator('#open-help').click();
  await expect(page.locator('#toast')).toContainText('did not load');
  broken = false;
  await page.locator('#stores').getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('#stores table')).toBeVisible();
  await page.locator('#open-help').click();
  await expect(page.locator('#help-dialog')).toBeVisible();
});
