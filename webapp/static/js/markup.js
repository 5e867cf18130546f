// What scripts take from the markup of a page: the parts that they work on and the words
// that they show.

/**
 * Return the part that a script cannot do without.
 * @template {Element} T
 * @param {Document | DocumentFragment | Element} root
 * @param {string} selector
 * @param {new () => T} Kind
 * @returns {T}
 */
export function part(root, selector, Kind) {
  const found = root.querySelector(selector);
  if (found instanceof Kind) return found;
  throw new Error(`${root.nodeName.toLowerCase()} needs a ${Kind.name}: ${selector}`);
}

/**
 * Return the words of the attribute `data-say-NAME`, with their {blanks} filled in. They
 * are empty where the page says nothing.
 * @param {Element} element
 * @param {string} name
 * @param {Record<string, string | number>} [values]
 */
export function wordsOf(element, name, values = {}) {
  const words = element.getAttribute(`data-say-${name}`) ?? "";
  return words.replace(/\{(\w+)\}/g, (_, blank) => String(values[blank]));
}
