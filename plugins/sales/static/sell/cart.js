// The cart: kept here and in the browser, priced by the server, shown as the server priced it.
"use strict";
import { $, amount, api, because, config, dialog, focusScan, icon, isMeasured, kept, make, money, plus, Refused, say, sum } from "./base.js";

/**
 * @typedef {object} Line
 * @property {string} product_id
 * @property {string} [barcode] Of the pack or the price it was scanned by.
 * @property {string} name
 * @property {string} quantity
 * @property {string} price
 * @property {string} [unit]
 * @property {string} [pack]
 * @property {any[]} [packs] The packs the goods come in.
 * @property {{percent?: string, amount?: string, reason: string}} [discount]
 * @property {string} [unit_price] By hand.
 */

export const state = {
  /** @type {Line[]} */ lines: [],
  /** @type {{id: string, name: string, phone?: string} | null} */ customer: null,
  /** @type {{percent?: string, amount?: string, reason: string} | null} */ discount: null,
  /** @type {string[]} */ coupons: [],
  /** @type {string | null} */ heldId: null,
  /** @type {any} */ quote: null,
  /** @type {any} */ fault: null,
  said: "",
  register: config.register,
  location: config.location,
  /** @type {any} */ paying: null,
};
const KEPT = kept("cart");
const FIELDS = ["lines", "customer", "discount", "coupons", "heldId"];
/** @type {Line | null} */
let fresh = null;
let asking = 0;
let isStale = false;
/** @type {(() => void)[]} */
const waiters = [];
/** @type {(() => void)[]} */
const listeners = [];
/** @param {() => void} does Whenever the cart is shown anew. */
export const whenShown = (does) => listeners.push(does);

/** @type {Set<Promise<boolean>>} */
const coming = new Set();
/** Goods that were scanned and are being looked up. @param {Promise<boolean>} found Whether they are known. */
export function comes(found) {
  coming.add(found);
  found.finally(() => coming.delete(found));
}
/** Until all that was scanned is in the cart; whether all of it is known. */
export const arrived = async () => (await Promise.all(coming)).every((isKnown) => isKnown);

/** Until the price is that of the cart as it is now: what was known before may be shown, but nothing is taken by it. */
export const priced = () => (isStale ? new Promise((resolve) => waiters.push(() => resolve(undefined))) : Promise.resolve());
/** Whether each line has its price. */
export const isPriced = () => state.quote !== null && state.quote.lines.length === state.lines.length;

/** What the API is asked to price and to sell. */
export const body = () => ({
  location_id: state.location,
  register_id: state.register || null,
  customer_id: state.customer?.id || null,
  lines: state.lines.map((one) => ({
    ...(one.barcode ? { barcode: one.barcode } : { product_id: one.product_id }),
    quantity: one.quantity,
    ...(one.discount ? { discount: one.discount } : {}),
    ...(one.unit_price ? { unit_price: one.unit_price } : {}),
  })),
  ...(state.discount ? { discount: state.discount } : {}),
  ...(state.coupons.length ? { ext: { discounts: { coupon_codes: state.coupons } } } : {}),
});

/**
 * Goods into the cart. @param {any} product As the catalog answers it.
 * @param {{barcode?: string, pack?: any, quantity?: string}} [how]
 * @returns {Line} The line they stand on.
 */
export function add(product, how = {}) {
  const many = how.quantity || "1";
  let line = state.lines.find((one) => one.product_id === product.id && one.barcode === how.barcode && !one.discount && !one.unit_price);
  if (line) line.quantity = plus(line.quantity, Number(many));
  else {
    line = {
      product_id: product.id, barcode: how.barcode, name: product.name, quantity: many, unit: product.unit,
      price: how.pack?.price || product.price, pack: how.pack?.name, packs: product.packs,
    };
    state.lines.push(line);
  }
  fresh = line;
  changed();
  return line;
}

/** More or less of a line; none of it takes it off. @param {Line} line @param {string} quantity */
export function setQuantity(line, quantity) {
  if (Number(quantity) <= 0) return remove(line);
  line.quantity = quantity;
  fresh = line;
  changed();
}

/** A line off the cart, which the register keeps. @param {Line} line */
export function remove(line) {
  const place = state.lines.indexOf(line);
  if (place < 0) return;
  const priced = isPriced() ? state.quote.lines[place] : null;
  state.lines.splice(place, 1);
  if (state.register) {
    const told = { kind: "line_deleted", reason: "taken off at the till", product_id: line.product_id, quantity: line.quantity, ...(priced ? { amount: priced.total } : {}) };
    api("POST", `/sales/registers/${state.register}/events`, told).catch(() => null);
  }
  changed();
  focusScan();
}

