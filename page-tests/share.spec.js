// @ts-check
// Sharing a run: as a link, as a file, as a picture, and as logs.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { counterexamples } from '../www/run/counterexamples.js';
import { advanceBy, expect, framesAfter, open, openStill, server, tab, test, toggle, type, drop } from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

/**
 * Runs as a link, with what was found, and as the file that the command makes of it.
 * @type {{ link: string, file: string }[]}
 */
const pairs = readFileSync('raft-core/tests/formats/pairs.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

/** Identifies a run at a moment. @param {Page} page */
const standing = (page) =>
  page.evaluate(() => {
    const { raftarium } = /** @type {any} */ (window);
    return {
      now: raftarium.frame.now,
      hash: raftarium.traceHash(),
      without: raftarium.run.without,
      link: raftarium.run.link(),
    };
  });

/** A run in which something was done, paused before its end. @param {Page} page */
async function makeRun(page) {
  await openStill(page, '?seed=31&servers=3');
  await type(page, 'put colour teal');
  await advanceBy(page, 500_000);
  await toggle(page, 2);
  await advanceBy(page, 700_000);
  return standing(page);
}

const dialog = (/** @type {Page} */ page) => page.getByRole('dialog', { name: 'Share this run' });
const share = (/** @type {Page} */ page) => page.getByRole('button', { name: 'Share', exact: true }).click();

/** What a button in the dialog saves. @param {Page} page @param {string} name */
async function saved(page, name) {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog(page).getByRole('button', { name, exact: true }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

/**
 * A scenario file as the page reads it: the bytes within a link, the note, and what was found.
 * @param {Page} page @param {string} text
 */
const readScenario = (page, text) =>
  page.evaluate(async (file) => {
    const read = await /** @type {any} */ (window).raftarium.lab.readFile(new Blob([file]));
    return { ...read, bytes: [...read.bytes] };
  }, text);

/**
 * @param {Page} page @param {Iterable<number>} bytes @param {string} [note]
 * @param {unknown} [found]
 * @returns {Promise<string>}
 */
const writeScenario = (page, bytes, note = '', found = null) =>
  page.evaluate(
    ([all, words, said]) => /** @type {any} */ (window).raftarium.lab.writeFile(Uint8Array.from(all), words, said),
    /** @type {[number[], string, unknown]} */ ([[...bytes], note, found]),
  );

test('the address bar always holds the link: a fresh page opens the same run at the same moment', async ({
  page,
  context,
}) => {
  const run = await makeRun(page);
  await expect(page).toHaveURL(new RegExp(`/#run=${run.link}$`));
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(other.locator('html')).toHaveAttribute('data-state', 'running');
  await expect(other.getByRole('button', { name: 'Play' })).toBeVisible();
  expect(await standing(other)).toEqual(run);
  await expect(server(other, 2)).toHaveAccessibleName('S2, crashed');
  await expect(other.locator('#seed-value')).toHaveText('31');
  await other.reload();
  await expect(other.locator('html')).toHaveAttribute('data-state', 'running');
  expect(await standing(other)).toEqual(run);
});

test('the address follows time and what is done; paused, it is left alone', async ({ page }) => {
  await page.addInitScript(() => {
    const { replaceState } = history;
    Object.assign(window, { puts: 0 });
    history.replaceState = function (...args) {
      /** @type {any} */ (window).puts++;
      return replaceState.apply(this, args);
    };
  });
  await open(page);
  await page.getByRole('button', { name: 'Pause' }).click();
  const shown = async () => expect(page).toHaveURL(new RegExp(`#run=${(await standing(page)).link}$`));
  await shown();
  await page.getByRole('button', { name: 'Step' }).click();
  await shown();
  await page.keyboard.press('3');
  await shown();
  await framesAfter(page, 40);
  const puts = () => page.evaluate(() => /** @type {any} */ (window).puts);
  const before = await puts();
  // Whatever is drawn meanwhile.
  const drawn = await framesAfter(page, 1);
  for (const id of [1, 2, 3]) {
    await server(page, id).hover();
    expect(await framesAfter(page, 40)).toBeGreaterThan(drawn);
  }
  expect(await puts()).toBe(before);
  const still = page.url();
  await page.getByRole('button', { name: 'Play' }).click();
  await expect.poll(() => page.url()).not.toBe(still);
});

test('a link put into the address bar is followed, and one to a seed still is', async ({ page }) => {
  const run = await makeRun(page);
  await open(page, '?seed=5');
  await page.evaluate((link) => (location.hash = `run=${link}`), run.link);
  await expect.poll(() => standing(page)).toEqual(run);
  await page.evaluate(() => (location.hash = 'seed=9&servers=4'));
  await expect(page.locator('#seed-value')).toHaveText('9');
  await expect(page.locator('#server-buttons button')).toHaveCount(4);
  await expect(page).toHaveURL(/\/#run=[\w-]+$/);
});

for (const [link, sentence] of [
  ['', 'the link names no run: there is nothing after its #run='],
  ['AQeWn1gB+', 'character 9 of the link is'],
  ['AQeWn1gBwEM299ua', 'the link is damaged or incomplete: copy the whole of it again'],
  ['AgAA_3mINg', 'the link was made by another version of Raftarium: it has format 2, this version reads 1'],
]) {
  test(`a link that is none: ${link}`, async ({ page }) => {
    await page.goto(`./#run=${encodeURIComponent(link)}`);
    const trouble = page.locator('#trouble');
    await expect(trouble).toContainText('That run can’t be started.');
    await expect(trouble).toContainText(sentence);
    await page.getByRole('button', { name: 'Start a fresh run' }).click();
    await expect(page.locator('html')).toHaveAttribute('data-state', 'running');
    // A bad link in the address bar of a run leaves the run as it is.
    const run = await makeRun(page);
    await page.evaluate((bad) => (location.hash = `run=${encodeURIComponent(bad)}`), link);
    await expect(trouble).toContainText(sentence);
    expect(await standing(page)).toEqual(run);
    await expect(page).toHaveURL(new RegExp(`#run=${run.link}$`));
  });
}

test('a link from a version that plays otherwise says so', async ({ page }) => {
  // This link has a wrong trace hash.
  await open(page, `#run=${pairs[3].link}`);
  await expect(page.locator('#trouble')).toContainText('This run plays differently here.');
  await expect(page.locator('#trouble')).toContainText('comes from another version of Raftarium');
  await page.getByRole('button', { name: 'Close' }).click();
  await expect(page.locator('#trouble')).toBeHidden();
});

test('a link to a violation opens at the violation', async ({ page, context }) => {
  // The violation can come before the test looks.
  await page.goto('./?seed=1&without=persist-before-acknowledging,persist-before-voting');
  await expect(page.locator('html')).toHaveAttribute('data-state', /running|violated/);
  await page.evaluate(() => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.pause();
    for (let i = 0; i < 400 && !raftarium.frame.violation; i++) raftarium.advanceTo(raftarium.frame.now + 50_000);
  });
  await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
  const run = await standing(page);
  await expect(page).toHaveURL(new RegExp(`#run=${run.link}$`));
  const other = await context.newPage();
  await other.goto(page.url());
  await expect(other.locator('html')).toHaveAttribute('data-state', 'violated');
  expect(await standing(other)).toEqual(run);
  expect(run.without).toBe('persist-before-voting,persist-before-acknowledging');
});

test('a run too long for a link keeps its seed in the address, and says so', async ({ page }) => {
  await open(page, '?seed=31&servers=3');
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.evaluate(() => {
    /** @type {any} */ (window).raftarium.run.link = () => {
      throw new Error('70000 characters are too many for a link, which has at most 65536: use a file');
    };
  });
  await page.getByRole('button', { name: 'Step' }).click();
  await expect(page).toHaveURL(/\/#seed=31&servers=3$/);
  await expect(page.locator('#toast')).toContainText('save the scenario as a file');
  await share(page);
  await expect(dialog(page)).toContainText('use a file');
  expect((await saved(page, 'Save scenario')).name).toBe('raftarium-31.json');
});

test('the link is copied, with the mouse and with the keyboard', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const run = await makeRun(page);
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  const clear = () => page.evaluate(() => navigator.clipboard.writeText(''));
  await page.getByRole('button', { name: 'seed 31' }).click();
  await expect(page.locator('#live')).toHaveText('Link copied');
  expect(await copied()).toMatch(new RegExp(`/#run=${run.link}$`));
  await clear();
  await share(page);
  await dialog(page).getByRole('button', { name: 'Copy link' }).click();
  await expect(dialog(page).getByRole('status')).toHaveText('Link copied');
  expect(await copied()).toMatch(new RegExp(`/#run=${run.link}$`));
  await page.keyboard.press('Escape');
  await clear();
  await page.keyboard.press('s');
  await page.keyboard.press('Enter');
  await expect(dialog(page).getByRole('status')).toHaveText('Link copied');
  expect(await copied()).toMatch(new RegExp(`/#run=${run.link}$`));
  await dialog(page).getByRole('button', { name: 'Copy frame' }).click();
  await expect.poll(copied).toContain(`/?embed#run=${run.link}" title="`);
});

test('where the clipboard is refused, the link is there to be copied by hand', async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'clipboard', { value: { writeText: () => Promise.reject(new Error('no')) } });
  });
  const run = await makeRun(page);
  await page.getByRole('button', { name: 'seed 31' }).click();
  await expect(dialog(page)).toBeVisible();
  await dialog(page).getByRole('button', { name: 'Copy link' }).click();
  await expect(dialog(page).getByRole('status')).toContainText('Ctrl+C');
  expect(await page.evaluate(() => getSelection()?.toString())).toMatch(new RegExp(`/#run=${run.link}$`));
});

