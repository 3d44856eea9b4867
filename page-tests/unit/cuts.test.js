// @ts-check
// Cut sets: when cuts are exactly a partition, and into which sides.
import './browser.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutSet, sidesOf } from '../../www/stage/cuts.js';
import { pairs } from '../../www/stage/geometry.js';

/** The cuts of a partition. @param {number[]} side @returns {[number, number][]} */
const between = (side) =>
  pairs(side.length).flatMap(([a, b]) =>
    side[a - 1] === side[b - 1]
      ? []
      : /** @type {[number, number][]} */ ([
          [a, b],
          [b, a],
        ]),
  );

test('a set has the cuts that it was made of, each direction by itself', () => {
  const isCut = cutSet([
    [1, 2],
    [16, 3],
  ]);
  assert.deepEqual([isCut(1, 2), isCut(2, 1), isCut(16, 3), isCut(3, 16)], [true, false, true, false]);
});

test('every partition is seen as one', () => {
  for (let n = 2; n <= 7; n++) {
    for (let bits = 1; bits < 2 ** (n - 1); bits++) {
      // S1 is on side 0: sides are numbered in the order of their first servers.
      const side = Array.from({ length: n }, (_, i) => (i === 0 ? 0 : (bits >> (i - 1)) & 1));
      assert.deepEqual(sidesOf(n, cutSet(between(side))), side);
    }
  }
  assert.deepEqual(sidesOf(5, cutSet(between([0, 1, 2, 1, 0]))), [0, 1, 2, 1, 0]);
});

test('anything less or more than a partition is none', () => {
  const cuts = between([0, 0, 1, 1, 1]);
  assert.equal(sidesOf(5, cutSet([])), null);
  // A direction works: the sides are connected.
  for (let i = 0; i < cuts.length; i++) {
    const less = cuts.filter((_, at) => at !== i);
    assert.equal(sidesOf(5, cutSet(less)), null, `without ${cuts[i]}`);
  }
  // A cut within a side.
  assert.equal(sidesOf(5, cutSet([...cuts, [3, 4]])), null);
});