/** An empty cart. */
export function clear() {
  Object.assign(state, { lines: [], customer: null, discount: null, coupons: [], heldId: null, quote: null, fault: null, said: "" });
  changed();
  focusScan();
}

/** What was kept before the page was loaded anew. */
export function restore() {
  try {
    const found = JSON.parse(localStorage.getItem(KEPT) || "null");
    if (found) for (const name of FIELDS) if (found[name] !== undefined) state[name] = found[name];
  } catch { localStorage.removeItem(KEPT); }
}

/** The cart is something else now: keep it, show it, ask what it costs. */
export function changed() {
  localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, state[name]]))));
  if (!state.lines.length) state.quote = null;
  state.fault = null;
  asking += 1;
  isStale = true;
  show();
  clearTimeout(changed.later);
  changed.later = setTimeout(price, 40);
}
/** @type {any} */
changed.later = 0;

/** Ask what it costs; only the newest question counts. */
export async function price() {
  const mine = ++asking;
  if (!state.lines.length) return settle();
  try {
    const quote = await api("POST", "/sales/quote", body());
    if (mine !== asking) return;
    Object.assign(state, { quote, fault: null });
  } catch (fault) {
    if (mine !== asking) return;
    Object.assign(state, { quote: null, fault });
  }
  settle();
}

function settle() {
  isStale = false;
  show();
  for (const one of waiters.splice(0)) one();
}

/** What the cart would cost otherwise, without changing it. Throws Refused. @param {Partial<typeof state>} otherwise */
export async function tried(otherwise) {
  const before = Object.fromEntries(Object.keys(otherwise).map((name) => [name, state[name]]));
  Object.assign(state, otherwise);
  const asked = body();
  Object.assign(state, before);
  return api("POST", "/sales/quote", asked);
}

/** Say something below the cart for a while. @param {string} said @param {number} [ms] */
export function note(said, ms = 6000) {
  state.said = said;
  show();
  setTimeout(() => { if (state.said === said) { state.said = ""; show(); } }, ms);
}

// ---- as it is shown

/** @type {(line: Line) => void} */
let edits = () => undefined;
/** @param {(line: Line) => void} does What a line's name opens. */
export const whenEdited = (does) => { edits = does; };

const faults = () => (state.fault instanceof Refused ? state.fault.problem.errors || [] : []);
const ofLine = (place) => faults().find((/** @type {any} */ one) => one.pointer === `/lines/${place}` || (one.pointer || "").startsWith(`/lines/${place}/`));
const QUIET = new Set(["list", "customer", "document"]);

/** What lowered or set a line's price, each by its name. @param {any} priced */
function reasonsOf(priced) {
  const steps = (priced?.steps || []).filter((/** @type {any} */ one) => !QUIET.has(one.phase));
  return [...new Set(steps.map((/** @type {any} */ one) => (one.plugin === "sales" ? `${say(one.phase === "override" ? "Price by hand" : "Discount by hand")}${one.reason ? ": " + one.reason : ""}` : `${one.rule} · ${one.reason}`)))];
}

/** @param {Line} line @param {number} place */
function row(line, place) {
  const priced = isPriced() ? state.quote.lines[place] : null;
  const wrong = ofLine(place);
  const reasons = reasonsOf(priced);
  const isOne = Number(line.quantity) <= 1;
  const each = [line.pack, `${sum(priced?.unit_price ?? line.price)}${isMeasured(line.unit) && !line.pack ? ` / ${line.unit}` : ""}`].filter(Boolean).join(" · ");
  return make("li", { class: line === fresh ? "fresh" : "" },
    make("button", { type: "button", class: "name", onclick: () => edits(line) }, line.name, make("small", {}, each)),
    make("span", { class: "much" },
      make("button", { type: "button", "aria-label": `${isOne ? say("Take off") : say("One less")}: ${line.name}`, onclick: () => { setQuantity(line, isOne ? "0" : plus(line.quantity, -1)); focusScan(); } }, icon(isOne ? "trash-2" : "minus")),
      make("button", { type: "button", class: "count", "aria-label": `${amount(line.quantity)}, ${say("Quantity")}: ${line.name}`, onclick: () => edits(line) }, amount(line.quantity)),
      make("button", { type: "button", "aria-label": `${say("One more")}: ${line.name}`, onclick: () => { setQuantity(line, plus(line.quantity, 1)); focusScan(); } }, icon("plus"))),
    make("span", { class: "sum" }, priced ? sum(priced.total) : "…"),
    reasons.length ? make("span", { class: "why" }, icon("badge-percent", "s"), reasons.join(" · ")) : null,
    wrong ? make("span", { class: "wrong", role: "alert" }, wrong.detail || state.fault.message) : null);
}