test('a scenario that was saved is dropped, and is the same run with its note', async ({ page }) => {
  const run = await makeRun(page);
  await share(page);
  await page.getByLabel('Note').fill('S2 dies “at once”.');
  const { name, bytes } = await saved(page, 'Save scenario');
  expect(name).toBe('raftarium-31.json');
  const text = bytes.toString();
  expect(text).toContain('"do": "crash", "server": "S2"');
  await open(page, '?seed=5');
  await drop(page, name, text);
  await expect.poll(() => standing(page)).toEqual(run);
  await expect(page.getByRole('button', { name: 'Play' })).toBeVisible();
  await expect(page.locator('#toast')).toHaveText('S2 dies “at once”.');
  await share(page);
  await expect(page.getByLabel('Note')).toHaveValue('S2 dies “at once”.');
  expect((await saved(page, 'Save scenario')).bytes.toString()).toBe(text);
});

/**
 * The native command's output for a run. The command is the one that `cargo xtask test` has built,
 * or else cargo builds it now. @param {string} run a file or a link
 */
async function replayed(run) {
  const built = process.env.RAFTARIUM_COMMAND;
  const [program, before] = built ? [built, []] : ['cargo', ['run', '--quiet', '--package', 'raftarium', '--']];
  const { stdout } = await promisify(execFile)(program, [...before, 'replay', '--json', run]);
  return JSON.parse(stdout);
}

