// @ts-check
// What the page says in one of its parts, which comes with that part: the list of events.

export const eventsEmpty = 'Nothing has happened yet.';
export const everyDetail = 'Every detail';
