// @ts-check
// The stage and the tape at fixed moments, stroke by stroke, as SVGs. What must be seen is asserted
// first, in words and numbers; then the pictures are compared: a diff shows what else has changed,
// and unlike pixels they don't depend on the machine's fonts. UPDATE_PICTURES=1 renews them: look
// at them before you commit them.
import './unit/browser.js';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { counterexamples } from '../www/run/counterexamples.js';
import { SvgContext } from '../www/draw/svg-context.js';
import { layOut, messageSpot } from '../www/stage/geometry.js';
import { niceStep } from '../www/draw/ticks.js';
import { readTape, toX } from '../www/tape/data.js';
import { BAND, LANE, SIGNS, TRACK } from '../www/tape/paint.js';
import { role, roleWord } from '../www/words/common.js';
import { expect, framesAfter, open, test } from './page.js';

/** @typedef {import('../web/view.d.ts').Frame} Frame */

const FOLDER = 'page-tests/snapshots';

/**
 * What is done, and when it is looked at.
 * `seen` says what the moment is about, by the frame.
 * @type {Record<string, { query?: string, dark?: boolean, at: number, before?: object[],
 * seen: (frame: Frame) => void }>}
 */
const moments = {
  'an-election': {
    at: 0.18,
    seen: ({ servers, messages }) => {
      const candidates = servers.filter(({ role: is }) => is === 'candidate');
      expect(candidates).toHaveLength(1);
      expect(candidates[0].votes).toContain('granted');
      expect(messages.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['request-vote', 'vote']));
    },
  },
  'writes-under-way': {
    at: 1.03,
    before: [{ do: 'submit', command: 'put colour teal' }],
    seen: ({ messages }) =>
      expect(messages.filter(({ kind, entries }) => kind === 'append' && entries > 0).length).toBeGreaterThan(1),
  },
  'a-minority-cut-off': {
    at: 3,
    before: [
      { do: 'partition', groups: [0, 0, 0, 1, 1] },
      { do: 'crash', server: 3 },
    ],
    seen: ({ servers, cuts }) => {
      expect(cuts).toHaveLength(12);
      expect(servers[2].role).toBe('crashed');
    },
  },
  'nine-servers-that-lose-messages': {
    query: '?seed=7&servers=9',
    at: 1.033,
    before: [{ do: 'set-loss', share: 300_000 }],
    seen: ({ servers, messages, now }) => {
      expect(servers).toHaveLength(9);
      expect(messages.filter(({ lost }) => lost > 0 && lost <= now).length).toBeGreaterThan(1);
      expect(messages.filter(({ lost }) => lost === 0).length).toBeGreaterThan(1);
    },
  },
  'in-the-dark': {
    dark: true,
    at: 1.045,
    before: [{ do: 'submit', command: 'put colour teal' }],
    seen: ({ messages }) => expect(messages.length).toBeGreaterThan(0),
  },
};

/** Makes every letter equally wide, so that positions don't depend on the installed fonts. */
function evenLetters() {
  CanvasRenderingContext2D.prototype.measureText = function (words) {
    const size = Number.parseFloat(/([\d.]+)px/.exec(this.font)?.[1] ?? '12');
    return /** @type {any} */ ({ width: 0.55 * size * words.length });
  };
}

