// @ts-check
// Bundles the page with esbuild: `node bundle.js FROM TO [debug]`, as `cargo xtask build` does.
// FROM is the page as its sources have it, with `pkg/`; TO becomes what is served.
//
// Every file but index.html gets a hash of its content into its name, so that a page that is being
// replaced on a server never mixes two versions. index.html refers to them by the names of their
// sources, which are replaced here. Where wasm-bindgen's glue would look for the module by
// `new URL(…, import.meta.url)`, esbuild leaves the name as it is: www/main.js gives it the name.
// For the same reason a script that starts a worker imports the worker's name: 'worker.js?name'.

import { readFile, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

const [from, to, debug] = process.argv.slice(2);
const source = resolve(from);

/** @type {import('esbuild').BuildOptions} */
const shared = {
  absWorkingDir: source,
  outdir: resolve(to),
  bundle: true,
  metafile: true,
  minify: !debug,
  sourcemap: debug ? 'linked' : false,
  target: 'es2022',
  charset: 'utf8',
  legalComments: 'none',
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.wasm': 'file', '.svg': 'copy' },
  logLevel: 'warning',
};

// First, since its name is in what starts it.
const worker = await build({ ...shared, entryPoints: ['lab/worker.js'], format: 'esm' });
/** What the entry of a build is called in the page. @param {import('esbuild').BuildResult} built */
const nameOf = ({ metafile }) =>
  Object.entries(metafile?.outputs ?? {}).flatMap(([output, { entryPoint }]) =>
    entryPoint ? [relative(shared.outdir ?? '', resolve(source, output))] : [],
  )[0];
const lessonStyle = await build({ ...shared, entryPoints: ['css/lessons.css'] });
/**
 * By their names in the sources: what scripts ask the name of.
 * @type {Record<string, string | undefined>}
 */
const named = { 'worker.js': nameOf(worker), 'lessons.css': nameOf(lessonStyle) };
/** Gives scripts these names. @type {import('esbuild').Plugin} */
const names = {
  name: 'names',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?name$/ }, ({ path }) => ({ path: basename(path, '?name'), namespace: 'name' }));
    onLoad({ filter: /.*/, namespace: 'name' }, ({ path }) => ({
      contents: `export default ${JSON.stringify(named[path])}`,
    }));
  },
};

const scripts = /** @satisfies {import('esbuild').BuildOptions} */ ({
  ...shared,
  entryPoints: ['main.js'],
  format: 'esm',
  splitting: true,
});

/** What is loaded later, by its path. */
const later = new Set();
const { metafile } = await build({ ...scripts, write: false, plugins: [names] });
for (const { imports } of Object.values(metafile.inputs)) {
  for (const { path, kind } of imports) if (kind === 'dynamic-import') later.add(join(source, path));
}

/**
 * What is loaded later imports all that the page has at once, which is there by then. So all of
 * that is reached from every entry, and esbuild puts it into one chunk, not into one for each set
 * of entries that share a script.
 * @type {import('esbuild').Plugin}
 */
const oneChunk = {
  name: 'one chunk for what is loaded at once',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      if (!later.has(path)) return undefined;
      const script = await readFile(path, 'utf8');
      return { contents: `${script}\nimport ${JSON.stringify(join(source, 'app/app.js'))};\n`, loader: 'js' };
    });
  },
};

const built = await Promise.all([
  // One with the other, so that what is loaded later shares what is there already.
  build({ ...scripts, plugins: [names, oneChunk] }),
  // A classic script, which must run where modules don't.
  build({ ...shared, entryPoints: ['boot.js'], format: 'iife' }),
  build({ ...shared, entryPoints: ['css/page.css', 'icon.svg'] }),
]);

/** By the file's name in the sources: its name in the page. @type {Map<string, string>} */
const called = new Map();
/** What the page's scripts import at once; a browser would find it only when it has read them. */
const imported = new Set();
const inPage = (/** @type {string} */ output) => relative(shared.outdir ?? '', resolve(source, output));
for (const { metafile } of built) {
  for (const [output, { entryPoint, inputs, imports }] of Object.entries(metafile.outputs)) {
    const name = inPage(output);
    if (entryPoint) called.set(entryPoint, name);
    else if (/\.(wasm|svg)$/.test(name)) for (const input of Object.keys(inputs)) called.set(input, name);
    if (entryPoint !== 'main.js') continue;
    for (const { path, kind } of imports) if (kind === 'import-statement') imported.add(inPage(path));
  }
}

const index = await readFile(join(source, 'index.html'), 'utf8');
const html = index.replace(/(\s(?:href|src)=")([^"#:]+)"/g, (_, before, name) => {
  const found = called.get(name);
  if (!found) throw new Error(`index.html refers to ${name}, which is no part of the page`);
  return `${before}${found}"`;
});
const early = [...imported].map((name) => `<link rel="modulepreload" href="${name}">\n  `);
const [before, after] = html.split(/(?=<link rel="modulepreload")/, 2);
await writeFile(join(resolve(to), 'index.html'), [before, ...early, after].join(''));
