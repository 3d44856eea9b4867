// @ts-check
// What the lessons' frame says; what a lesson says stands in its file.

/** @type {Record<string, string>} */
export const chapters = {
  agreeing: 'Agreeing',
  surviving: 'Surviving',
  serving: 'Serving',
  changing: 'Changing',
};

export const contents = {
  title: 'Lessons',
  intro: 'Each takes five minutes or less, in a real cluster that is yours to break. The next one builds on the last.',
  /** @param {number} minutes */
  minutes: (minutes) => `${minutes} min`,
  /** @param {number} step */
  step: (step) => `at step ${step}`,
  done: 'done',
  here: 'you are here',
  print: 'Print sheets',
  printWhich: 'Which sheets are printed',
  printAll: 'of all lessons',
  own: 'Open a lesson or a playlist',
  ownHint: 'Or drop the file onto the page. How to write one: docs/lessons.md; “raftarium lesson FILE” checks it.',
  clear: 'Forget my progress',
  cleared: 'Forgotten: this browser keeps nothing about lessons any more.',
  /** @param {number} done @param {number} all */
  progress: (done, all) => `${done} of ${all} done. This is kept in this browser only.`,
};

/** What is printed. */
export const sheet = {
  /** @param {number} minutes */
  minutes: (minutes) => `${minutes} minutes`,
  terms: 'Terms',
  answers: 'Answers',
};

export const card = {
  name: 'Lesson',
  /** @param {string} chapter @param {string} title */
  where: (chapter, title) => (chapter ? `${chapter}: ${title}` : title),
  all: 'All lessons',
  /** @param {number} step @param {number} steps */
  step: (step, steps) => `${step} of ${steps}`,
  /** @param {number} step @param {string} heading */
  goTo: (step, heading) => `Step ${step}: ${heading}`,
  back: 'Back',
  next: 'Next',
  /** @param {string} title */
  nextLesson: (title) => `Next: ${title}`,
  again: 'Begin this step again',
  watchAgain: 'Watch again',
  coming: 'Watch the cluster first.',
  skip: 'Skip to its end',
  changed: 'You have changed what happens. “Watch again” plays it as the lesson has it.',
  ownSolution: 'From here on, the lesson uses its own solution, not yours.',
  playOn: 'Play on from here',
  playOnTitle: 'Leaves the lesson: the whole page is yours, with this cluster as it is',
  language: 'Language of the lesson',
};

export const predicted = {
  label: 'What do you think?',
  right: 'right',
  wrong: 'not quite',
  watching: 'Let’s see what the cluster does.',
};

export const task = {
  hint: 'A hint',
  done: 'Done',
  /** @param {string} why */
  unjudged: (why) => `This can’t be judged here: ${why}`,
  elsewhere: 'You are before the place where this task begins, or what came before it is different now.',
  link: 'Copy the link to my solution',
  copied: 'Copied: whoever opens it sees that it is solved.',
  inAddress: 'The link stands in the address bar: copy it from there.',
  handedIn: 'A link brought this solution.',
  checking: 'Checking the solution in the link…',
  badLink: 'The link’s run can’t be read: it may have been cut off.',
  refuted: 'The run in the link doesn’t solve this task.',
};

/** @param {string} name */
export const unknown = (name) => `There is no lesson “${name.length > 60 ? `${name.slice(0, 60)}…` : name}” here.`;

export const notLoaded = 'The lesson could not be loaded.';

export const badLink = 'This link holds no lesson that can be read: it may have been cut off.';

/** @param {string} name */
export const badFile = (name) => `${name} can’t be opened as a lesson.`;

export const left = 'You have left the lesson. “Lessons” brings you back to where you were.';

export const differs = 'This page plays the lesson’s run differently: it may be of another version. Reload it.';
