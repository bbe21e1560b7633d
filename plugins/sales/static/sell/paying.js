// Paying, one way or several, sent under one id and one key however often the answer is lost; and waiting for money,
// where nothing is asked for twice by itself.
"use strict";
import { allowed } from "./approving.js";
import { $, actions, api, append, asSent, busy, button, config, dialog, form, icon, input, isAmount, kept, key, labelled, likely, major, make, marked, minor, money, problemNote, query, Refused, say, short, shut, submit, sum, sumOf, uuid, whenClosed } from "./base.js";
import { arrived, body, changed, clear, isPriced, priced, state } from "./cart.js";
import { done } from "./receipt.js";

/**
 * @typedef {object} Paying A sale on its way.
 * @property {string} id Chosen here, before it is sent: sent twice it is the same sale.
 * @property {string} key
 * @property {number} due Minor units.
 * @property {any[]} parts What was taken already, each by its way.
 * @property {any} method
 * @property {any[]} methods
 * @property {string} phone
 * @property {boolean} sending
 * @property {any} sale While it waits for its money.
 */

let isBeginning = false;
const ATTEMPT = kept("attempt");

/** Begin to take the payment. */
export async function pay() {
  if (state.paying || isBeginning) return;
  isBeginning = true;
  const isWhole = await arrived();
  await priced();
  isBeginning = false;
  if (!isWhole || !state.lines.length || !isPriced() || state.paying) return;
  const id = uuid();
  state.paying = { id, key: id, due: minor(state.quote.total), parts: [], methods: [], method: null, phone: "", sending: false, sale: null };
  try {
    state.paying.methods = (await api("GET", "/payments/methods" + query({ location_id: state.location, register_id: state.register }))).items;
  } catch (fault) {
    state.paying = null;
    dialog(say("Pay"), {}, problemNote(fault));
    return;
  }
  state.paying.method = state.paying.methods.find((/** @type {any} */ one) => one.kind === "cash") || state.paying.methods[0];
  showPay();
}

/** What is left of a sale that waits, another way: nothing is asked for again before somebody says so. @param {any} sale */
export function payRest(sale) {
  Object.assign(state.paying, { sale, due: minor(sale.balance_due ?? sale.total), parts: [], key: uuid(), sending: false });
  showPay();
}

whenClosed(() => {
  if (state.paying?.sale || state.paying?.sending) return;
  state.paying = null;
});

const left = () => state.paying.due - state.paying.parts.reduce((/** @type {number} */ all, /** @type {any} */ one) => all + minor(one.amount), 0);

/** Cash is paid in steps; what is owed by it is the nearest one. */
function askedBy(method, due) {
  const step = Math.max(1, minor(method.step));
  return method.gives_change ? Math.round(due / step) * step : due;
}

/** Another way of paying, by its place. @param {number} place */
export function choose(place) {
  const { paying } = state;
  if (!paying || paying.sending || !paying.methods[place] || !$("#amount")) return false;
  paying.method = paying.methods[place];
  showPay();
  return true;
}