test('what is saved here, as a file or as a link, the native command plays to the same hash', async ({
  page,
}, info) => {
  // Cargo builds the command if it isn't built yet.
  test.setTimeout(600_000);
  await makeRun(page);
  await type(page, 'put ключ ü');
  await advanceBy(page, 300_000);
  const { hash, link } = await standing(page);
  // The address can be a moment late.
  await expect(page).toHaveURL(new RegExp(`#run=${link}$`));
  const { events, seed, servers } = await page.evaluate(() => {
    const { frame, run } = /** @type {any} */ (window).raftarium;
    return { events: frame.events, seed: run.seed, servers: frame.servers };
  });
  await share(page);
  const file = info.outputPath('saved.json');
  await writeFile(file, (await saved(page, 'Save scenario')).bytes);
  for (const run of [file, page.url()]) {
    const native = await replayed(run);
    expect(native).toMatchObject({ events, hash, seed, plays_differently: false });
    expect(native.servers.map((/** @type {any} */ s) => [s.server, s.up, s.term])).toEqual(
      servers.map((/** @type {any} */ s) => [`S${s.id}`, s.role !== 'crashed', s.term]),
    );
  }
});

test('a scenario is chosen from a list of files; without a moment it plays from the beginning', async ({ page }) => {
  await open(page, '?seed=5');
  await page.keyboard.press('s');
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    dialog(page).getByRole('button', { name: 'Open scenario…' }).press('Enter'),
  ]);
  await chooser.setFiles('raft-core/tests/stories/split-vote.json');
  await expect(dialog(page)).toBeHidden();
  const { seed } = JSON.parse(readFileSync('raft-core/tests/stories/split-vote.json', 'utf8'));
  await expect(page.locator('#seed-value')).toHaveText(seed);
});

