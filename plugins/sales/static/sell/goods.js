// Goods: tiles by category and search, and the field that people and scanners type into.
"use strict";
import { edit } from "./around.js";
import { $, api, buzz, config, focusScan, isMeasured, make, money, query, Refused, say } from "./base.js";
import { add, comes, note, setQuantity, state, whenShown } from "./cart.js";
import { isScanned, use } from "./coupons.js";

const TILES = 48;
const scan = $("#scan");
const shown = { words: "", category: "", found: /** @type {any[]} */ ([]) };
let asked = 0;
/** @type {any} */
let later = 0;

/** The tiles of what is searched for. */
export async function showGoods() {
  const mine = ++asked;
  let found;
  try {
    found = (await api("GET", "/catalog/products" + query({ is_active: true, limit: TILES, q: shown.words, category_id: shown.category }))).items;
  } catch { return; }
  if (mine !== asked) return;
  shown.found = found;
  $("#grid").replaceChildren(...(found.length ? found.map(tile) : [make("li", { class: "p-sales-none" }, say("Nothing found"))]));
  showCounts();
}

/** @param {any} product */
function tile(product) {
  const picture = product.image
    ? make("img", { src: "/console" + product.image.medium, alt: "", loading: "lazy" })
    : make("i", { class: `t${(product.sku.length + product.name.length) % 6}`, "aria-hidden": "true" }, product.name.slice(0, 2));
  const price = money(product.price) + (isMeasured(product.unit) ? ` / ${product.unit}` : "");
  return make("li", {}, make("button", { type: "button", class: "p-sales-tile", "data-id": product.id, onclick: () => take(product) },
    picture, make("b", {}, product.name), make("span", {}, price), make("em", { hidden: true })));
}

/** Goods into the cart; what is weighed asks how much at once. @param {any} product @param {any} [how] */
function take(product, how = {}) {
  const line = add(product, how);
  if (isMeasured(product.unit) && !how.barcode && !how.quantity) edit(line);
  else focusScan();
}

/** How much of each is in the cart, on its tile. */
function showCounts() {
  const many = new Map();
  for (const one of state.lines) many.set(one.product_id, (many.get(one.product_id) || 0) + (isMeasured(one.unit) ? 1 : Number(one.quantity)));
  for (const one of document.querySelectorAll(".p-sales-tile")) {
    const count = many.get(one.dataset.id), badge = $("em", one);
    badge.hidden = !count;
    badge.textContent = count ? String(count) : "";
  }
}
whenShown(showCounts);

/** The categories, to choose one. */
export function showChips() {
  const chip = (id, name) => make("button", { type: "button", class: "d-chip", "aria-pressed": String(shown.category === id), onclick: () => { shown.category = id; showChips(); showGoods(); focusScan(); } }, name);
  $("#chips").replaceChildren(chip("", say("All")), ...config.categories.map(([id, name]) => chip(id, name)));
  $('[aria-pressed="true"]', $("#chips")).scrollIntoView({ block: "nearest", inline: "nearest" });
}

function look(words) {
  clearTimeout(later);
  if (words === shown.words) return;
  shown.words = words;
  showGoods();
}

scan.addEventListener("input", () => {
  scan.removeAttribute("aria-invalid");
  clearTimeout(later);
  later = setTimeout(() => look(TIMES.exec(scan.value.trim())?.[3] ?? scan.value.trim()), 180);
});

const TIMES = /^(\d{1,6}(\.\d{1,3})?)\s*[*×]\s*(.*)$/;

$("#scan-form").addEventListener("submit", async (/** @type {Event} */ event) => {
  event.preventDefault();
  const typed = scan.value.trim();
  const [, quantity, , rest] = TIMES.exec(typed) || [];
  const code = quantity ? rest : typed;
  if (!typed) return;
  clearTimeout(later);
  scan.value = "";
  if (quantity && !code) {
    const last = state.lines.at(-1);
    if (last) setQuantity(last, String(Number(quantity)));
    return;
  }
  const found = scanned(code, typed, quantity ? { quantity: String(Number(quantity)) } : {});
  comes(found.then(() => !scan.value, () => false));
  await found;
  if (!scan.value) look("");
});

/** What a barcode or typed words name. @param {string} code @param {string} typed @param {{quantity?: string}} how */
async function scanned(code, typed, how) {
  try {
    const found = await api("GET", "/catalog/barcode/" + encodeURIComponent(code));
    take(found.product, { ...how, ...(found.pack || found.mrp ? { barcode: found.code, pack: found.pack } : {}) });
  } catch (fault) {
    if (!(fault instanceof Refused)) { scan.value = typed; return; }
    await named(code, typed, how);
  }
}

/** What is no barcode: a number of the shelf, words that fit one thing alone, or a coupon. */
async function named(code, typed, how) {
  const found = (await api("GET", "/catalog/products" + query({ is_active: true, limit: 2, q: code })).catch(() => ({ items: [] }))).items;
  const exact = found.find((/** @type {any} */ one) => one.sku.toLowerCase() === code.toLowerCase()) || (found.length === 1 ? found[0] : null);
  if (exact) return take(exact, how);
  if (!found.length && isScanned(code)) return use(code, note);
  scan.value = typed;
  scan.select();
  look(code);
  if (!found.length) unknown(code);
}

/** Nobody knows it: seen, heard and said. @param {string} code */
function unknown(code) {
  scan.setAttribute("aria-invalid", "true");
  buzz();
  note(`${say("Not known")}: ${code}`);
}