/** @param {unknown} [fault] */
function showPay(fault) {
  const { paying } = state, { method } = paying, due = left(), asked = askedBy(method, due);
  const amount = input("amount", { class: "d-input p-sales-amount", value: major(asked), inputmode: "decimal", autofocus: true, "aria-describedby": "over" });
  const over = make("p", { class: "p-sales-over", id: "over", role: "status" });
  const phone = method.takes_phone && input("phone", { type: "tel", value: paying.phone || state.customer?.phone || "" });
  const reference = !method.gives_change && !method.takes_phone && method.waits !== "always" && input("reference", { maxlength: 60 });
  const awaited = method.waits === "may" && make("input", { type: "checkbox", id: "awaited" });
  const tell = () => {
    const given = isAmount(amount.value) ? minor(asSent(amount.value)) : asked;
    over.textContent = given > asked && method.gives_change ? `${say("Change")}: ${sumOf(given - asked)}` : given < asked ? `${say("Then still to pay")}: ${sumOf(asked - given)}` : "";
  };
  amount.addEventListener("input", tell);
  const take = () => {
    if (paying.sending) return;
    if (BARCODE.test(amount.value.trim()) && Number(amount.value) > 10 * Number(major(asked))) { amount.setAttribute("aria-invalid", "true"); over.textContent = say("This reads like a barcode. Close this to add goods."); amount.select(); return; }
    if (!isAmount(amount.value) || (!minor(asSent(amount.value)) && asked > 0)) { amount.setAttribute("aria-invalid", "true"); amount.select(); return; }
    const given = minor(asSent(amount.value));
    if (given > asked && !method.gives_change) { amount.setAttribute("aria-invalid", "true"); over.textContent = say("Only cash gives change."); amount.select(); return; }
    const part = { method: method.code, title: method.title, amount: major(Math.min(given, asked)) };
    if (method.gives_change) part.tendered = major(given);
    if (phone) paying.phone = part.phone = phone.value.trim();
    if (reference && reference.value.trim()) part.reference = reference.value.trim();
    if (awaited && awaited.checked) part.awaited = true;
    const parts = [...paying.parts, part];
    if (given >= asked) send(parts);
    else { paying.parts = parts; showPay(); }
  };
  const put = (/** @type {number} */ value) => { amount.value = major(value); take(); };
  const right = make("form", { class: "p-sales-right", novalidate: true, onsubmit: (event) => { event.preventDefault(); take(); } },
    make("label", { class: "d-hidden", for: "amount" }, method.gives_change ? say("Cash given") : say("Amount")), amount, over,
    method.gives_change && asked > 0 ? make("div", { class: "p-sales-quick" }, ...likely(asked).map((one) => button(short(one), () => put(one)))) : null,
    phone && labelled(say("Customer's phone"), phone), reference && labelled(say("Reference, if there is one"), reference),
    awaited && make("div", { class: "d-check" }, awaited, make("label", { for: "awaited" }, say("The money is still to come"))),
    keypad(amount, tell), fault ? problemNote(fault) : null,
    make("button", { class: "d-btn primary p-sales-take", type: "submit" }, method.waits === "always" ? say("Ask for the money") : say("Take payment"), key("⏎")));
  dialog(say(paying.sale ? "Pay another way" : "To pay"), { kind: "wide" }, make("div", { class: "p-sales-paying" }, ways(due), right));
  if (paying.sale) $("#dialog h2 button")?.addEventListener("click", () => { if (state.paying?.sale) wait(state.paying.sale); }, { once: true });
  amount.select();
}

/** What is owed, what was taken of it, and the ways of paying. @param {number} due */
function ways(due) {
  const { paying } = state;
  const taken = paying.parts.map((/** @type {any} */ one, /** @type {number} */ place) => make("li", {}, make("span", {}, say(one.title)), make("b", {}, sum(one.amount)), button(icon("x", "s"), () => { paying.parts.splice(place, 1); showPay(); }, "plain icon small", { "aria-label": `${say("Take off")}: ${one.title}` })));
  return make("div", { class: "p-sales-left" },
    make("p", { class: "p-sales-big" }, marked(sumOf(due))),
    taken.length ? make("ul", { class: "p-sales-taken" }, ...taken) : null,
    make("div", { class: "p-sales-ways", role: "group", "aria-label": say("Way of paying") }, ...paying.methods.map((/** @type {any} */ one, /** @type {number} */ place) => make("button", { type: "button", "aria-pressed": String(one === paying.method), onclick: () => choose(place) }, icon(PICTURES[one.kind] || (one.takes_phone ? "smartphone" : "wallet")), make("span", {}, say(one.title)), place < 8 ? key(`F${place + 1}`) : null))),
    make("p", { class: "d-muted d-small" }, say("Type a smaller amount to split the payment.")));
}
const BARCODE = /^\d{8,14}$/;
const PICTURES = { cash: "banknote", card: "credit-card", bank: "landmark" };

/** Digits to press, where there is no keyboard beside the screen. */
function keypad(amount, tell) {
  const press = (/** @type {string} */ said) => {
    const isWhole = amount.selectionStart === 0 && amount.selectionEnd === amount.value.length;
    amount.value = said === "⌫" ? (isWhole ? "" : amount.value.slice(0, -1)) : (isWhole ? "" : amount.value) + said;
    amount.setSelectionRange(amount.value.length, amount.value.length);
    tell();
  };
  const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", config.digits ? "." : "00", "0", "⌫"];
  return make("div", { class: "p-sales-keypad" }, ...keys.map((one) => make("button", { type: "button", tabindex: "-1", "aria-label": one === "⌫" ? say("Back") : one, onpointerdown: (event) => event.preventDefault(), onclick: () => press(one) }, one)));
}

