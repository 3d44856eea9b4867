// @ts-check
// The menus of what is on the stage. They come when the page has been seen.

export { clusterMenu, linkMenu, messageMenu } from './faults.js';
export { serverMenu } from './server-menu.js';
