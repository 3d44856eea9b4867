// @ts-check
// Whether this browser has shown the page before.

const STORED = 'raftarium.hints';

/** Whether it has; from now on it has. */
export function seenBefore() {
  try {
    const before = localStorage.getItem(STORED);
    localStorage.setItem(STORED, 'seen');
    return before !== null;
  } catch {
    // Where nothing can be stored, each visit would be the first: rather none.
    return true;
  }
}
