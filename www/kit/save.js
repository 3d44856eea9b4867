// @ts-check
// Saves a file on the person's machine.

/** @param {string} name @param {string} type @param {string | Blob} content */
export function save(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
