// @ts-check
// A classic script, which runs even where modules do not. It tells people what to do where the page
// can't start, so that they don't see an empty frame. Its texts stand here, because the words are a
// module, and modules may be what is missing.
(() => {
  const page = document.documentElement;

  /** @param {string} title @param {string} text */
  function say(title, text) {
    if (page.dataset.state === 'running' || page.dataset.state === 'failed') return;
    page.dataset.state = 'failed';
    const box = document.getElementById('trouble');
    if (!box) return;
    /** @param {string} name @param {string} words */
    const put = (name, words) => {
      const part = box.querySelector(name);
      if (part) part.textContent = words;
    };
    put('.trouble-title', title);
    put('.trouble-text', text);
  }

  if (location.protocol === 'file:') {
    say(
      'This page was opened as a file.',
      'Browsers do not load WebAssembly or modules from files. Serve the folder instead: run “cargo xtask serve” in ' +
        'the project and open the address it prints.',
    );
    return;
  }
  if (!('noModule' in document.createElement('script'))) {
    say('This browser is too old for Raftarium.', 'Any Firefox, Chrome, Edge or Safari of the last two years will do.');
    return;
  }
  addEventListener('load', () => {
    // By now every module has run or failed. A page that runs has said so in `data-state`.
    if (page.dataset.state === 'starting' && page.dataset.loading === undefined) {
      say(
        'A part of the page did not load.',
        'Reload the page; if that does not help, the server may be missing some of its files (“cargo xtask build” ' +
          'makes a complete folder).',
      );
    }
  });
})();
