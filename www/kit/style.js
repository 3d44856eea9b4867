// @ts-check
// Style sheets that come with what needs them.

/** By their names: when they are there. @type {Map<string, Promise<void>>} */
const sheets = new Map();

/** @param {string} name the sheet's name in the page */
export function loadStyle(name) {
  const known = sheets.get(name);
  if (known) return known;
  const link = document.createElement('link');
  const there = new Promise((resolve, reject) => {
    link.addEventListener('load', () => resolve(undefined));
    link.addEventListener('error', () => {
      sheets.delete(name);
      link.remove();
      reject(new Error(name));
    });
  });
  link.rel = 'stylesheet';
  link.href = name;
  document.head.append(link);
  sheets.set(name, there);
  return there;
}
