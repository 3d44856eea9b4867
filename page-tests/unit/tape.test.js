// @ts-check
// What the tape is painted from, and where a time lies on it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { niceStep } from '../../www/draw/ticks.js';
import { partedAt, readTape, toTime, toX } from '../../www/tape/data.js';

test('the numbers of a tape become bands and marks', () => {
  const kinds = ['election', 'crash'];
  const numbers = [0, 2, 0, 10, 1, 1, 3, 2, 10, 10, 20, 4, 3, 0, 20, 20, 5, 2, 1, 12, 77, 3, 0, 1];
  const { bands, marks } = readTape(Float64Array.from(numbers), kinds);
  assert.deepEqual(bands, [
    { from: 0, to: 10, term: 1, terms: 1, leader: 3, since: 2, until: 10 },
    { from: 10, to: 20, term: 4, terms: 3, leader: 0, since: 20, until: 20 },
  ]);
  assert.deepEqual(marks, [{ count: 2, kind: 'crash', time: 12, server: 3, client: 0, number: 1 }]);
  assert.deepEqual(readTape(Float64Array.from([0, 0]), kinds), { bands: [], marks: [] });
});

test('a time and its place belong together', () => {
  const sight = { from: 500, to: 2500, width: 800 };
  assert.deepEqual([toX(sight, 500), toX(sight, 2500), toX(sight, 1000)], [0, 800, 200]);
  for (const time of [500, 777, 2499]) assert.ok(Math.abs(toTime(sight, toX(sight, time)) - time) < 1e-9);
});

test('steps are round, and the least that will do', () => {
  const steps = [1, 2, 5, 10, 20, 50, 100, 1000, 5000];
  for (let least = 1; least <= 1000; least++) {
    const step = niceStep(least);
    assert.ok(step >= least && step < 2.6 * least, `${least}: ${step}`);
    if (steps.includes(least)) assert.equal(step, least);
  }
  assert.equal(niceStep(0), 1);
});

test('branches are the same until they parted', () => {
  const branch = (/** @type {number} */ id, /** @type {number} */ origin, /** @type {number} */ leftAt) =>
    /** @type {any} */ ({ id, origin, leftAt });
  // The last one leaves 2 before 2 left 1: it took the place of one that was deleted.
  const all = [
    branch(1, 0, 0),
    branch(2, 1, 30),
    branch(3, 2, 50),
    branch(4, 2, 40),
    branch(5, 1, 10),
    branch(6, 2, 20),
  ];
  const parted = (/** @type {number} */ a, /** @type {number} */ b) => partedAt(all, all[a - 1], all[b - 1]);
  for (const [a, b, at] of [
    [1, 2, 30],
    [2, 3, 50],
    [3, 4, 40],
    [1, 3, 30],
    [3, 5, 10],
    [4, 5, 10],
    [1, 6, 20],
    [3, 6, 20],
    [5, 6, 10],
  ]) {
    assert.equal(parted(a, b), at, `${a}, ${b}`);
    assert.equal(parted(b, a), at, `${b}, ${a}`);
  }
  assert.equal(parted(2, 2), Infinity);
});
