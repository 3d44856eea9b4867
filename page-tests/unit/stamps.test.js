// @ts-check
// Parts of a picture are drawn once, and copied to where they belong.
import './browser.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sprites } from '../../www/stage/sprites.js';
import { Stamps } from '../../www/stage/stamps.js';

/** A context that takes everything. @param {any[]} [copies] what was copied onto it, and where */
const context = (copies = []) =>
  /** @type {CanvasRenderingContext2D} */ (
    new Proxy(
      { drawImage: (/** @type {any} */ ...what) => copies.push(what) },
      { get: (own, name) => Reflect.get(own, name) ?? (() => {}), set: () => true },
    )
  );
/** The sizes of all pictures that were drawn. @type {number[][]} */
const drawn = [];
Object.assign(globalThis, {
  HTMLCanvasElement: class {},
  OffscreenCanvas: class {
    /** @param {number} width @param {number} height */
    constructor(width, height) {
      drawn.push([width, height]);
    }
    getContext = () => context();
    transferToImageBitmap = () => ({ number: drawn.length });
  },
});
const palette = /** @type {any} */ ({ paper: '#fff', card: '#fff', ink: '#000', mono: 'mono' });

test('a stamp is drawn again when it shows something else, or all have been dropped', () => {
  const stamps = new Stamps();
  let times = 0;
  const put = (/** @type {string} */ key) =>
    stamps.put(
      context(),
      'S1',
      key,
      () => ({ left: 0, right: 1, top: 0, bottom: 1 }),
      () => times++,
    );
  for (const key of ['leader 1', 'leader 1', 'follower 2', 'follower 2']) put(key);
  assert.equal(times, 2);
  stamps.clear(2);
  put('follower 2');
  assert.equal(times, 3);
});

test('a stamp lies on whole device pixels, and holds all of its box', () => {
  const stamps = new Stamps();
  stamps.clear(1.5);
  drawn.length = 0;
  const copies = /** @type {any[]} */ ([]);
  stamps.put(
    context(copies),
    'S1',
    '',
    () => ({ left: 10.3, right: 20.1, top: -1, bottom: 4 }),
    () => {},
  );
  const [[, x, y]] = copies;
  const [[width, height]] = drawn;
  assert.deepEqual([x, y], [15, -2]);
  assert.ok(x + width >= 20.1 * 1.5 && y + height >= 4 * 1.5);
});

test('the signs of a crowd are drawn as large as they are, and on whole pixels', () => {
  const sprites = new Sprites();
  sprites.clear(1);
  drawn.length = 0;
  const draw = () => {
    const copies = /** @type {any[]} */ ([]);
    const sign = { kind: /** @type {const} */ ('vote'), colour: '#123', angle: 1, entries: 0, success: true };
    sprites.draw(context(copies), sprites.of(palette, sign, 1), 100.4, 50.3);
    return copies[0].slice(1);
  };
  assert.equal(sprites.crowd(20), false);
  assert.deepEqual(draw(), [85.4, 35.3, 30, 30]);
  assert.equal(sprites.crowd(200), true);
  assert.equal(sprites.crowd(300), false);
  assert.deepEqual(draw(), [85, 35, 30, 30]);
  assert.deepEqual(drawn, [
    [60, 60],
    [30, 30],
  ]);
});
