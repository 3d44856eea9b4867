// @ts-check
// What the page says in one of its parts, which comes with that part: the stores.

export const storesEmpty = 'Every store is empty. Try “put x 1” below.';
/** @param {number} count */
export const moreKeys = (count) => `and ${count} more keys`;
