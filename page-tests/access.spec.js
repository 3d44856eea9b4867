// @ts-check
// No axe violation, in either theme, on every panel and dialog, on a desktop and on a phone: all
// rules in the light, and those about colours in the dark, where nothing else is another. And the
// colours on the canvas, which axe can't see, have enough contrast.
import { noViolations } from './axe.js';
import { advanceBy, drawer, expect, leaderId, open, openStill, server, tab, test, toggle, type } from './page.js';

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  for (const [place, viewport] of /** @type {const} */ ([
    ['desk', { width: 1440, height: 900 }],
    ['phone', { width: 390, height: 844 }],
  ])) {
    test(`axe finds nothing: ${colorScheme}, ${place}`, async ({ page }) => {
      test.slow();
      const nothing = (/** @type {string} */ where) => noViolations(page, where, colorScheme === 'dark');
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      await openStill(page);
      await type(page, 'put x 1');
      await advanceBy(page, 3_000_000);
      await nothing('stage');
      for (const name of ['Space-time', 'Events', 'Safety', 'Server', 'Stores', 'Dials']) {
        await tab(page, name);
        await nothing(name);
      }
      await drawer(page, false);
      const first = await leaderId(page);
      for (const id of [first, (first % 5) + 1, ((first + 1) % 5) + 1]) await toggle(page, id);
      await type(page, 'put x 1');
      await advanceBy(page, 3_000_000);
      await tab(page, 'Clients');
      await nothing('no majority');
      await drawer(page, false);
      await server(page, first).click();
      await expect(page.getByRole('menu')).toBeVisible();
      await nothing('menu');
      await page.keyboard.press('Escape');
      for (const name of ['Share', 'Network', 'New run', 'Keys and signs']) {
        await page.getByRole('button', { name, exact: true }).click();
        await expect(page.getByRole('dialog')).toBeVisible();
        // Open what is folded away, too.
        for (const summary of await page.getByRole('dialog').locator('summary').all()) await summary.click();
        await nothing(name);
        await page.keyboard.press('Escape');
      }
      await page.goto('./?seed=7&servers=3&without=persist-before-acknowledging');
      await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
      await nothing('a broken property');
      await page.getByRole('button', { name: 'What it means' }).click();
      await nothing('what it means');
    });
  }

  for (const [wish, media] of /** @type {const} */ ([
    ['as it is', {}],
    ['more contrast', { contrast: 'more' }],
    ['forced colours', { forcedColors: 'active' }],
  ]))
    test(`words and terms can be read: ${colorScheme}, ${wish}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme, ...media });
      await open(page);
      const poor = await page.evaluate(() => {
        const canvas = document.createElement('canvas');
        canvas.width = canvas.height = 1;
        const c = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
        const probe = document.body.appendChild(document.createElement('span'));
        probe.style.forcedColorAdjust = 'none';
        const light = (/** @type {string} */ value) => {
          probe.style.color = value;
          c.fillStyle = getComputedStyle(probe).color;
          c.fillRect(0, 0, 1, 1);
          const [r, g, b] = [...c.getImageData(0, 0, 1, 1).data].map((byte) => {
            const part = byte / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
          });
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const contrast = (/** @type {string} */ a, /** @type {string} */ b) => {
          const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
          return (high + 0.05) / (low + 0.05);
        };
        const terms = [1, 2, 3, 4, 5].map((k) => `var(--t${k})`);
        const words = ['--ink', '--ink-2', '--accent', '--danger'].map((name) => `var(${name})`);
        const pairs = [
          ...[...terms, ...words].flatMap((on) => ['var(--paper)', 'var(--card)'].map((under) => [on, under, 4.5])),
          ...terms.map((term) => [term, `color-mix(in oklab, ${term} 16%, var(--card))`, 4.5]),
          ...terms.map((term) => ['var(--card)', term, 4.5]),
          ['var(--on-accent)', 'var(--accent)', 4.5],
          ['var(--edge)', 'var(--card)', 3],
        ];
        return pairs.flatMap(([on, under, least]) => {
          const found = contrast(String(on), String(under));
          return found < Number(least) ? [`${on} on ${under}: ${found.toFixed(2)}`] : [];
        });
      });
      expect(poor).toEqual([]);
    });

  test(`what is drawn stands out: ${colorScheme}, forced colours`, async ({ page }) => {
    await page.emulateMedia({ colorScheme, forcedColors: 'active' });
    await openStill(page);
    await advanceBy(page, 1_000_000);
    // As everywhere, words stand out from what is under them.
    await noViolations(page, 'forced colours');
    // Neither all of one colour nor all but: a name on a server, a band on the tape, lanes.
    for (const canvas of ['#ring', '#tape canvas', '#spacetime canvas']) {
      const most = await page.locator(canvas).evaluate((node) => {
        if (!(node instanceof HTMLCanvasElement)) throw new Error('no canvas');
        const copy = Object.assign(document.createElement('canvas'), { width: node.width, height: node.height });
        const c = /** @type {CanvasRenderingContext2D} */ (copy.getContext('2d'));
        c.drawImage(node, 0, 0);
        const { data } = c.getImageData(0, 0, copy.width, copy.height);
        const counts = new Map();
        let drawn = 0;
        for (let i = 0; i < data.length; i += 4) {
          if (data[i + 3] < 200) continue;
          drawn += 1;
          const bright = data[i] + data[i + 1] + data[i + 2] > 384;
          counts.set(bright, (counts.get(bright) ?? 0) + 1);
        }
        return Math.max(...counts.values()) / drawn;
      });
      expect(most, canvas).toBeLessThan(0.99);
    }
  });
}

test('a run that plays says turning points, and nothing else by itself', async ({ page }) => {
  await open(page);
  await expect(server(page, await leaderId(page))).toBeVisible();
  const said = await page.evaluate(async () => {
    const live =
      'output:not([aria-live=off]), [role=status], [role=alert], [role=log], [aria-live]:not([aria-live=off])';
    /** @type {string[]} */
    const said = [];
    const observer = new MutationObserver((records) => {
      for (const { target } of records) {
        const region = (target instanceof Element ? target : target.parentElement)?.closest(live);
        if (region) said.push(`${region.id}: ${region.textContent}`);
      }
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    observer.disconnect();
    return said;
  });
  expect(said.length, said.join('; ')).toBeLessThan(4);
});
