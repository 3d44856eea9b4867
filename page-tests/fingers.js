// @ts-check
// Fingers, as a touch screen reports them.

/**
 * Moves fingers, each along its list of points. @param {import('@playwright/test').Page} page
 * @param {[number, number][][]} fingers @param {() => Promise<void>} [before] while they still
 * touch
 */
export async function touch(page, fingers, before) {
  const device = await page.context().newCDPSession(page);
  const at = (/** @type {number} */ i) => fingers.map((path, id) => ({ id, x: path[i][0], y: path[i][1] }));
  await device.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: at(0) });
  for (let i = 1; i < fingers[0].length; i++) {
    await device.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: at(i) });
  }
  await before?.();
  await device.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
}

/** @typedef {[number, number]} Point */
/** Steps from one point to another. @param {Point} from @param {Point} to @returns {Point[]} */
export const steps = ([x, y], [u, v]) =>
  Array.from({ length: 21 }, (_, i) => [x + ((u - x) * i) / 20, y + ((v - y) * i) / 20]);
