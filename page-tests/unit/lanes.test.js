// @ts-check
// The diagrams' lanes: where times and servers lie, and how far a message is drawn.
import './browser.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AXIS, endOf, laneAt, NAMES, stretchOf, timeAt, xOf, yOf } from '../../www/draw/lanes.js';
import { tickEvery } from '../../www/draw/ticks.js';

const diagram = { width: 662, height: 300, from: 1000, span: 6000, lanes: [1, 2, 3, -1] };
const message = (/** @type {object} */ change) =>
  /** @type {any} */ ({ from: 1, to: 3, sent: 1000, arrives: 3000, lost: 0, held: 0, ...change });

test('a time and its place belong together', () => {
  assert.deepEqual([xOf(diagram, 1000), xOf(diagram, 7000)], [NAMES, 662]);
  for (const time of [1000, 2222, 6999]) assert.ok(Math.abs(timeAt(diagram, xOf(diagram, time)) - time) < 1e-9);
});

test('every lane is found at its height, and lanes don’t lie under the axis', () => {
  for (const lane of diagram.lanes) {
    const y = yOf(diagram, lane);
    assert.ok(y > 0 && y < diagram.height - AXIS);
    assert.equal(laneAt(diagram, y), lane);
  }
  assert.equal(laneAt(diagram, -50), 1);
  assert.equal(laneAt(diagram, 900), -1);
});

test('a message is drawn until it is lost, held or has arrived, or as far as it has come', () => {
  assert.equal(endOf(message({}), 9000), 3000);
  assert.equal(endOf(message({}), 2000), 2000);
  assert.equal(endOf(message({}), 500), 1000);
  assert.equal(endOf(message({ lost: 1500 }), 9000), 1500);
  assert.equal(endOf(message({ held: 1700 }), 9000), 1700);
  const { x, y, u, v } = stretchOf(diagram, message({}), 2000);
  assert.deepEqual([x, u], [xOf(diagram, 1000), xOf(diagram, 2000)]);
  assert.deepEqual([y, v], [yOf(diagram, 1), (yOf(diagram, 1) + yOf(diagram, 3)) / 2]);
});

test('ticks stand at round steps, some eighty to two hundred pixels apart', () => {
  for (const span of [2_000, 7_777, 60_000, 1_234_567, 6e7]) {
    for (const width of [320, 700, 1900]) {
      const step = tickEvery(span, width);
      const pixels = (step / span) * width;
      assert.ok(pixels >= 84 && pixels <= 84 * 2.6, `${span} µs on ${width} px: ${step}`);
      const digits = step / 10 ** Math.floor(Math.log10(step) + 1e-9);
      assert.ok(
        [1, 2, 5].some((round) => Math.abs(round - digits) < 1e-9),
        `${step}`,
      );
    }
  }
});
