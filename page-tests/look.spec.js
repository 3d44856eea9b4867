// @ts-check
// Measures the page's layout, and takes the README's picture, which UPDATE_PICTURES=1
// renews.
import { framesAfter, advanceBy, expect, leaderId, open, openStill, server, test, toggle, type } from './page.js';

const sizes = { wide: [1440, 900], projector: [1024, 768], phone: [390, 844] };

for (const [name, [width, height]] of Object.entries(sizes)) {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`pictures: ${name}, ${colorScheme}`, async ({ page }) => {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme });
      await open(page, '?seed=7&servers=5');
      // The list of commands isn't cut.
      const cut = await page.locator('#answer').evaluate((node) => node.scrollWidth - node.clientWidth);
      expect(cut).toBeLessThanOrEqual(0);
      const picture = (/** @type {string} */ moment) =>
        page.screenshot({ path: `test-results/look/${name}-${colorScheme}-${moment}.png`, fullPage: name === 'phone' });
      await type(page, 'put colour teal');
      await advanceBy(page, 18_000);
      await picture('playing');
      await toggle(page, await leaderId(page));
      await advanceBy(page, 330_000);
      await picture('crashed');
      await fits(page);
    });
  }
}

/**
 * Nothing is wider than the window, every server is on the stage, and no name is cut.
 * @param {import('@playwright/test').Page} page
 */
async function fits(page) {
  const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  expect(width[0]).toBeLessThanOrEqual(width[1]);
  const stage = await page.locator('#stage').boundingBox();
  for (const button of await page.locator('#server-buttons button').all()) {
    const box = await button.boundingBox();
    if (!stage || !box) throw new Error('something has no place');
    expect(box.x).toBeGreaterThanOrEqual(stage.x);
    expect(box.y).toBeGreaterThanOrEqual(stage.y);
    expect(box.x + box.width).toBeLessThanOrEqual(stage.x + stage.width);
    expect(box.y + box.height).toBeLessThanOrEqual(stage.y + stage.height);
  }
}

test('nine servers fit everywhere, and none overlaps another', async ({ page }) => {
  for (const [width, height] of Object.values(sizes)) {
    await page.setViewportSize({ width, height });
    await open(page, '?seed=7&servers=9');
    await fits(page);
    const boxes = await page.locator('#server-buttons button').evaluateAll((nodes) =>
      nodes.map((node) => {
        const { x, y, width: size } = node.getBoundingClientRect();
        return { x: x + size / 2, y: y + size / 2, size };
      }),
    );
    boxes.forEach((a, i) =>
      boxes.slice(i + 1).forEach((b) => expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(a.size * 0.95)),
    );
    await page.screenshot({ path: `test-results/look/nine-${width}.png` });
  }
});

test('no vote and no name is cut off at the edge of the stage, and lanes keep room for their names', async ({
  page,
}) => {
  for (const [width, height] of Object.values(sizes)) {
    for (const servers of [3, 5, 8, 9]) {
      await page.setViewportSize({ width, height });
      await open(page, `?seed=7&servers=${servers}&settings=150000,300000,50000,1,1,0,6,2000`);
      await page.evaluate(() => {
        const { raftarium } = /** @type {any} */ (window);
        raftarium.pause();
        raftarium.seek(1_500_000);
        for (const { id } of raftarium.frame.servers) raftarium.act({ do: 'campaign', server: id });
        raftarium.advanceTo(raftarium.frame.now);
      });
      await expect(server(page, 1)).toHaveAccessibleName(/candidate|leader/);
      const marks = await page.evaluate(() => {
        const ring = /** @type {HTMLCanvasElement} */ (document.querySelector('#ring'));
        const copy = document.createElement('canvas');
        [copy.width, copy.height] = [ring.width, ring.height];
        const c = copy.getContext('2d', { willReadFrequently: true });
        if (!c) throw new Error('no canvas');
        c.drawImage(ring, 0, 0);
        const rows = [0, copy.height - 1].map((y) => new Uint32Array(c.getImageData(0, y, copy.width, 1).data.buffer));
        return rows.map((row) => new Set(row).size - 1);
      });
      expect(marks, `${servers} servers at ${width}: something is drawn up to the edge`).toEqual([0, 0]);
      const diagram = await page.locator('#spacetime .diagram').evaluate((box) => {
        const style = /** @type {HTMLElement} */ (box).style.getPropertyValue('--rows');
        return [Number(style), /** @type {HTMLElement} */ (box).offsetHeight];
      });
      if (width > 820) expect((diagram[1] - 30) / diagram[0]).toBeGreaterThanOrEqual(12);
    }
  }
});

