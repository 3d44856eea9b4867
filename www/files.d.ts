// What the bundler makes of files that are no scripts: their names in the page.
declare module '*.wasm' {
  const name: string;
  export default name;
}
declare module '*?name' {
  const name: string;
  export default name;
}
