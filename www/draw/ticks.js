// @ts-check
// Round steps of time, for axes.

/** The least 1, 2 or 5 times a power of ten that is at least so long. @param {number} least */
export function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)));
  return [1, 2, 5, 10].map((n) => n * power).find((step) => step >= least) ?? 10 * power;
}

/**
 * A round step of time, so that ticks stand some eighty pixels apart.
 * @param {number} span micros
 * @param {number} width px
 */
export const tickEvery = (span, width) => niceStep((span * 84) / width);
