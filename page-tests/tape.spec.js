// @ts-check
// The tape: travelling by mouse, by keyboard and by touch; what it tells; what it costs.
import { counterexamples } from '../www/run/counterexamples.js';
import { advanceBy, expect, framesAfter, leaderId, open, openStill, setSpeed, test, toggle } from './page.js';

/** @typedef {import('@playwright/test').Page} Page */

const frame = (/** @type {Page} */ page) => page.evaluate(() => /** @type {any} */ (window).raftarium.frame);
const now = async (/** @type {Page} */ page) => (await frame(page)).now;
const track = (/** @type {Page} */ page) => page.getByRole('slider', { name: 'Tape' });
const value = (/** @type {Page} */ page) => track(page).getAttribute('aria-valuetext');

/** A point on the tape, at a part of its width. @param {Page} page @param {number} part */
async function at(page, part) {
  const box = await track(page).boundingBox();
  if (!box) throw new Error('the tape has no place');
  return { x: box.x + part * box.width, y: box.y + 24 };
}

/** A run of some seconds with a crash, an election and a cut in it, paused. @param {Page} page */
async function eventful(page) {
  await openStill(page);
  await advanceBy(page, 1_000_000);
  const first = await leaderId(page);
  await toggle(page, first);
  await advanceBy(page, 1_500_000);
  await toggle(page, first);
  await advanceBy(page, 1_000_000);
  await page.evaluate(() => /** @type {any} */ (window).raftarium.act({ do: 'cut', from: 1, to: 2 }));
  await advanceBy(page, 1_000_000);
  return first;
}

test('the cluster follows a drag along the tape, both ways, while it is dragged', async ({ page }) => {
  await eventful(page);
  const { end, branches } = await frame(page);
  const [early, late, beyond] = [await at(page, 0.05), await at(page, 0.3), await at(page, 0.99)];
  await page.mouse.move(late.x, late.y);
  await page.mouse.down();
  await expect.poll(() => now(page)).toBeLessThan(end);
  const middle = await now(page);
  await page.mouse.move(early.x, early.y, { steps: 5 });
  await expect.poll(() => now(page)).toBeLessThan(middle);
  const least = await now(page);
  await expect(page.locator('#now')).toHaveText(`${(least / 1e6).toFixed(3)} s`);
  // Every server is as it was then: at the very beginning there is no leader.
  await page.mouse.move(beyond.x, beyond.y, { steps: 5 });
  await expect.poll(() => now(page)).toBe(end);
  await page.mouse.up();
  // Seeking neither plays nor acts.
  const after = await frame(page);
  expect([after.end, after.branches]).toEqual([end, branches]);
});

test('a drag holds the run still, and it plays on when let go', async ({ page }) => {
  await open(page);
  await expect(page.locator('#play')).toHaveText('Pause');
  const point = await at(page, 0.05);
  await page.mouse.move(point.x, point.y);
  await page.mouse.down();
  await expect(page.locator('#play')).toHaveText('Play');
  await page.mouse.up();
  await expect(page.locator('#play')).toHaveText('Pause');
});

test('the newest place of the pointer wins, with one seek a frame', async ({ page }) => {
  await eventful(page);
  const box = await track(page).boundingBox();
  if (!box) throw new Error('the tape has no place');
  const result = await page.evaluate(async (width) => {
    const slider = /** @type {HTMLElement} */ (document.querySelector('#tape-track'));
    const { run } = /** @type {any} */ (window).raftarium;
    const seek = run.seek.bind(run);
    /** @type {number[]} */
    const sought = [];
    run.seek = (/** @type {number} */ time) => {
      sought.push(time);
      return seek(time);
    };
    const { left, top } = slider.getBoundingClientRect();
    const fire = (/** @type {string} */ type, /** @type {number} */ x) =>
      slider.dispatchEvent(
        new PointerEvent(type, {
          ...{ pointerId: 1, pointerType: 'mouse', bubbles: true, buttons: 1 },
          ...{ button: type === 'pointermove' ? -1 : 0, clientX: left + x, clientY: top + 20 },
        }),
      );
    slider.setPointerCapture = () => {};
    fire('pointerdown', 200);
    for (let x = 10; x <= 100; x++) fire('pointermove', x);
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    fire('pointerup', 100);
    delete run.seek;
    return { sought, length: width };
  }, box.width);
  expect(result.sought).toHaveLength(1);
  expect(await now(page)).toBe(result.sought[0]);
});

