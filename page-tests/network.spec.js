// @ts-check
// Cutting and healing, by mouse and by keyboard. By touch: phone.spec.js.
import { expect, leader, leaderId, open, openStill, pick, quiet, server, setSpeed, test } from './page.js';

const cuts = (/** @type {import('@playwright/test').Page} */ page) =>
  page.evaluate(() => /** @type {any} */ (window).raftarium.frame.cuts.length);

test('a partition is cut and healed with the mouse', async ({ page }) => {
  await open(page);
  await setSpeed(page, 1);
  const first = await leaderId(page);
  await page.getByRole('button', { name: 'Network' }).click();
  await page.getByRole('button', { name: 'Leader alone' }).click();
  await expect(page.locator('.preview')).toContainText('(a majority)');
  await page.getByRole('button', { name: 'Cut here' }).click();
  await expect(page.locator('#quorum .answers')).toHaveCount(4);
  expect(await cuts(page)).toBe(8);
  // The other side elects its own leader; the old one doesn't know yet, or has stepped down.
  await expect
    .poll(() =>
      page.evaluate(
        (old) =>
          /** @type {any} */ (window).raftarium.frame.servers.some(
            (/** @type {any} */ s) => s.role === 'leader' && s.id !== old,
          ),
        first,
      ),
    )
    .toBe(true);
  await page.getByRole('button', { name: 'Network' }).click();
  await page.getByRole('button', { name: 'Heal everything' }).click();
  await expect(page.locator('#quorum .answers')).toHaveCount(5);
  await expect(leader(page)).toHaveCount(1);
  await expect(server(page, first)).toHaveAccessibleName(/, follower, /);
});

test('sides are chosen one server at a time', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: 'Network' }).click();
  await expect(page.getByRole('button', { name: 'Cut here' })).toBeDisabled();
  for (const id of [2, 4])
    await page
      .getByRole('group', { name: `Side of S${id}` })
      .getByRole('radio', { name: 'B' })
      .check();
  await expect(page.locator('.preview')).toHaveText('S1 S3 S5 (a majority)  |  S2 S4');
  await page.getByRole('button', { name: 'Cut here' }).click();
  await expect(page.locator('#quorum')).toHaveText(/^ ?S\d leads, 3 of 5 answer writes commit$/);
  await page.getByRole('button', { name: 'Network' }).click();
  await expect(page.getByRole('group', { name: 'Side of S4' }).getByRole('radio', { name: 'B' })).toBeChecked();
});

test('a partition is cut and healed with the keyboard alone', async ({ page }) => {
  await open(page);
  await page.keyboard.press('p');
  await expect(page.getByRole('dialog', { name: 'Cut the network' })).toBeVisible();
  await expect(page.getByRole('group', { name: 'Side of S1' }).getByRole('radio', { name: 'A' })).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Tab');
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('.preview')).toContainText('S3 S4 S5 (a majority)');
  const cut = page.getByRole('button', { name: 'Cut here' });
  for (let i = 0; i < 10 && !(await cut.evaluate((node) => node === document.activeElement)); i++)
    await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(page.locator('#quorum .answers')).toHaveCount(3);
  await page.keyboard.press('h');
  await expect(page.locator('#quorum .answers')).toHaveCount(5);
});

test('a link is cut and healed from the menu at its line', async ({ page }) => {
  await openStill(page);
  await quiet(page);
  const box = await page.locator('[data-link="1-2"]').boundingBox();
  if (!box) throw new Error('the link has no place');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await expect(page.locator('#ring')).toHaveClass('on-something');
  await page.mouse.click(x, y);
  await pick(page, 'Cut both directions');
  await expect(page.locator('[data-link="1-2"]')).toHaveAccessibleName('Link S1–S2, cut');
  expect(await cuts(page)).toBe(2);
  await page.mouse.click(x, y);
  await pick(page, 'Heal both directions');
  await expect(page.locator('[data-link="1-2"]')).toHaveAccessibleName('Link S1–S2, open');
  expect(await cuts(page)).toBe(0);
});

test('links are one tab stop, with arrows along them', async ({ page }) => {
  await open(page);
  await page.locator('[data-link="1-2"]').focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('[data-link="1-3"]')).toBeFocused();
  await page.keyboard.press('End');
  await expect(page.locator('[data-link="4-5"]')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menu', { name: 'Link S4–S5' }).getByRole('menuitem').first()).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('[data-link="4-5"]')).toHaveAccessibleName('Link S4–S5, cut');
  await expect(page.locator('[data-link="4-5"]')).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(server(page, 1)).toBeFocused();
});

test('one direction of a link can be cut alone', async ({ page }) => {
  await open(page);
  await page.getByRole('button', { name: 'Network' }).click();
  await page.getByRole('button', { name: 'S1 to S3', exact: true }).click();
  await expect(page.getByRole('button', { name: 'S1 to S3', exact: true })).toHaveAttribute('aria-pressed', 'true');
  await page.keyboard.press('Escape');
  await expect(page.locator('[data-link="1-3"]')).toHaveAccessibleName('Link S1–S3, cut from S1 to S3');
});
