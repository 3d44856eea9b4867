// @ts-check
// What modules of the page ask of a browser when they are loaded. Imported before them.
Object.assign(globalThis, { matchMedia: () => ({ matches: false, addEventListener() {} }) });