test('by keyboard: slider keys go along it, and its value says what is there', async ({ page }) => {
  await eventful(page);
  const { end } = await frame(page);
  await track(page).focus();
  await page.keyboard.press('Home');
  await expect.poll(() => now(page)).toBe(0);
  await expect.poll(() => value(page)).toBe('0.000 s, no term yet');
  await page.keyboard.press('End');
  await expect.poll(() => now(page)).toBe(end);
  await expect.poll(() => value(page)).toMatch(/^[\d.]+ s, term \d+, S\d leads/);
  await expect(track(page)).toHaveAttribute('aria-valuenow', String(Math.round(end / 1e3)));
  await page.keyboard.press('ArrowLeft');
  await expect.poll(() => now(page)).toBeLessThan(end);
  const near = await now(page);
  await page.keyboard.press('Shift+ArrowLeft');
  await expect.poll(() => now(page)).toBeLessThan(near - 3 * (end - near));
  const far = await now(page);
  await page.keyboard.press('PageDown');
  await expect.poll(() => now(page)).toBeLessThan(far);
  await page.keyboard.press('PageUp');
  await expect.poll(() => now(page)).toBe(far);
  await page.keyboard.press('ArrowRight');
  await expect.poll(() => now(page)).toBeGreaterThan(far);
});

test('while it plays its value says what it says when paused', async ({ page }) => {
  await open(page);
  await leaderId(page);
  // Each time that it is told anew, four times in all.
  const told = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const { raftarium } = /** @type {any} */ (window);
        /** @type {string[]} */
        const told = [];
        const slider = /** @type {Element} */ (document.querySelector('#tape-track'));
        new MutationObserver(() => {
          const leader = raftarium.frame.servers.find((/** @type {any} */ s) => s.role === 'leader');
          const text = slider.getAttribute('aria-valuetext') ?? '';
          told.push(text.includes(`S${leader?.id} leads`) ? 'true' : text);
          if (told.length === 4) resolve(told);
        }).observe(slider, { attributeFilter: ['aria-valuetext'] });
      }),
  );
  expect(told).toEqual(['true', 'true', 'true', 'true']);
});

test('by event: back and on again, with buttons and with keys', async ({ page }) => {
  await eventful(page);
  const events = async () => (await frame(page)).events;
  const last = await events();
  const hash = () => page.evaluate(() => /** @type {any} */ (window).raftarium.traceHash());
  const before = await hash();
  await page.getByRole('button', { name: 'One event back' }).click();
  expect(await events()).toBe(last - 1);
  await page.keyboard.press(',');
  await page.keyboard.press(',');
  expect(await events()).toBe(last - 3);
  expect(await hash()).not.toBe(before);
  await page.keyboard.press('.');
  await page.getByRole('button', { name: 'Step', exact: true }).click();
  await page.keyboard.press('.');
  expect(await events()).toBe(last);
  expect(await hash()).toBe(before);
});

test('by kind: to elections, crashes and commits, with buttons, menu and keys', async ({ page }) => {
  const crashed = await eventful(page);
  const why = page.locator('#why');
  const choose = async (/** @type {string} */ kind) => {
    await page.keyboard.press('j');
    await page.getByRole('menuitemradio', { name: kind }).click();
  };
  await page.getByRole('button', { name: 'Previous: election' }).click();
  const second = await now(page);
  const elected = await frame(page);
  expect(elected.servers.filter((/** @type {any} */ s) => s.role === 'leader' && s.id !== crashed)).toHaveLength(1);
  await expect(why).toContainText('leads term 2');
  await page.keyboard.press('[');
  const first = await now(page);
  expect(first).toBeLessThan(second);
  expect((await frame(page)).servers[crashed - 1].role).toBe('leader');
  await page.keyboard.press('[');
  expect(await now(page)).toBe(first);
  await expect(page.locator('#toast')).toContainText('Nothing to jump to (election)');
  await expect(page.locator('#live')).toContainText('election, at');
  await page.keyboard.press(']');
  expect(await now(page)).toBe(second);
  await expect(page.locator('#live')).toContainText('leads term 2');
  await choose('crash');
  await page.keyboard.press('[');
  expect((await frame(page)).servers[crashed - 1].role).toBe('crashed');
  expect(await now(page)).toBeLessThan(second);
  await choose('commit');
  const before = await now(page);
  await page.getByRole('button', { name: 'Next: commit' }).click();
  expect(await now(page)).toBeGreaterThan(before);
  await choose('violation');
  const { end } = await frame(page);
  const here = await now(page);
  await page.getByRole('button', { name: 'Next: violation' }).click();
  await expect(page.locator('#toast')).toContainText('Nothing to jump to (violation)');
  // A search ahead that finds nothing doesn't extend the run.
  const after = await frame(page);
  expect([after.now, after.end]).toEqual([here, end]);
});