/** What came off the whole basket, by its name and figure. */
function documentSteps() {
  const off = new Map();
  for (const line of state.quote.lines) for (const step of line.steps) {
    if (step.phase !== "document") continue;
    const name = step.plugin === "sales" ? `${say("Discount by hand")}${step.reason ? ": " + step.reason : ""}` : `${step.rule} · ${step.reason}`;
    off.set(name, (off.get(name) || 0) + Number(step.before) - Number(step.after));
  }
  return [...off];
}

function showSums() {
  const sums = [];
  const put = (name, text, kind = "") => sums.push(make("dt", { class: kind }, name), make("dd", { class: kind }, text));
  const { quote } = state;
  if (isPriced()) {
    const steps = documentSteps();
    for (const [name, off] of steps) put(name, "−" + sum(off), "off");
    if (Number(quote.discount_total) - steps.reduce((all, [, off]) => all + off, 0) > 1e-6) put(say("Discount"), "−" + sum(quote.discount_total));
    put(quote.prices_include_tax ? say("Of that, tax") : say("Tax"), sum(quote.tax_total));
    put(say("To pay"), money(quote.total), "total");
  }
  $("#sums").replaceChildren(...sums);
  const text = isPriced() ? money(quote.total) : "";
  for (const one of document.querySelectorAll("[data-due]")) one.textContent = text;
  $("#count").textContent = String(state.lines.length);
}

function showNotes() {
  const notes = [];
  const put = (kind, picture, ...inner) => notes.push(make("div", { class: `d-note ${kind}` }, icon(picture), make("div", {}, ...inner)));
  const missed = state.quote?.missed || [];
  if (missed.length) put("info", "gift", missed[0].words, " ", make("button", { type: "button", class: "p-sales-link", onclick: showMissed }, say("Offers")));
  for (const one of state.quote?.approvals || []) put("warn", "shield-alert", `${say("Somebody must approve")}: ${one.words}`);
  const general = faults().filter((/** @type {any} */ one) => !(one.pointer || "").startsWith("/lines/"));
  if (state.fault && (general.length || !faults().length)) notes.push(faultNote());
  if (state.said) put("warn", "info", state.said);
  $("#notes").replaceChildren(...notes);
}

/** What stands in the way of a price; a coupon that does nothing any more may be taken off there. */
function faultNote() {
  const made = make("div", { class: "d-note bad", role: "alert" }, icon("circle-alert"), make("div", {}, because(state.fault), " "));
  if (!(state.fault instanceof Refused)) made.lastChild.append(make("button", { type: "button", class: "p-sales-link", onclick: price }, say("Try again")));
  return made;
}

/** Every offer that takes nothing off this cart, and why. */
function showMissed() {
  dialog(say("Offers that do not apply yet"), {}, make("ul", { class: "d-list" }, ...state.quote.missed.map((/** @type {any} */ one) => make("li", {}, make("div", {}, make("b", {}, one.rule), make("p", { class: "d-muted" }, one.words))))));
}

/** Show the cart. */
export function show() {
  const rows = state.lines.map(row);
  if (fresh) {
    const place = state.lines.indexOf(fresh);
    $("#told").textContent = place < 0 ? "" : `${fresh.name}, ${amount(fresh.quantity)}`;
  }
  $("#lines").replaceChildren(...(rows.length ? rows : [make("li", { class: "p-sales-none" }, icon("scan-barcode", "l"), say("Scan the first thing, or tap it."))]));
  const newest = fresh ? rows[state.lines.indexOf(fresh)] : null;
  newest?.scrollIntoView({ block: "nearest" });
  if (isPriced()) fresh = null;
  showSums();
  showNotes();
  $("#pay").disabled = !isPriced();
  for (const name of ["#hold", "#empty", "#discount"]) if ($(name)) $(name).disabled = !state.lines.length;
  $("#customer-name").textContent = state.customer?.name || say("Add a customer");
  $("#customer").toggleAttribute("data-set", !!state.customer);
  document.body.toggleAttribute("data-cart", state.lines.length > 0);
  for (const does of listeners) does();
}
