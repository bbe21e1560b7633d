// Paper: rolls of 80 and 58 mm, as long as the receipt, or pages.
"use strict";

const MM = 25.4 / 96;
const SIDES = { 80: 3, 58: 2 };
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

/**
 * Print a receipt that stands in the page. A roll has no pages: its length is measured.
 * @param {HTMLElement} slip @param {string} paper `80`, `58` or `page`.
 */
export function printOn(slip, paper) {
  document.documentElement.dataset.paper = paper;
  const side = SIDES[paper];
  if (side) {
    const measured = /** @type {HTMLElement} */ (slip.cloneNode(true));
    measured.classList.add("measured");
    document.body.append(measured);
    const long = Math.ceil(measured.getBoundingClientRect().height * MM) + 8;
    measured.remove();
    sheet.replaceSync(`@page { size: ${paper}mm ${long}mm; margin: 3mm ${side}mm; }`);
  } else sheet.replaceSync("@page { margin: 14mm; }");
  window.print();
}