test('a pen scrubs and is told what is under it; lifted, it is told nothing', async ({ page }) => {
  await eventful(page);
  const { end } = await frame(page);
  const device = await page.context().newCDPSession(page);
  const pen = async (/** @type {string} */ type, /** @type {number} */ part, /** @type {number} */ buttons) =>
    device.send('Input.dispatchMouseEvent', {
      ...{ type: /** @type {any} */ (type), ...(await at(page, part)), pointerType: 'pen', buttons },
      ...(type === 'mouseMoved' ? {} : { button: 'left', clickCount: 1 }),
    });
  const tip = page.locator('#tape-tip');
  // A hovering pen doesn't scrub.
  await pen('mouseMoved', 0.2, 0);
  await expect(tip).toBeVisible();
  expect(await now(page)).toBe(end);
  await pen('mousePressed', 0.2, 1);
  await expect.poll(() => now(page)).toBeLessThan(end);
  const first = await now(page);
  for (const part of [0.17, 0.14, 0.1]) await pen('mouseMoved', part, 1);
  await expect.poll(() => now(page)).toBeLessThan(first * 0.7);
  await expect(tip).toBeVisible();
  await pen('mouseReleased', 0.1, 0);
  const there = await now(page);
  await pen('mouseMoved', 0.3, 0);
  await framesAfter(page, 3);
  expect(await now(page)).toBe(there);
  await device.send('Input.dispatchMouseEvent', { type: 'mouseMoved', x: 700, y: 300, pointerType: 'pen' });
  await expect(tip).toBeHidden();
  const after = await frame(page);
  expect([after.end, after.branches]).toEqual([end, 1]);
});

/** Without a rule, a few actions are enough: a leader that lacks what was committed. */
const broken = counterexamples[0];

test('a violation stops the run as it plays, is marked on the tape, is jumped to, and is left by going back', async ({
  page,
}) => {
  await page.goto(`./#run=${broken}`);
  const html = page.locator('html');
  await expect(html).toHaveAttribute('data-state', 'violated');
  const { violation } = await frame(page);
  expect(violation.property).toBe('Leader Completeness');
  // Back to before it, and on: the run plays up to the violation, and no further.
  await track(page).focus();
  await page.keyboard.press('Home');
  await expect(html).toHaveAttribute('data-state', 'running');
  await expect(page.locator('#violation')).toBeHidden();
  expect((await frame(page)).violation).toBe(null);
  await setSpeed(page, 1);
  await page.locator('#play').click();
  await expect(html).toHaveAttribute('data-state', 'violated');
  await expect(page.locator('#play')).toHaveText('Play');
  expect(await now(page)).toBe(violation.time);
  const alert = page.getByRole('alert').filter({ hasText: 'Leader Completeness is broken' });
  await expect(alert).toContainText(violation.first.slice(1));
  await expect(alert).toContainText(`but ${violation.second}.`);
  await page.locator('#play').click();
  await expect(page.locator('#toast')).toContainText('A violation has ended this run');
  // The tape says so, under the pointer and to a screen reader.
  await expect.poll(() => value(page)).toContain('a property is violated');
  const tip = page.locator('#tape-tip');
  const middle = await at(page, 0.5);
  await page.mouse.move(middle.x, middle.y);
  await expect(tip).toBeVisible();
  const whole = 2e6 * parseFloat((await tip.textContent()) ?? '');
  const place = await at(page, violation.time / whole);
  await page.mouse.move(place.x, place.y);
  await expect(tip).toContainText('a property is violated');
  // From far away, the key jumps there.
  await track(page).focus();
  await page.keyboard.press('Home');
  await expect(html).toHaveAttribute('data-state', 'running');
  await page.keyboard.press('j');
  await page.getByRole('menuitemradio', { name: 'violation' }).click();
  await page.keyboard.press(']');
  await expect(html).toHaveAttribute('data-state', 'violated');
  expect(await now(page)).toBe(violation.time);
  // Doing something else before the violation begins another branch.
  await page.keyboard.press(',');
  await expect(html).toHaveAttribute('data-state', 'running');
  await page.keyboard.press('1');
  await expect(page.locator('#toast')).toContainText('A new branch begins here');
  await expect(html).toHaveAttribute('data-state', 'running');
  expect((await frame(page)).violation).toBe(null);
});

