// @ts-check
// The hints for a first visit: three hints, shown once, that cover nothing.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, open, openStill, server, test } from './page.js';

/**
 * A page that nobody has opened before.
 * @param {import('@playwright/test').BrowserContext} context
 */
const firstVisit = (context) => context.newPage();

test('three hints, once', async ({ context }) => {
  const page = await firstVisit(context);
  await open(page);
  const hints = page.getByRole('complementary', { name: 'Hints for a first visit' });
  await expect(hints).toContainText('1/3');
  // They don't take the focus, and cover no server.
  await expect(page.locator('body')).toBeFocused();
  await server(page, 4).click();
  await expect(page.getByRole('menu')).toBeVisible();
  // That was what the first one asks for.
  await expect(hints).toContainText('2/3');
  await page.keyboard.press('Escape');
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

for (const [width, height] of [
  [1440, 900],
  [390, 844],
])
  test(`hints are sent away, and move nothing when they go: ${width}`, async ({ context }) => {
    const page = await firstVisit(context);
    await page.setViewportSize({ width, height });
    await open(page);
    const places = () =>
      page.evaluate(() => {
        const views = ['#stage', '#quorum', '#why', '#legend', '#transport'];
        return views.map((id) => document.querySelector(id)?.getBoundingClientRect().top);
      });
    await expect(page.locator('.hint-card')).toBeVisible();
    const before = await places();
    await page.getByRole('button', { name: 'No more hints' }).click();
    await expect(page.locator('.hint-card')).toHaveCount(0);
    expect(await places()).toEqual(before);
  });

test('a hint whose deed has been done goes away', async ({ context }) => {
  const page = await firstVisit(context);
  await openStill(page);
  const hints = page.getByRole('complementary', { name: 'Hints for a first visit' });
  // The third first: it isn't shown any more when its turn comes.
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(hints).toContainText('1/3');
  await server(page, 4).click();
  await expect(hints).toContainText('2/3');
  await page.keyboard.press('Escape');
  await page.evaluate(() => /** @type {any} */ (window).raftarium.act({ do: 'partition', groups: [0, 0, 0, 1, 1] }));
  await expect(hints).toHaveCount(0);
});

for (const [width, height] of [
  [1440, 900],
  [1024, 768],
  [900, 768],
  [390, 844],
]) {
  test(`hints cover nothing that is read or pressed: ${width}`, async ({ context }) => {
    const page = await firstVisit(context);
    await page.setViewportSize({ width, height });
    await open(page);
    const hints = page.getByRole('complementary', { name: 'Hints for a first visit' });
    const ids = [
      '#stage',
      '#quorum',
      '#safety-row',
      '#why',
      '#legend',
      '#logs',
      '#tabs',
      '#transport',
      '#open-network',
      '#open-share',
      '#seed',
      '#open-run',
      '#theme',
      '#open-help',
    ];
    for (const number of [1, 2, 3]) {
      await expect(hints).toContainText(`${number}/3`);
      const covered = await page.evaluate((all) => {
        const card = document.querySelector('.hint-card')?.getBoundingClientRect();
        if (!card || card.left < 0 || card.right > innerWidth) return ['the card is out of sight'];
        const over = (/** @type {DOMRect} */ { left, right, top, bottom }) =>
          left < card.right && right > card.left && top < card.bottom && bottom > card.top;
        // The stage begins with some empty room.
        const ring = [...document.querySelectorAll('#server-buttons button')].some((one) =>
          over(one.getBoundingClientRect()),
        );
        return [
          ...all.filter(
            (id) =>
              id !== '#stage' &&
              [...document.querySelectorAll(`${id}, ${id} *`)].some((one) => over(one.getBoundingClientRect())),
          ),
          ...(ring ? ['a server'] : []),
        ];
      }, ids);
      expect(covered).toEqual([]);
      await hints.getByRole('button', { name: 'Next' }).click();
    }
  });
}

test('an embedded page gives no hints', async ({ context }) => {
  const page = await firstVisit(context);
  await page.goto('./?seed=7&embed');
  await expect(page.locator('html')).toHaveAttribute('data-state', 'running');
  await expect(page.locator('.hint-card')).toHaveCount(0);
});
