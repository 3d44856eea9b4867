// @ts-check
// The same page on a phone.
import {
  answer,
  drawer,
  expect,
  leader,
  leaderId,
  open,
  openStill,
  pick,
  quiet,
  server,
  setSpeed,
  stored,
  tab,
  test,
  toggle,
  type,
} from './page.js';

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

test('crash, cut, heal and write by touch', async ({ page }) => {
  await open(page);
  await setSpeed(page, 1);
  const first = await leaderId(page);
  await toggle(page, first);
  await expect(server(page, first)).toHaveAccessibleName(/crashed/);
  await expect(leader(page)).toHaveCount(1);
  await toggle(page, first);
  await expect(server(page, first)).not.toHaveAccessibleName(/crashed/);

  await page.getByRole('button', { name: 'Network' }).tap();
  await page.getByRole('group', { name: 'Side of S5' }).getByRole('radio', { name: 'B' }).tap();
  await page.getByRole('button', { name: 'Cut here' }).tap();
  await expect(page.locator('#quorum .answers')).toHaveCount(4);
  await page.getByRole('button', { name: 'Network' }).tap();
  await page.getByRole('button', { name: 'Heal everything' }).tap();
  await expect(page.locator('#quorum .answers')).toHaveCount(5);

  await type(page, 'put thumb up');
  await expect(answer(page)).toHaveClass('ok');
  await tab(page, 'Stores');
  await expect(stored(page, 'thumb')).toHaveText(Array(5).fill('up'));
});

test('a link is cut by a tap near its line', async ({ page }) => {
  await openStill(page);
  await quiet(page);
  const box = await page.locator('[data-link="2-3"]').boundingBox();
  if (!box) throw new Error('the link has no place');
  await page.touchscreen.tap(box.x + box.width / 2 + 5, box.y + box.height / 2);
  await expect(page.locator('#menu-title')).toHaveText('Link S2–S3');
  await pick(page, 'Cut both directions');
  await expect(page.locator('[data-link="2-3"]')).toHaveAccessibleName('Link S2–S3, cut');
});

test('the transport stays in reach, and targets are large enough', async ({ page }) => {
  await open(page);
  const inSight = async () => {
    for (const id of ['#play', '#step', '#speed', '#command', '#send'])
      await expect(page.locator(id)).toBeInViewport({ ratio: 1 });
  };
  await inSight();
  // A thumb can set the speed.
  expect((await page.locator('#speed').boundingBox())?.width).toBeGreaterThan(80);
  const largeEnough = async () => {
    for (const button of await page.getByRole('button').all()) {
      const size = await button.boundingBox();
      if (size) expect(Math.min(size.width, size.height), await button.innerText()).toBeGreaterThanOrEqual(24);
    }
  };
  await quiet(page);
  await largeEnough();
  await tab(page, 'Clients');
  await inSight();
  await largeEnough();
  // The last lines can be scrolled out from under it.
  await page.locator('#reading').evaluate((node) => node.scrollTo(0, node.scrollHeight));
  const [panel, transport] = await Promise.all(
    ['#operations', '#transport'].map((id) => page.locator(id).boundingBox()),
  );
  if (!panel || !transport) throw new Error('something has no place');
  expect(panel.y + panel.height).toBeLessThanOrEqual(transport.y + 1);
  await drawer(page, false);
  await expect(page.locator('#operations')).toBeHidden();
});