/** Send it. @param {any[]} parts */
async function send(parts) {
  const { paying } = state;
  const payments = parts.map(({ title, ...one }) => one);
  const path = paying.sale ? `/sales/sales/${paying.sale.id}/payments` : "/sales/sales";
  const sent = paying.sale ? { payments } : { ...body(), id: paying.id, payments, ...(state.heldId ? { held_id: state.heldId } : {}) };
  paying.sending = true;
  busy(true);
  localStorage.setItem(ATTEMPT, JSON.stringify({ id: paying.sale?.id || paying.id }));
  try {
    const sale = await allowed((headers) => api("POST", path, sent, { "Idempotency-Key": keyFor(headers), ...headers }));
    paying.sending = false;
    settled(sale);
  } catch (fault) {
    paying.sending = false;
    busy(false);
    if (fault === null) return back();
    if (fault instanceof Refused && fault.code === "already-exists" && !paying.sale && (await found(paying.id))) return;
    if (fault instanceof Refused) { paying.key = uuid(); if (!paying.sale) localStorage.removeItem(ATTEMPT); }
    if (fault instanceof Refused && fault.code === "not-waiting" && (await found(paying.sale.id))) return;
    showPay(fault);
  }
}

/** A request with an approval is another one than without; the same again has the same key. @param {Record<string, string>} headers */
function keyFor(headers) {
  const { paying } = state;
  const said = headers["X-Approval"] || "";
  if (said !== (paying.saidFor || "")) Object.assign(paying, { key: uuid(), saidFor: said });
  return paying.key;
}

/** Nobody approved, or the goods are not there after all: to the cart, or to the sale that waits. */
function back() {
  const { paying } = state;
  if (paying?.sale) return wait(paying.sale);
  state.paying = null;
  localStorage.removeItem(ATTEMPT);
  shut();
  changed();
}

/** The sale is made: done, or it waits for its money. @param {any} sale */
export function settled(sale) {
  if (sale.status === "pending") return wait(sale);
  unwatch();
  localStorage.removeItem(ATTEMPT);
  state.paying = null;
  done(sale);
}

/** It is over without money: what was kept of it is free again, and the cart is as it was. */
export function givenUp() {
  unwatch();
  localStorage.removeItem(ATTEMPT);
  state.paying = null;
  shut();
  changed();
}

/** Whether a sale is there after all, which is then gone on with. @param {string} id */
async function found(id) {
  const sale = await api("GET", "/sales/sales/" + id).catch(() => null);
  if (!sale || !["pending", "completed"].includes(sale.status)) return false;
  state.paying ||= { id, key: uuid(), due: 0, parts: [], methods: [], method: null, phone: "", sending: false, sale: null };
  settled(sale);
  return true;
}

/** Serve the next customer: the sale waits on by itself, and stands among those that wait. */
export function leave() {
  unwatch();
  localStorage.removeItem(ATTEMPT);
  state.paying = null;
  shut();
  clear();
}

/** Go on with a sale that waits. Throws Refused. @param {string} id */
export async function takeOver(id) {
  const sale = await api("GET", "/sales/sales/" + id);
  const methods = (await api("GET", "/payments/methods" + query({ location_id: state.location, register_id: state.register }))).items;
  state.paying = { id, key: uuid(), due: 0, parts: [], methods, method: methods[0], phone: "", sending: false, sale };
  localStorage.setItem(ATTEMPT, JSON.stringify({ id }));
  settled(sale);
}

/** After the page was loaded anew in the midst of a sale: what became of it. */
export async function goOn() {
  const attempt = JSON.parse(localStorage.getItem(ATTEMPT) || "null");
  if (!attempt) return;
  const sale = await api("GET", "/sales/sales/" + attempt.id).catch((fault) => (fault instanceof Refused && fault.status === 404 ? null : undefined));
  if (sale === undefined) return; // no answer: it is asked again when the page is loaded again
  if (!sale || !["pending", "completed"].includes(sale.status)) { localStorage.removeItem(ATTEMPT); return; }
  await takeOver(attempt.id).catch(() => null);
}

$("#pay").addEventListener("click", pay);

// ---- a sale that waits for its money: how it stands, told by the server as it changes

const OVER = new Set(["captured", "settled", "released", "failed", "cancelled", "expired"]);
/** @type {EventSource | null} */
let stream = null;
/** No more news. */
export function unwatch() { stream?.close(); stream = null; }

/** Wait for a sale's money. @param {any} sale */
export function wait(sale) {
  Object.assign(state.paying, { sale, key: uuid() });
  unwatch();
  stream = new EventSource(`/console/api/v1/sales/sales/${sale.id}/events`);
  for (const name of ["sale", "message"]) stream.addEventListener(name, (event) => heard(JSON.parse(event.data)));
  show(sale);
}

