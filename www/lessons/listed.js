// @ts-check
// What a lesson of the list says in a language, or else in English, or in the first that it has.

/** @typedef {import('../pkg/lessons.js').Listed} Listed */

/**
 * The language that it speaks where one is asked for.
 * @param {Listed} listed @param {string} wanted
 */
export const spoken = ({ words }, wanted) => (words[wanted] ? wanted : words.en ? 'en' : Object.keys(words)[0]);

/** Its title, and its aim. @param {Listed} listed @param {string} wanted */
export const wordsIn = (listed, wanted) => listed.words[spoken(listed, wanted)];
