// @ts-check
// A checkbox whose state is remembered in this browser. It is on until somebody switches it off.

/**
 * @param {HTMLInputElement} box @param {string} key under which it is stored
 * @param {(on: boolean) => void} tell is told at once, and at every change
 */
export function rememberedSwitch(box, key, tell) {
  try {
    box.checked = localStorage.getItem(key) !== 'off';
  } catch {
    // Where nothing can be stored, it is on at first.
    box.checked = true;
  }
  tell(box.checked);
  box.addEventListener('change', () => {
    tell(box.checked);
    try {
      localStorage.setItem(key, box.checked ? 'on' : 'off');
    } catch {
      // As above.
    }
  });
}