/** @param {any} news */
async function heard(news) {
  if (!state.paying?.sale || state.paying.sale.id !== news.id) return unwatch();
  if (news.status === "completed") {
    unwatch();
    try { settled(await api("GET", "/sales/sales/" + news.id)); } catch (fault) { append(problemNote(fault)); }
    return;
  }
  const before = state.paying.sale;
  state.paying.sale = { ...before, ...news };
  if (news.status !== "pending") unwatch();
  if (!$("#amount") || news.status !== "pending") show(state.paying.sale);
}

/** What the payer scans, if anything. @param {any} payment */
function picture(payment) {
  const shows = payment?.show?.kind;
  const src = shows === "picture" ? payment.show.text : shows === "qr" ? `/console/api/v1/payments/payments/${payment.id}/code?kind=svg` : "";
  return src ? make("img", { src, alt: say("Scan to pay") }) : null;
}

/** @param {any} sale */
function show(sale) {
  const last = sale.payments.filter((/** @type {any} */ one) => !OVER.has(one.status)).at(-1) || sale.payments.at(-1);
  const isOver = sale.status !== "pending";
  const failed = last && ["failed", "cancelled", "expired"].includes(last.status);
  const words = failed ? last.fault?.said || say("It was not paid") : last?.show?.words || say("The sale is completed by itself as soon as the money is there.");
  const title = isOver ? say("Given up") : failed ? say("Not paid") : say("Waiting for the money");
  const way = state.paying.methods.find((/** @type {any} */ one) => one.code === last?.method), byHand = !failed && way?.by_hand;
  const isOurs = way?.waits === "may"; // no provider tells of it: somebody sees it on the account
  const head = make("div", { class: "p-sales-wait", role: "status" },
    failed || isOver ? icon("circle-alert", "l") : picture(last) || make("div", { class: "p-sales-spin" }),
    make("div", { class: "p-sales-big" }, money(sale.balance_due)), make("p", {}, words),
    last?.show?.kind === "page" ? make("a", { class: "d-btn", href: last.show.text, target: "_blank", rel: "noopener" }, say("Open the page of payment")) : null,
    make("p", { class: "d-muted d-small" }, sale.number));
  dialog(title, { fixed: true }, head, isOver ? actions(button(say("Back to the cart"), givenUp, "primary")) : make("div", { class: "d-stack tight" },
    byHand ? numberOf(last) : null,
    failed ? button(say("Ask for the money again"), () => payRest(sale), "primary") : null,
    !failed && isOurs && config.may.confirm ? button(say("The money is there"), () => tell(`/payments/payments/${last.id}/confirm`, {}), "primary") : null,
    !failed && !byHand && !isOurs && last ? button(say("Has it come? Ask now"), () => tell(`/payments/payments/${last.id}/ask`)) : null,
    button(say("Pay another way"), () => payRest(sale)),
    button(say("Serve the next customer meanwhile"), leave),
    last?.method === "payment_link" && config.may.links ? make("a", { class: "d-btn", target: "_blank", href: `/console/payment_links/links/new?subject_id=${sale.id}&location_id=${sale.location_id}` }, icon("link"), say("New payment link")) : null,
    config.may.void ? button(say("Give the sale up"), () => giveUp(sale), "danger") : null));
}

/** The number of the money, as the shop's own phone shows it. @param {any} payment */
function numberOf(payment) {
  const number = input("number", { inputmode: "numeric", maxlength: 64 });
  return form(() => tell(`/payments/payments/${payment.id}/confirm-by-hand`, { reference: number.value.trim() }), labelled(say("Its number on the shop's phone"), number), submit(say("It has come")));
}

/** @param {string} path @param {any} [body] */
async function tell(path, body) {
  busy(true);
  try { await api("POST", path, body, { "Idempotency-Key": uuid() }); } catch (fault) { append(problemNote(fault)); } finally { busy(false); }
}

/** @param {any} sale */
async function giveUp(sale) {
  const id = uuid();
  busy(true);
  try {
    await allowed((headers) => api("POST", `/sales/sales/${sale.id}/void`, { reason: "given up at the till" }, { "Idempotency-Key": headers["X-Approval"] ? uuid() : id, ...headers }));
    givenUp();
  } catch (fault) {
    if (fault === null) return show(sale);
    busy(false);
    append(problemNote(fault));
  }
}
