// @ts-check
// A finger that goes sideways over an element.

/** How far it must go, in px, and by how much more sideways than up or down. */
const FAR = 48;
const FLAT = 1.6;

/**
 * @param {HTMLElement} node
 * @param {(on: boolean) => void} tell to the left, as one turns a page, is on
 */
export function sideways(node, tell) {
  /** @type {{ id: number, x: number, y: number } | null} */
  let from = null;
  node.style.touchAction = 'pan-y';
  node.addEventListener('pointerdown', ({ pointerId: id, pointerType, clientX: x, clientY: y }) => {
    from = pointerType === 'touch' && !from ? { id, x, y } : null;
  });
  node.addEventListener('pointerup', ({ pointerId, clientX, clientY }) => {
    if (from?.id !== pointerId) return;
    const [x, y] = [clientX - from.x, clientY - from.y];
    from = null;
    if (Math.abs(x) >= FAR && Math.abs(x) > FLAT * Math.abs(y)) tell(x < 0);
  });
  node.addEventListener('pointercancel', () => (from = null));
}