test('zoomed with wheel, keys and buttons; panned; and the whole run again', async ({ page }) => {
  await eventful(page);
  /** How long the tape is: what a tenth of it, a page, is worth. */
  const length = async () => {
    await track(page).focus();
    await page.keyboard.press('Home');
    await expect.poll(() => now(page)).toBe(0);
    await page.keyboard.press('PageUp');
    await expect.poll(() => now(page)).toBeGreaterThan(0);
    return 10 * (await now(page));
  };
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const whole = await length();
  await page.getByRole('button', { name: 'Zoom the tape in' }).click();
  const closer = await length();
  expect(closer).toBeLessThan(whole / 1.5);
  await page.keyboard.press('z');
  expect(await length()).toBeLessThan(closer / 1.5);
  await page.keyboard.press('x');
  expect(await length()).toBeCloseTo(closer, -2);
  await page.getByRole('button', { name: 'Zoom the tape out' }).click();
  expect(await length()).toBe(whole);
  const middle = await at(page, 0.2);
  await page.mouse.move(middle.x, middle.y);
  const tip = page.locator('#tape-tip');
  const told = async () => parseFloat((await tip.textContent()) ?? '');
  await expect(tip).toBeVisible();
  const under = await told();
  await page.mouse.wheel(0, -300);
  await expect.poll(async () => Math.abs((await told()) - under)).toBeLessThan(0.02);
  await page.mouse.wheel(200, 0);
  await expect.poll(told).toBeGreaterThan(under + 0.05);
  await page.keyboard.press('w');
  expect(await length()).toBe(whole);
});

test('the pointer is told what happened under it', async ({ page }) => {
  const crashed = await eventful(page);
  await page.keyboard.press('j');
  await page.getByRole('menuitemradio', { name: 'crash' }).click();
  await page.keyboard.press('[');
  const moment = await now(page);
  const tip = page.locator('#tape-tip');
  await expect(tip).toBeHidden();
  const box = await track(page).boundingBox();
  if (!box) throw new Error('the tape has no place');
  // The scale shows how long the tape is.
  let [low, high] = [box.x, box.x + box.width];
  for (let i = 0; i < 12; i++) {
    const x = (low + high) / 2;
    await page.mouse.move(x, box.y + 20);
    await expect(tip).toBeVisible();
    await framesAfter(page, 2);
    if (parseFloat((await tip.textContent()) ?? '') * 1e6 < moment) low = x;
    else high = x;
  }
  await expect(tip).toContainText(`S${crashed} crashes`);
  await expect(tip).toContainText(/term \d/);
  await page.mouse.move(box.x + box.width - 2, box.y + 20);
  await expect(tip).toContainText('not played yet');
  await page.mouse.move(box.x, box.y - 300);
  await expect(tip).toBeHidden();
});

test('painted with what happened, and painted once', async ({ page }) => {
  await eventful(page);
  await framesAfter(page, 30);
  const picture = () => page.locator('#tape-canvas').evaluate((canvas) => /** @type {any} */ (canvas).toDataURL());
  const before = await picture();
  const reads = await page.evaluate(() => {
    const { run } = /** @type {any} */ (window).raftarium;
    let count = 0;
    const tape = run.tape.bind(run);
    run.tape = (/** @type {any[]} */ ...args) => {
      count++;
      return tape(...args);
    };
    /** @type {any} */ (window).tapeReads = () => count;
    return count;
  });
  expect(reads).toBe(0);
  const count = () => page.evaluate(() => /** @type {any} */ (window).tapeReads());
  // What comes late, as a panel or a verdict does, has it drawn once more; then it rests.
  const drawn = async () => {
    const before = await framesAfter(page, 5);
    return (await framesAfter(page, 30)) - before;
  };
  await expect.poll(drawn).toBe(0);
  // Seeking moves the playhead, and doesn't read the tape again.
  await track(page).focus();
  await page.keyboard.press('Home');
  await framesAfter(page, 5);
  expect((await picture()) === before).toBe(false);
  await page.keyboard.press('End');
  await framesAfter(page, 5);
  expect(await count()).toBe(0);
  expect((await picture()) === before).toBe(true);
  // An action by hand is painted, though the run is paused.
  await toggle(page, 3);
  await framesAfter(page, 5);
  expect(await count()).toBe(1);
  expect((await picture()) === before).toBe(false);
});