test('files of the page and of the command are the same, byte for byte', async ({ page }) => {
  expect(pairs.length).toBeGreaterThan(10);
  await open(page);
  for (const { link, file } of pairs) {
    const [run, ...words] = link.split('&');
    const bytes = Buffer.from(run, 'base64url').subarray(0, -4);
    const read = await readScenario(page, file);
    expect(Buffer.from(read.bytes).toString('hex')).toBe(bytes.toString('hex'));
    expect(await writeScenario(page, bytes, read.note, read.found)).toBe(file);
    // What was found stands after the link.
    const said = new URLSearchParams(words.join('&'));
    const found = await page.evaluate(
      ([shared, what, at, first, second]) =>
        what && /** @type {any} */ (window).raftarium.run.constructor.found(shared, what, at, first, second),
      [run, said.get('found'), said.get('at'), said.get('first') ?? '', said.get('second') ?? ''],
    );
    // What it is about only the checker knows.
    expect(found && { ...found, about: undefined, at: said.get('at') }).toEqual(read.found);
  }
  // The simulator plays what the page reads as the same run.
  for (const { link, file } of pairs.slice(4)) {
    const { bytes } = await readScenario(page, file);
    const again = await page.evaluate((all) => {
      const { run } = /** @type {any} */ (window).raftarium;
      const copy = run.constructor.fromBytes(Uint8Array.from(all));
      const back = [...copy.bytes()];
      copy.free();
      return back;
    }, bytes);
    const without = async (/** @type {Iterable<number>} */ all) =>
      (await writeScenario(page, all)).replace(/ {2}"hash": .*\n/, '');
    expect(await without(again)).toBe(await without(Buffer.from(link.split('&')[0], 'base64url').subarray(0, -4)));
  }
});

test('what a script does is in the file, whatever it is about', async ({ page }) => {
  await openStill(page, '?seed=5');
  const bytes = await page.evaluate(() => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.act(
      { do: 'crash', server: 'leader' },
      { do: 'restart', server: 5 },
      { do: 'jump-clock', server: 1, by: -100_000 },
      { do: 'set-clock-rate', server: 1, rate: 500_000 },
      { do: 'stall-disk', server: 2, stalled: true },
      { do: 'set-fsync', server: 2, min: 40_000, max: 80_000.5 },
      { do: 'impair', from: 3, to: 4, delay: 50_000, share: 300_000 },
      { do: 'partition', groups: [0, 0, 1, 1, 1] },
      { do: 'hold-message', message: 17 },
      { do: 'set-late', of: 'votes', copies: false, share: 1, delay: 1_000 },
      { do: 'submit', command: 'put né 1' },
      { do: 'add-server' },
    );
    return [...raftarium.run.bytes()];
  });
  const { actions } = JSON.parse(await writeScenario(page, bytes));
  const done = actions.map((/** @type {any} */ { at: _, ...action }) => action);
  expect(done).toEqual([
    { do: 'crash', server: 'leader' },
    { do: 'restart', server: 'S5' },
    { do: 'jump-clock', server: 'S1', by: '-100ms' },
    { do: 'set-clock-rate', server: 'S1', rate: '50%' },
    { do: 'stall-disk', server: 'S2', stalled: true },
    { do: 'set-fsync', server: 'S2', min: '40ms', max: '80ms' },
    { do: 'impair', from: 'S3', to: 'S4', delay: '50ms', share: '30%' },
    { do: 'partition', groups: [0, 0, 1, 1, 1] },
    { do: 'hold-message', message: 17 },
    { do: 'set-late', of: 'votes', copies: false, delay: '1ms', share: '0.0001%' },
    { do: 'submit', command: 'put né 1' },
    { do: 'add-server' },
  ]);
});

