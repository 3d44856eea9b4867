// @ts-check
// Everything without a mouse.
import { expect, open, server, test } from './page.js';

test('a server is crashed and restarted with the keyboard', async ({ page }) => {
  await open(page);
  await server(page, 2).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(server(page, 2)).toHaveAccessibleName('S2, crashed');
  await expect(server(page, 2)).toBeFocused();
  await page.keyboard.press('Space');
  await expect(page.getByRole('menu')).toBeVisible();
  await page.keyboard.press('Enter');
  await expect(server(page, 2)).not.toHaveAccessibleName(/crashed/);
  await page.keyboard.press('4');
  await expect(server(page, 4)).toHaveAccessibleName(/crashed/);
  await page.keyboard.press('4');
  await expect(server(page, 4)).not.toHaveAccessibleName(/crashed/);
});

test('keys play, step and change speed, and the dialog lists them', async ({ page }) => {
  await open(page);
  await page.keyboard.press('Space');
  await expect(page.locator('#play')).toHaveText('Play');
  const events = () => page.evaluate(() => /** @type {any} */ (window).raftarium.frame.events);
  const before = await events();
  await page.keyboard.press('.');
  expect(await events()).toBe(before + 1);
  await page.keyboard.press('Space');
  await expect(page.locator('#play')).toHaveText('Pause');
  const speed = await page.locator('#speed-value').textContent();
  await page.keyboard.press('+');
  await expect(page.locator('#speed-value')).not.toHaveText(speed ?? '');
  await page.keyboard.press('-');
  await expect(page.locator('#speed-value')).toHaveText(speed ?? '');
  await page.keyboard.press('?');
  const dialog = page.getByRole('dialog', { name: 'Keys and signs' });
  await expect(dialog).toBeVisible();
  await expect(dialog.locator('.keys')).toContainText('1 … 9crash or restart that server');
  await expect(
    dialog.locator('.signs').filter({ hasText: 'a server is elected' }).locator('canvas, img, svg'),
  ).toHaveCount(9);
  await expect(dialog.locator('kbd')).toHaveText([
    ...'Space|.|,|[|]|J|Z|X|W|B|U|+|−|1 … 9|/|P|H|N|L|S|F|T|?'.split('|'),
  ]);
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await page.keyboard.press('n');
  await expect(page.getByRole('dialog', { name: 'New run' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden(); // the browser closes it in its own time
  // On a busy machine the browser may give the focus back late, after the key.
  await expect(async () => {
    await page.keyboard.press('/');
    await expect(page.locator('#command')).toBeFocused({ timeout: 2_000 });
  }).toPass();
  await page.keyboard.type('get p');
  await expect(page.locator('#command')).toHaveValue('get p');
  await expect(page.getByRole('dialog')).toBeHidden();
});

test('single keys can be switched off, and stay off', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: 'Keys and signs' }).click();
  await page.getByLabel('Single keys work as shortcuts').uncheck();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press('p');
  await page.keyboard.press('1');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(server(page, 1)).not.toHaveAccessibleName(/crashed/);
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-state', 'running');
  await page.keyboard.press('p');
  await expect(page.getByRole('dialog')).toBeHidden();
});

test('the first tab stop leads to the command line', async ({ page }) => {
  await open(page);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the command line' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('#command')).toBeFocused();
});

test('the theme goes from the system’s to light to dark, and is kept', async ({ page }) => {
  await open(page);
  const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await paper();
  await page.keyboard.press('t');
  expect(await paper()).toBe(light);
  await page.keyboard.press('t');
  expect(await paper()).not.toBe(light);
  await page.reload();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
});

test('turning points are told to a screen reader', async ({ page }) => {
  await open(page);
  await page.keyboard.press('3');
  await expect(page.locator('#live')).toContainText('S3');
  await expect(page.locator('#live')).toHaveAttribute('aria-live', 'polite');
});