test('a seek and the frame after it fit into a frame of the screen', async ({ page }, testInfo) => {
  test.slow();
  await open(page);
  const figures = await page.evaluate(async () => {
    const { raftarium } = /** @type {any} */ (window);
    raftarium.pause();
    // Ten minutes, in which something happens.
    for (let minute = 0; minute < 10; minute++) {
      raftarium.advanceTo(minute * 60e6 + 1e6);
      raftarium.act({ do: 'crash', server: (minute % 5) + 1 });
      raftarium.advanceTo(minute * 60e6 + 5e6);
      raftarium.act({ do: 'restart', server: (minute % 5) + 1 });
    }
    raftarium.advanceTo(600e6);
    const { run } = raftarium;
    const took = [];
    let random = 1;
    for (let i = 0; i < 200; i++) {
      random = (random * 48271) % 2147483647;
      const began = performance.now();
      run.seek((random / 2147483647) * 600e6);
      run.frame();
      took.push(performance.now() - began);
    }
    took.sort((a, b) => a - b);
    return { events: raftarium.frame.events, median: took[100], p99: took[198], most: took[199] };
  });
  const [median, p99, most] = [figures.median, figures.p99, figures.most].map((ms) => `${ms.toFixed(2)} ms`);
  const words = `${figures.events} events: seek and frame ${median} (median), ${p99} (99th percentile), ${most} (most)`;
  testInfo.annotations.push({ type: 'figures', description: words });
  console.log(words);
  expect(figures.median).toBeLessThan(16);
  expect(figures.p99).toBeLessThan(100);
});

test.describe('by touch', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  /**
   * Fingers on the tape: each entry is where they are.
   * @param {Page} page @param {number[][]} moves parts of its width, a row a move
   */
  async function fingers(page, moves) {
    const session = await page.context().newCDPSession(page);
    const touch = async (/** @type {string} */ type, /** @type {number[]} */ parts) => {
      const touchPoints = await Promise.all(parts.map(async (part, id) => ({ ...(await at(page, part)), id })));
      await session.send('Input.dispatchTouchEvent', { type: /** @type {any} */ (type), touchPoints });
    };
    await touch('touchStart', moves[0]);
    for (const move of moves.slice(1)) await touch('touchMove', move);
    return () => touch('touchEnd', []);
  }

  test('a finger scrubs, two zoom, and the buttons are in reach', async ({ page }) => {
    await eventful(page);
    const { end } = await frame(page);
    const lift = await fingers(page, [[0.3], [0.2], [0.1], [0.05]]);
    await expect.poll(() => now(page)).toBeLessThan(end / 3);
    await expect(page.locator('#tape-tip')).toBeVisible();
    await lift();
    await expect(page.locator('#tape-tip')).toBeHidden();
    await page.getByRole('button', { name: 'One event back' }).tap();
    const still = await now(page);
    const end2 = await fingers(page, [
      [0.02, 0.1],
      [0.02, 0.2],
      [0.02, 0.4],
    ]);
    await end2();
    // What is in sight moves to what was chosen.
    await framesAfter(page, 30);
    // The playhead stays in time and moves on the screen: a page on the slider is shorter now.
    await track(page).focus();
    await page.keyboard.press('PageUp');
    await expect.poll(() => now(page)).toBeGreaterThan(still);
    expect((await now(page)) - still).toBeLessThan(500_000);
    const all = 'play step-back step jump-back jump-on tape-in tape-out tape-fit open-branches speed command';
    for (const id of all.split(' ')) await expect(page.locator(`#${id}`)).toBeInViewport({ ratio: 1 });
    await page.getByRole('button', { name: 'Previous: election' }).tap();
    expect((await frame(page)).servers.filter((/** @type {any} */ s) => s.role === 'leader').length).toBeGreaterThan(0);
  });
});