const start = '{"raftarium":1,"seed":"1"';
test('what is wrong with a file is said, and the page keeps its run', async ({ page }) => {
  const run = await makeRun(page);
  for (const [content, sentence] of [
    ['hello', 'it is no scenario file: one is JSON, and begins with {"raftarium": 1, …'],
    ['[1]', 'it is no scenario file'],
    ['{"seed":"1"}', 'it is no scenario file'],
    ['{"raftarium":', 'line 1, column 13: EOF while parsing a value'],
    ['{"raftarium":2,"seed":"1"}', 'made by another version of Raftarium: it has format 2, this version reads 1'],
    ['{"raftarium":1}', 'line 1, column 15: missing field `seed`'],
    ['{"raftarium":1,"seed":7}', 'line 1, column 23: invalid type: integer `7`, expected a string'],
    [`${start},"found":{"what":"Luck","at":"1s"}}`, '“Luck” is nothing that can be found: there are Line'],
    [`${start},"until":"1s","found":{"what":"Liveness","at":"2s"}}`, '2.000 s lies after the end of the run'],
    [`${start},"found":{"what":"Liveness"}}`, 'missing field `at`'],
    [`${start},"loss":1}`, 'line 1, column 32: unknown field `loss`, expected one of `raftarium`,'],
    [`${start},"servers":10}`, 'a cluster has 1 to 9 servers, not 10'],
    [`${start},"network":{"loss":"0.00001%"}}`, '“0.00001%” has more digits than count: round it'],
    [`${start},"without":["be-kind"]}`, 'line 1, column 47: “be-kind” is no rule'],
    [`${start},"actions":[{"at":"1s","do":"fly"}]}`, 'line 1, column 60: “fly” is no action'],
    [
      `${start},"actions":[{"at":"1s","do":"heal-all"},{"at":"2s","do":"crash"}]}`,
      '“crash” needs a field `server`, like "S1" or "leader"',
    ],
    [`${start},"actions":[{"at":"1s","do":"crash","server":"S7"}]}`, 'action 1: there is no S7 in this cluster'],
    [`${start},"actions":[{"at":"2s","do":"heal-all"},{"at":"1s","do":"heal-all"}]}`, 'action 2: it comes before'],
    [
      `${start},"actions":[{"at":"1s","do":"drop-message","message":18446744073709551616}]}`,
      'line 1, column 98: invalid type: floating point',
    ],
  ]) {
    await drop(page, 'odd.json', content);
    await expect(page.locator('#trouble')).toContainText(
      'odd.json can’t be opened. The page keeps the run that it shows.',
    );
    await expect(page.locator('#trouble')).toContainText(sentence);
    expect(await standing(page)).toEqual(run);
  }
});

test('the ring is saved as a picture, as pixels and as lines', async ({ page }) => {
  await makeRun(page);
  await page.evaluate(() => {
    const { raftarium } = /** @type {any} */ (window);
    for (let i = 0; i < 500 && raftarium.frame.messages.length < 2; i++)
      raftarium.advanceTo(raftarium.frame.now + 1_000);
    if (raftarium.frame.messages.length < 2) throw new Error('nothing is ever on its way');
  });
  await share(page);
  const png = await saved(page, 'PNG');
  expect(png.name).toBe('raftarium-31.png');
  expect(png.bytes.subarray(1, 4).toString()).toBe('PNG');
  const stage = await page.locator('#stage').boundingBox();
  expect(png.bytes.readUInt32BE(16)).toBe(2 * Math.round(stage?.width ?? 0));
  const svg = await saved(page, 'SVG');
  expect(await parts(page, svg.bytes.toString())).toMatchObject({ root: 'svg' });
  expect(svg.bytes.toString()).toContain('>S2 </text>');
  expect(svg.bytes.toString()).toContain('Raftarium · seed 31 · ');
  expect(svg.bytes.toString()).not.toMatch(/NaN|undefined|oklab|var\(/);
});

test('the ring’s picture has a caption of its own, with few servers, too', async ({ page }) => {
  await openStill(page, '?seed=7&servers=3');
  await advanceBy(page, 1_000_000);
  await page.keyboard.press('p');
  await page.getByRole('button', { name: 'Leader alone' }).click();
  await page.getByRole('button', { name: 'Cut here' }).click();
  await share(page);
  const svg = (await saved(page, 'SVG')).bytes.toString();
  // The caption's ground is painted over whatever the scene has below itself.
  const stage = await page.locator('#stage').boundingBox();
  const ground = svg.lastIndexOf(`<rect x="0" y="${Math.round(stage?.height ?? 0)}"`);
  expect(ground).toBeGreaterThan(Math.max(svg.lastIndexOf('<path'), svg.lastIndexOf('<line')));
});

test('the ring’s picture says what is broken rather than who leads', async ({ page }) => {
  await page.goto(`./#run=${counterexamples[0]}`);
  await expect(page.locator('html')).toHaveAttribute('data-state', 'violated');
  await share(page);
  const broken = (await saved(page, 'SVG')).bytes.toString();
  expect(broken.replace(/<[^>]*>/g, ' ').replace(/ +/g, ' ')).toMatch(
    /Leader Completeness is broken at [\d.]+ s\. Entry /,
  );
});

test('the space-time diagram is saved as a picture, as pixels and as lines', async ({ page }) => {
  await makeRun(page);
  await tab(page, 'Space-time');
  for (const kind of ['PNG', 'SVG']) {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: `Save as ${kind}` }).click(),
    ]);
    const bytes = await readFile(await download.path());
    if (kind === 'PNG') expect(bytes.subarray(1, 4).toString()).toBe('PNG');
    else expect(await parts(page, bytes.toString())).toMatchObject({ root: 'svg' });
  }
});

