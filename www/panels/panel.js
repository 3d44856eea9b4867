// @ts-check
// What a panel is, and what it may ask of the page. The registry (panels/registry.js) lists all.

/** @typedef {import('../../web/view.d.ts').Frame} Frame */
/** @typedef {import('../run/page-state.js').PageState} PageState */
/** @typedef {import('../run/source.js').Source} Source */
/** @typedef {import('../run/source.js').Part} Part */

/**
 * A part of the page that shows something of a source.
 * @typedef {object} View
 * @property {(source: Source) => void} reset another source is shown from now on
 * @property {(frame: Frame, playing: boolean) => void} update the source's frame is to be shown
 * @property {() => void} [recolour] the theme is another
 */

/**
 * A view in a tab of its own. `update` is called only while it can be seen, `watch` with every
 * frame.
 * @typedef {View & { dom: HTMLElement, watch?: View['update'] }} Panel
 */

/**
 * What a panel may ask of the page.
 * @typedef {object} Page
 * @property {PageState} state
 * @property {import('../run/story.js').Story} story what happened, in sentences
 * @property {() => void} changed has the page drawn
 * @property {(time: number) => void} goTo pauses, and goes to a moment
 * @property {(line: number) => void} goToLine pauses, and goes to what a sentence is about
 * @property {(panel: string) => void} show brings a panel into sight
 * @property {(server: number) => void} inspect shows what a server knows
 * @property {() => void} newRun opens the dialog of new runs
 * @property {import('../lab/client.js').Lab} lab what takes long is asked of it
 * @property {import('./branch-actions.js').BranchActions} branches
 */

export {};
