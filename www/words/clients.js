// @ts-check
// What the page says in one of its parts, which comes with that part: the clients and their
// operations.

export const operationsEmpty = 'Nobody has asked for anything yet.';
export const onlyMine = 'Only mine';