test('nothing moves while the run goes on, whatever happens in it', async ({ page }) => {
  for (const [width, height] of Object.values(sizes)) {
    await page.setViewportSize({ width, height });
    await openStill(page);
    await advanceBy(page, 10_000);
    // The tape has its height once it has been drawn.
    await framesAfter(page, 3);
    const places = () =>
      page.evaluate(() => {
        const ids = '#stage #lamps #why #legend #logs-panel #tabs #tape #play #jump-kind #speed #command #answer';
        return ids.split(' ').map((id) => {
          const {
            left,
            top,
            width: wide,
          } = /** @type {Element} */ (document.querySelector(id)).getBoundingClientRect();
          return { id, left, top, wide };
        });
      });
    const before = await places();
    /** What has moved, by more than the rounding of a letter's width. */
    const moved = async () =>
      (await places()).filter(({ left, top, wide }, i) => {
        const was = before[i];
        return Math.max(Math.abs(left - was.left), Math.abs(top - was.top), Math.abs(wide - was.wide)) > 1;
      });
    // Through elections, without a majority, with every server down, and for more than a minute.
    for (const key of ['1', '2', '3', '4', '5', '1', '2', '3']) {
      await page.keyboard.press(key);
      await advanceBy(page, 2_000_000);
      expect(await moved()).toEqual([]);
    }
    await type(page, 'put a b');
    await page.locator('#command').blur();
    for (const micros of [1_000_000, 100_000_000]) {
      await advanceBy(page, micros);
      expect(await moved()).toEqual([]);
    }
    for (const speed of ['-3', '1']) {
      await page.locator('#speed').fill(speed);
      expect(await moved()).toEqual([]);
    }
  }
});

test('on a small phone nothing lies over anything else', async ({ page }) => {
  for (const [width, height] of [
    [360, 640],
    [375, 667],
    [360, 740],
  ]) {
    await page.setViewportSize({ width, height });
    await open(page);
    await fits(page);
    const boxes = await page.evaluate(() =>
      ['.top', '#stage', '#quorum', '#safety-row', '#why', '#reading', '#transport'].map((id) => {
        const box = document.querySelector(id)?.getBoundingClientRect();
        return [id, Math.round(box?.top ?? 0), Math.round(box?.bottom ?? 0)];
      }),
    );
    const drawer = Number(boxes[5][1]);
    const over = boxes.slice(1, 5).filter(([, top], i) => Number(top) < Number(boxes[i][2]) - 1);
    expect(over, `${width}×${height}: ${boxes.join(' ')}`).toEqual([]);
    expect(Number(boxes[4][2]), `${width}×${height}: the sentence is covered`).toBeLessThanOrEqual(drawer + 1);
    const header = await page
      .locator('.top button')
      .evaluateAll((all) => new Set(all.map((one) => one.offsetTop)).size);
    expect(header, 'the header has two rows at most').toBeLessThanOrEqual(3);
  }
});

test('no sentence moves the page, and none is cut off', async ({ page }) => {
  await open(page);
  for (const id of [1, 2]) {
    await toggle(page, id);
    await advanceBy(page, 5_000_000);
    await toggle(page, id);
    await advanceBy(page, 5_000_000);
  }
  for (const [width, height] of Object.values(sizes)) {
    await page.setViewportSize({ width, height });
    const trouble = await page.evaluate(() => {
      const places = () =>
        ['#stage', '#quorum', '#why', '#legend', '#logs', '#transport']
          .map((id) => document.querySelector(id)?.getBoundingClientRect().top)
          .join();
      const room = /** @type {HTMLElement} */ (document.querySelector('#why'));
      const [, sentence, section] = room.children;
      const before = places();
      /** @type {{ text: string, section: string, weight: string }[]} */
      const lines = /** @type {any} */ (window).raftarium.run.story(0, 2000);
      return lines.flatMap((line) => {
        if (line.weight === 'detail') return [];
        sentence.textContent = line.text;
        section.textContent = line.section;
        const over = sentence.getBoundingClientRect().bottom > room.getBoundingClientRect().bottom + 1;
        return over || places() !== before ? [`${innerWidth}: ${line.text}`] : [];
      });
    });
    expect([...new Set(trouble)]).toEqual([]);
  }
});

if (process.env.UPDATE_PICTURES) {
  test('the picture of the README', async ({ page }) => {
    await open(page, '?seed=7&servers=5');
    await type(page, 'put colour teal');
    const copying = () =>
      page.evaluate(
        () =>
          /** @type {any} */ (window).raftarium.frame.messages.filter((/** @type {any} */ m) => m.kind === 'append')
            .length,
      );
    for (let i = 0; i < 200 && (await copying()) < 4; i++) await advanceBy(page, 1_000);
    await advanceBy(page, 5_000);
    await page.locator('#command').blur();
    await page.screenshot({ path: 'docs/raftarium.png' });
  });
}
