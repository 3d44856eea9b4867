// @ts-check
// The stage at fixed moments, stroke by stroke: as an SVG, which shows in a diff what changed and, unlike pixels, doesn't depend on the
// machine's fonts. UPDATE_PICTURES=1 renews them: look at them before they are kept.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { expect, open, test } from './page.js';

const FOLDER = 'page-tests/snapshots';

/** What is done, and when it is looked at. @type {Record<string, { query?: string, dark?: boolean, at: number, before?: (run: any) => void }>} */
const moments = {
  'an-election': { at: 0.205 },
  'writes-under-way': { at: 1.03, before: (run) => run.submit('put colour teal') },
  'a-minority-cut-off': {
    at: 3,
    before: (run) => {
      run.partition(Uint8Array.from([0, 0, 0, 1, 1]));
      run.crash(3);
    },
  },
  'nine-servers-that-lose-messages': { query: '?seed=7&servers=9', at: 1.115, before: (run) => run.setLoss(300_000) },
  'in-the-dark': { dark: true, at: 1.045, before: (run) => run.submit('put colour teal') },
};

for (const [name, { query, dark, at, before }] of Object.entries(moments)) {
  test(`the stage: ${name}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    await page.addInitScript(() => {
      // Every letter is as wide: where words stand doesn't depend on the fonts there are.
      CanvasRenderingContext2D.prototype.measureText = function (words) {
        return /** @type {any} */ ({ width: 0.55 * Number.parseFloat(/([\d.]+)px/.exec(this.font)?.[1] ?? '12') * words.length });
      };
    });
    await open(page, query);
    await page.evaluate(
      ([moment, deed]) => {
        const { raftarium } = /** @type {any} */ (window);
        raftarium.pause();
        raftarium.run.seek(1_000_000);
        if (deed) new Function('run', `(${deed})(run)`)(raftarium.run);
        raftarium.run.seek(moment);
        raftarium.advanceTo(moment);
      },
      /** @type {const} */ ([at * 1e6, before ? String(before) : '']),
    );
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('dialog').getByRole('button', { name: 'SVG', exact: true }).click(),
    ]);
    const svg = await readFile(await download.path(), 'utf8');
    expect(svg.match(/<(path|line|rect|circle|text)/g)?.length).toBeGreaterThan(20);
    const file = `${FOLDER}/${name}.svg`;
    if (process.env.UPDATE_PICTURES) {
      await mkdir(FOLDER, { recursive: true });
      await writeFile(file, svg);
    }
    expect(svg).toBe(await readFile(file, 'utf8'));
  });
}