/** @param {Page} page @param {string} text */
const parts = (page, text) =>
  page.evaluate((svg) => {
    const parsed = new DOMParser().parseFromString(svg, 'image/svg+xml');
    return { root: parsed.documentElement.nodeName, shapes: parsed.querySelectorAll('path, line').length };
  }, text);

test('what happened is saved as a trace: an event a line, up to this moment', async ({ page }) => {
  const { now } = await makeRun(page);
  await share(page);
  const { name, bytes } = await saved(page, 'Trace');
  expect(name).toBe('raftarium-31-trace.jsonl');
  const lines = bytes
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.length).toBeGreaterThan(20);
  expect(lines.map(({ time }) => time)).toEqual(lines.map(({ time }) => time).sort((a, b) => a - b));
  expect(lines.at(-1).time).toBeLessThanOrEqual(now);
  expect(lines.find(({ kind }) => kind === 'crashed')).toMatchObject({ server: 'S2', weight: 'turning' });
  expect(lines.find(({ kind }) => kind === 'became-leader').section).toBe('Raft §5.2');
});

test('what happened is saved as a ShiViz log, with vector clocks that hold', async ({ page }) => {
  await makeRun(page);
  const before = await standing(page);
  await share(page);
  const { bytes } = await saved(page, 'ShiViz');
  expect(await standing(page), 'the run itself is left alone').toEqual(before);
  const events = [...bytes.toString().matchAll(/^(?<host>\S+) (?<clock>\{.*\})\n(?<event>.*)\n/gm)].map(
    ({ groups }) => groups ?? {},
  );
  expect(events.map(({ host, clock, event }) => `${host} ${clock}\n${event}\n`).join('')).toBe(bytes.toString());
  /** @type {Record<string, Record<string, number>>} */
  const last = {};
  /** What each server's nth event was. @type {Map<string, string>} */
  const told = new Map();
  let receives = 0;
  for (const { host, clock, event } of events) {
    const now = JSON.parse(clock);
    const then = last[host] ?? {};
    expect(now[host], 'an event is one step of its server').toBe((then[host] ?? 0) + 1);
    for (const [other, count] of Object.entries(then)) expect(now[other]).toBeGreaterThanOrEqual(count);
    for (const [other, count] of Object.entries(now)) {
      if (other !== host)
        expect(count, 'nobody knows of what is yet to come').toBeLessThanOrEqual(last[other]?.[other] ?? 0);
    }
    last[host] = now;
    told.set(`${host} ${now[host]}`, event);
    const [, from] = /receives .* from (S\d)$/.exec(event) ?? [];
    if (!from) continue;
    receives++;
    // New knowledge comes from the message: the last known event of its sender is the sending.
    if (now[from] > (then[from] ?? 0))
      expect(told.get(`${from} ${now[from]}`)).toMatch(new RegExp(`^.* sends .* to ${host}$`));
  }
  expect(receives).toBeGreaterThan(30);
});

test.describe('under a thumb', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('the link is copied and the scenario saved', async ({ page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const run = await makeRun(page);
    await page.getByRole('button', { name: 'Share', exact: true }).tap();
    await dialog(page).getByRole('button', { name: 'Copy link' }).tap();
    await expect(dialog(page).getByRole('status')).toHaveText('Link copied');
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(new RegExp(`/#run=${run.link}$`));
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      dialog(page).getByRole('button', { name: 'Save scenario' }).tap(),
    ]);
    expect(JSON.parse((await readFile(await download.path())).toString()).until).toMatch(/s$/);
    for (const button of await dialog(page).getByRole('button').all()) {
      await button.scrollIntoViewIfNeeded();
      await expect(button).toBeInViewport({ ratio: 1 });
    }
  });
});