/** An element of an SVG: its attributes, its words, and where its origin is. */
class Element {
  /** @param {string} line */
  constructor(line) {
    this.tag = /<(\w+)/.exec(line)?.[1] ?? '';
    this.words = />([^<]*)<\/text>/.exec(line)?.[1] ?? '';
    /** @type {Record<string, string>} */
    this.is = Object.fromEntries([...line.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
    const [, , , , x = '0', y = '0'] = /matrix\(([^)]*)\)/.exec(line)?.[1].split(' ') ?? [];
    this.at = { x: Number(x), y: Number(y) };
  }

  /** @param {{ x: number, y: number }} point */
  standsAt({ x, y }) {
    return Math.hypot(this.at.x - x, this.at.y - y) < 0.05;
  }
}

/** @param {string} svg */
const elements = (svg) =>
  [...svg.matchAll(/<(?:path|line|rect|circle|text)[^\n]*/g)].map(([line]) => new Element(line));

/** The hues of terms and the colours of the paper and of danger. */
const COLOURS = {
  light: {
    paper: 'rgb(247, 245, 239)',
    danger: 'rgb(179, 38, 30)',
    noTerm: 'rgb(85, 96, 108)',
    terms: ['rgb(31, 99, 181)', 'rgb(150, 78, 8)', 'rgb(125, 69, 168)', 'rgb(77, 107, 18)', 'rgb(168, 42, 112)'],
  },
  dark: {
    paper: 'rgb(13, 19, 26)',
    danger: 'rgb(255, 138, 128)',
    noTerm: 'rgb(154, 168, 181)',
    terms: ['rgb(106, 169, 238)', 'rgb(237, 164, 90)', 'rgb(196, 147, 221)', 'rgb(181, 199, 90)', 'rgb(240, 140, 192)'],
  },
};

/** Where an element begins. @param {Element} one */
function firstPoint({ is, at }) {
  const [, x, y] = /^M(-?[\d.]+) (-?[\d.]+)/.exec(is.d ?? '') ?? [0, is.x ?? is.cx ?? 0, is.y ?? is.cy ?? 0];
  return { x: Number(x) + at.x, y: Number(y) + at.y };
}

/**
 * What a tape shows: the numbers of the branch that is played, and all branches.
 * @typedef {{ numbers: number[], kinds: string[], width: number,
 * branches: import('../web/view.d.ts').BranchView[] }} TapeFacts
 */

/**
 * What must be seen on a stage, wherever strokes lie: each server where the ring has it, with its
 * name, role, term and shape; each message on its way, in the hue of its term; votes and cuts.
 * @param {string} svg
 * @param {{ frame: Frame, clients: number, stage: { width: number, height: number } }} scene
 * @param {typeof COLOURS.light} colours
 */
function showsTheFrame(svg, { frame, clients, stage }, colours) {
  const all = elements(svg);
  const layout = layOut(stage.width, stage.height, frame.servers.length, undefined, clients);
  const hue = (/** @type {number} */ term) =>
    term ? colours.terms[(term - 1) % colours.terms.length] : colours.noTerm;
  expect(all[0].is.fill, 'the paper').toBe(colours.paper);

  for (const server of frame.servers) {
    const name = `S${server.id}`;
    const here = all.filter((one) => one.standsAt(layout.servers[server.id - 1]));
    const words = here.map((one) => one.words.trim()).filter(Boolean);
    expect(words, `what is written at ${name}`).toContain(name);
    if (!layout.brief) expect(words, `the role of ${name}`).toContain(roleWord(server));
    const term = here.find((one) => one.words === String(server.term));
    if (server.role === 'crashed') expect(term, `${name} has crashed, and shows no term`).toBeUndefined();
    else expect(term?.is.fill, `the term of ${name}`).toBe(hue(server.term));
    const corners = here
      .filter(({ is }) => is.fill === 'none' && /^M[^MA]*Z$/.test(is.d ?? ''))
      .map(({ is }) => is.d.split('L').length);
    const shapes = { leader: [6, 6], candidate: [4], 'pre-candidate': [4] };
    expect(corners, `the shape of ${name}, ${role[server.role]}`).toEqual(
      shapes[/** @type {keyof typeof shapes} */ (server.role)] ?? [],
    );
  }

  for (const message of frame.messages) {
    const { at } = messageSpot(layout, message, frame.now);
    const here = all.filter((one) => one.standsAt(at));
    const what = `${message.kind} from ${message.from} to ${message.to}`;
    expect(here.length, `${what} at ${at.x.toFixed(1)}, ${at.y.toFixed(1)}`).toBeGreaterThan(0);
    if (message.term)
      expect(
        here.flatMap(({ is }) => [is.fill, is.stroke]),
        `the hue of ${what}`,
      ).toContain(hue(message.term));
    if (message.kind === 'append')
      expect(
        here.map(({ words }) => words),
        `the entries of ${what}`,
      ).toContain(String(message.entries));
    const struck = here.some(({ is }) => is.stroke === colours.danger);
    expect(struck, `${what} is struck through where it is lost`).toBe(message.lost > 0 && message.lost <= frame.now);
  }

  const discs = all.filter(({ is }) => is.d?.includes('A4.25 4.25') && is.fill !== 'none');
  const votes = frame.servers.reduce((sum, server) => sum + server.votes.length, 0);
  expect(discs, 'the votes of candidates').toHaveLength(votes);
  const clientIcons = all.filter(({ words }) => words === 'you' || words.startsWith('client '));
  expect(clientIcons, 'the clients').toHaveLength(clients);
  const lines = all.filter(({ is }) => is['stroke-dasharray'] === '1.5 6.5' && is.stroke === colours.danger);
  expect(lines, 'the line of a partition').toHaveLength(frame.cuts.length ? 1 : 0);
}

/** Compares a picture with the recorded one. @param {string} name @param {string} svg */
async function sameAsKept(name, svg) {
  expect(svg.match(/<(path|line|rect|circle|text)/g)?.length).toBeGreaterThan(20);
  const file = `${FOLDER}/${name}.svg`;
  if (process.env.UPDATE_PICTURES) {
    await mkdir(FOLDER, { recursive: true });
    await writeFile(file, svg);
  }
  expect(svg).toBe(await readFile(file, 'utf8'));
}

for (const [name, { query, dark, at, before, seen }] of Object.entries(moments)) {
  test(`the stage: ${name}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    await page.addInitScript(evenLetters);
    await open(page, query);
    await page.evaluate(
      ([moment, actions]) => {
        const { raftarium } = /** @type {any} */ (window);
        raftarium.pause();
        raftarium.run.seek(1_000_000);
        raftarium.act(...actions);
        raftarium.run.seek(moment);
        raftarium.advanceTo(moment);
      },
      /** @type {const} */ ([at * 1e6, before ?? []]),
    );
    await page.getByRole('button', { name: 'Share', exact: true }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('dialog').getByRole('button', { name: 'SVG', exact: true }).click(),
    ]);
    const svg = await readFile(await download.path(), 'utf8');
    const scene = await page.evaluate(() => {
      const { source } = /** @type {any} */ (window).raftarium;
      const { clientWidth: width, clientHeight: height } = /** @type {Element} */ (document.querySelector('#ring'));
      return { frame: source.frame, clients: source.clients, stage: { width, height } };
    });
    seen(scene.frame);
    showsTheFrame(svg, scene, COLOURS[dark ? 'dark' : 'light']);
    await sameAsKept(name, svg);
  });
}

/**
 * A call on a drawing context, with its arguments, or a property with its value. @typedef {[string,
 * any]} Stroke
 */

/**
 * Has what is drawn on canvases that are not the ring's written down, from when they were last
 * cleared.
 */
function writeDown() {
  const { getContext } = HTMLCanvasElement.prototype;
  /** @type {WeakMap<HTMLCanvasElement, [string, any][]>} */
  const strokes = new WeakMap();
  /** @type {any} */ (HTMLCanvasElement.prototype).getContext = function (/** @type {any[]} */ ...how) {
    const real = /** @type {any} */ (getContext).apply(this, how);
    if (this.isConnected && this.id !== 'tape-canvas') return real;
    const done = strokes.get(this) ?? [];
    strokes.set(this, done);
    return new Proxy(real, {
      get: (_, name) =>
        typeof real[name] !== 'function'
          ? real[name]
          : (/** @type {any[]} */ ...given) => {
              if (name === 'clearRect') done.length = 0;
              if (name === 'drawImage') done.push(['drawImage', [strokes.get(given[0])]]);
              else if (name !== 'measureText') done.push([String(name), given]);
              return real[name](...given);
            },
      set: (_, name, value) => {
        done.push([String(name), value]);
        real[name] = value;
        return true;
      },
    });
  };
  /** @type {any} */ (window).strokesOf = (/** @type {string} */ id) =>
    strokes.get(/** @type {HTMLCanvasElement} */ (document.getElementById(id)));
}

/**
 * Replays strokes; the SVGs here have no clips and no images. @param {any} c @param {Stroke[]}
 * strokes
 */
function drawAgain(c, strokes) {
  for (const [name, value] of strokes) {
    if (name === 'drawImage') drawAgain(c, value[0]);
    else if (!Array.isArray(value)) c[name] = value;
    else if (typeof c[name] === 'function') c[name](...value);
  }
}

/**
 * `seen` says what must be painted.
 * @type {Record<string, { dark?: boolean, query?: string, done: (page:
 * import('@playwright/test').Page) => Promise<void>,
 * seen: (all: Element[], tape: TapeFacts) => void }>}
 */
const tapes = {
  'a-tape-with-branches': {
    done: async (page) => {
      await page.evaluate(() => {
        const { run, act } = /** @type {any} */ (window).raftarium;
        const at = (/** @type {number} */ seconds) => run.seek(seconds * 1e6);
        at(2);
        act({ do: 'submit', command: 'put colour teal' }, { do: 'crash', server: 2 });
        at(3);
        act({ do: 'restart', server: 2 }, { do: 'partition', groups: [0, 0, 0, 1, 1] });
        at(4);
        act({ do: 'heal-all' }, { do: 'pause', server: 4 });
        at(6);
        for (const [moment, server] of [
          [4.5, 4],
          [5, 5],
          [5.5, 1],
        ]) {
          at(moment);
          act({ do: 'crash', server });
          at(moment + server);
        }
      });
      await page.keyboard.press(',');
    },
    seen: (all, { numbers, kinds, branches, width }) => {
      expect(branches).toHaveLength(4);
      const whole = Math.max(2e6, 2 * niceStep(Math.max(...branches.map(({ end }) => end)) * 0.51));
      const sight = { from: 0, to: whole, width };
      const { bands, marks } = readTape(Float64Array.from(numbers), kinds);
      expect(bands.length).toBeGreaterThan(1);
      const rects = all.filter(({ tag }) => tag === 'rect').map(({ is }) => ({ ...is, left: Number(is.x) }));
      for (const { from, term } of bands) {
        const edges = rects.filter(({ y, height }) => Number(y) === SIGNS && Number(height) === BAND);
        const edge = edges.find(
          ({ left, width: wide }) => Number(wide) === 1.5 && Math.abs(left - toX(sight, from)) < 0.1,
        );
        expect(edge?.fill, `where term ${term} begins, at ${toX(sight, from).toFixed(1)}`).toBe(
          COLOURS.light.terms[(term - 1) % 5],
        );
      }
      const crash = marks.find(({ kind }) => kind === 'crash');
      expect(crash, 'a crash on the branch that is played').toBeDefined();
      const at = toX(sight, crash?.time ?? 0);
      const cross = all.filter(({ is }) => is.stroke === COLOURS.light.danger);
      const near = cross.map((one) => firstPoint(one).x - at);
      expect(Math.min(...near.map(Math.abs)), 'the sign of the crash').toBeLessThan(8);
      // Two of the other branches have lanes, one under the other.
      const lanes = [0, 1, 2].map((place) =>
        rects.filter(({ y }) => Number(y) >= TRACK + place * LANE && Number(y) < TRACK + (place + 1) * LANE),
      );
      expect(lanes.map((lane) => lane.length > 0)).toEqual([true, true, false]);
    },
  },
  'a-tape-of-a-violation-in-the-dark': {
    dark: true,
    query: `#run=${counterexamples[13]}`,
    done: async (page) => {
      for (const key of ['z', 'z', 'z', 'z', ',']) await page.keyboard.press(key);
    },
    seen: (all, { width }) => {
      const { dark, light } = COLOURS;
      const used = new Set(all.flatMap(({ is }) => [is.fill, is.stroke]));
      expect([...used].filter((colour) => light.terms.includes(colour) || colour === light.danger)).toEqual([]);
      // The last term runs to the violation, whose sign stands over its end.
      const sign = all.filter(({ is }) => is.stroke === dark.danger || is.fill === dark.danger);
      expect(sign.length, 'the sign of the violation').toBeGreaterThan(0);
      const { x, y } = firstPoint(sign[sign.length - 1]);
      expect(x).toBeGreaterThan(0);
      expect(x).toBeLessThan(width);
      expect(y, 'it stands above the terms').toBeLessThan(SIGNS + 1);
      const bands = all.filter(({ tag, is }) => tag === 'rect' && dark.terms.includes(is.fill ?? ''));
      expect(bands.length, 'terms are painted').toBeGreaterThan(1);
      for (const { is } of bands) expect(Number(is.x)).toBeLessThan(x + 12);
    },
  },
};

for (const [name, { dark, query, done, seen }] of Object.entries(tapes)) {
  test(`the tape: ${name}`, async ({ page }) => {
    // Without animations.
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' });
    await page.addInitScript(evenLetters);
    await page.addInitScript(writeDown);
    await page.goto(`./${query ?? '?seed=7'}`);
    await expect(page.locator('html')).toHaveAttribute('data-state', query ? 'violated' : 'running');
    await done(page);
    await framesAfter(page, 5);
    /** @type {Stroke[]} */
    const strokes = await page.evaluate(() => /** @type {any} */ (window).strokesOf('tape-canvas'));
    const size = await page.locator('#tape-canvas').boundingBox();
    if (!size) throw new Error('the tape has no place');
    // The tape uses no transformations.
    /** @type {any} */ (globalThis).DOMMatrix ??= class {
      isIdentity = true;
    };
    const c = new SvgContext(/** @type {any} */ (null));
    drawAgain(c, strokes);
    const facts = await page.evaluate(() => {
      const { source } = /** @type {any} */ (window).raftarium;
      const { branch, end } = source.frame;
      return {
        numbers: [...source.tape(branch, 0, end, 1000)],
        kinds: source.momentKinds,
        branches: source.branching.branches(),
      };
    });
    const svg = c.whole(size.width, size.height);
    seen(elements(svg), { ...facts, width: size.width });
    await sameAsKept(name, svg);
  });
}
