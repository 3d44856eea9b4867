// @ts-check
// The canvas pen: lines that look alike are one path, and nothing is drawn late or lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alike, canvasPen } from '../../www/draw/shapes.js';

/** A canvas that notes what is drawn on it, in order. */
function canvas() {
  /** @type {string[]} */
  const drawn = [];
  /** @type {string[]} */
  let path = [];
  let dash = '';
  const c = {
    strokeStyle: '',
    globalAlpha: 1,
    beginPath: () => (path = []),
    moveTo: (/** @type {number} */ x, /** @type {number} */ y) => path.push(`M${x},${y}`),
    lineTo: (/** @type {number} */ x, /** @type {number} */ y) => path.push(`L${x},${y}`),
    arc: (/** @type {number} */ x, /** @type {number} */ y) => path.push(`O${x},${y}`),
    setLineDash: (/** @type {number[]} */ to) => (dash = to.join()),
    stroke: () => drawn.push(`${c.strokeStyle} ${c.globalAlpha} [${dash}] ${path.join(' ')}`),
    fill: () => drawn.push(`fill ${path.join(' ')}`),
  };
  const pen = canvasPen(/** @type {any} */ (c), { sans: 'sans', mono: 'mono' });
  return { pen, drawn };
}

test('lines of one style are one path, drawn at the end', () => {
  const { pen, drawn } = canvas();
  pen.line(0, 0, 1, 1, 'red');
  pen.line(2, 2, 3, 3, 'red');
  assert.deepEqual(drawn, []);
  pen.done();
  pen.done();
  assert.deepEqual(drawn, ['red 1 [] M0,0 L1,1 M2,2 L3,3']);
});

test('another colour, width, alpha or dash is another path', () => {
  const { pen, drawn } = canvas();
  const dash = [4, 2];
  pen.line(0, 0, 1, 1, 'red');
  pen.line(0, 0, 2, 2, 'blue');
  pen.line(0, 0, 3, 3, 'blue', 2);
  pen.line(0, 0, 4, 4, 'blue', 2, { alpha: 0.5 });
  pen.line(0, 0, 5, 5, 'blue', 2, { alpha: 0.5, dash });
  pen.line(0, 0, 6, 6, 'blue', 2, { alpha: 0.5, dash });
  pen.done();
  const ends = drawn.map((path) => path.split(' ').slice(1).join(' '));
  assert.deepEqual(ends, [
    '1 [] M0,0 L1,1',
    '1 [] M0,0 L2,2',
    '1 [] M0,0 L3,3',
    '0.5 [] M0,0 L4,4',
    '0.5 [4,2] M0,0 L5,5 M0,0 L6,6',
  ]);
});

test('what is held back comes before what covers it', () => {
  const { pen, drawn } = canvas();
  pen.line(0, 0, 1, 1, 'red');
  pen.dot(7, 7, 2, 'blue');
  pen.line(0, 0, 2, 2, 'red');
  pen.done();
  assert.deepEqual(drawn, ['red 1 [] M0,0 L1,1', 'fill O7,7', 'red 1 [] M0,0 L2,2']);
});

test('groups keep the order of their first ones', () => {
  const groups = [...alike(['b1', 'a1', 'b2', 'c1', 'a2'], ([letter]) => letter)];
  assert.deepEqual(groups, [['b1', 'b2'], ['a1', 'a2'], ['c1']]);
});
