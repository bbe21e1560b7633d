// What stands around the cart: one line with its discount, who buys, and carts set aside.
"use strict";
import { $, actions, api, append, asSent, because, busy, button, config, dialog, form, icon, input, isAmount, isMeasured, labelled, make, money, plus, problemNote, query, say, shut, submit, uuid } from "./base.js";
import { body, changed, clear, note, remove, state, whenEdited } from "./cart.js";
import { takeOver } from "./paying.js";

/** @typedef {import("./cart.js").Line} Line */

/** A discount to type in: per cent or an amount, and why. @param {any} given */
function discountFields(given) {
  const kind = make("select", { class: "d-input", id: "kind", "aria-label": say("Kind of discount") }, make("option", { value: "percent" }, "%"), make("option", { value: "amount", selected: !!given?.amount }, config.mark.trim()));
  const much = input("less", { value: given?.percent || given?.amount || "", inputmode: "decimal" });
  const reason = input("reason", { value: given?.reason || "", maxlength: 200, list: "reasons" });
  const field = make("div", { class: "d-field" }, make("label", { for: "less" }, say("Discount")), make("div", { class: "p-sales-pair" }, much, kind), config.alone != null && make("p", { class: "hint" }, say("Alone you may take off up to {percent} %.", { percent: config.alone })));
  return { shown: make("div", { class: "d-fields" }, field, labelled(say("Reason"), reason)), much, kind, reason };
}

/** What the fields say; undefined for no discount, null where they cannot be read. */
function discountOf(fields) {
  const text = asSent(fields.much.value);
  if (!text || !Number(text)) return undefined;
  if (!isAmount(text)) { wrong(fields.much); return null; }
  return { [fields.kind.value]: text, reason: fields.reason.value.trim() };
}

function wrong(field) {
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

/** The line's dialog. @param {Line} line */
export function edit(line) {
  const much = input("much", { value: line.quantity, inputmode: "decimal", autofocus: true });
  const step = (/** @type {number} */ more) => { const next = plus(asSent(much.value) || "0", more); if (Number(next) > 0) much.value = next; };
  const unit = isMeasured(line.unit) && !line.pack ? ` (${line.unit})` : "";
  const packs = packField(line);
  const off = config.may.discount ? discountFields(line.discount) : null;
  const price = config.may.override ? input("price", { value: line.unit_price || "", inputmode: "decimal", placeholder: money(line.price) }) : null;
  const done = () => {
    if (!isAmount(much.value) || !Number(asSent(much.value))) return wrong(much);
    const discount = off ? discountOf(off) : line.discount;
    if (discount === null) return;
    if (price?.value.trim() && !isAmount(price.value)) return wrong(price);
    if (packs) choosePack(line, packs.value);
    line.quantity = asSent(much.value);
    line.discount = discount;
    line.unit_price = price ? asSent(price.value) || undefined : line.unit_price;
    shut();
    changed();
  };
  dialog(line.name, {}, form(done,
    make("div", { class: "d-field" }, make("label", { for: "much" }, say("Quantity") + unit), make("div", { class: "p-sales-stepper" }, button(icon("minus"), () => step(-1), "icon", { "aria-label": say("One less") }), much, button(icon("plus"), () => step(1), "icon", { "aria-label": say("One more") }))),
    packs && labelled(say("Sold by"), packs), off?.shown, price && labelled(say("Price by hand"), price, say("Empty: the price of the list.")),
    make("div", { class: "d-row apart" }, button(say("Take off"), () => { shut(); remove(line); }, "danger"), submit(say("Done")))));
  much.select();
}

/** The packs that can be sold by their barcode; null where there are none. @param {Line} line */
function packField(line) {
  const sold = (line.packs || []).filter((one) => one.barcodes.length);
  if (!sold.length) return null;
  return make("select", { class: "d-input", id: "pack" }, make("option", { value: "" }, say("Single")), ...sold.map((one) => make("option", { value: one.barcodes[0], selected: one.name === line.pack }, one.name)));
}

/** @param {Line} line @param {string} barcode */
function choosePack(line, barcode) {
  const pack = (line.packs || []).find((one) => one.barcodes.includes(barcode));
  if (pack?.name === line.pack) return;
  line.barcode = pack ? barcode : undefined;
  line.pack = pack?.name;
  if (pack?.price) line.price = pack.price;
}

/** The discount on the whole basket. */
export function discountAll() {
  if (!config.may.discount || !state.lines.length) return;
  const off = discountFields(state.discount);
  off.much.setAttribute("autofocus", "");
  dialog(say("Discount on everything"), {}, form(() => {
    const discount = discountOf(off);
    if (discount === null) return;
    state.discount = discount || null;
    shut();
    changed();
  }, off.shown, make("p", { class: "d-muted d-small" }, say("What goes beyond your limit is approved by somebody else when you take the payment.")),
  actions(state.discount && button(say("Take off"), () => { state.discount = null; shut(); changed(); }, "danger"), submit(say("Done")))));
}

whenEdited(edit);
$("#discount")?.addEventListener("click", discountAll);

// ---- who buys: found by name or phone, or added in a moment

/** @param {any} one A customer, or null. */
function choose(one) {
  state.customer = one && { id: one.id, name: one.name, phone: one.phone };
  shut();
  changed();
}

/** Search for one. */
export function askCustomer() {
  if (!config.may.customers) return;
  const words = input("who", { type: "search", autofocus: true });
  const list = make("ul", { class: "d-list p-sales-found" });
  let asked = 0, found = /** @type {any[]} */ ([]);
  const row = (/** @type {any} */ one) => make("li", {}, make("button", { type: "button", class: "p-sales-choice", onclick: () => choose(one) }, make("b", {}, one.name), make("span", { class: "d-muted" }, one.phone || "")));
  const look = async () => {
    const mine = ++asked;
    const answer = await api("GET", "/customers/customers" + query({ limit: 8, is_active: true, q: words.value.trim() })).catch(() => ({ items: [] }));
    if (mine !== asked) return;
    found = answer.items;
    list.replaceChildren(...(found.length ? found.map(row) : [make("li", { class: "d-muted" }, say("Nothing found"))]));
  };
  words.addEventListener("input", () => { clearTimeout(askCustomer.later); askCustomer.later = setTimeout(look, 150); });
  const step = (/** @type {KeyboardEvent} */ event) => {
    const all = [words, ...list.querySelectorAll("button")];
    const next = { ArrowDown: 1, ArrowUp: -1 }[event.key] && all[all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  };
  for (const one of [words, list]) one.addEventListener("keydown", step);
  const take = async () => { // of several Enter goes to the first, and takes it when pressed again
    clearTimeout(askCustomer.later);
    await look();
    if (found.length === 1) choose(found[0]);
    else list.querySelector("button")?.focus();
  };
  dialog(say("Customer"), {}, form(take, labelled(say("Name or phone"), words)), list, actions(
    state.customer && button(say("Without a customer"), () => choose(null)),
    config.may.newCustomer && button(say("New customer"), () => fresh(words.value.trim()))));
  look();
}
/** @type {any} */
askCustomer.later = 0;

/** Add one: a name and a phone are enough. @param {string} typed */
function fresh(typed) {
  const isPhone = /^[+\d][\d\s]{5,}$/.test(typed);
  const name = input("new-name", { value: isPhone ? "" : typed, maxlength: 200, required: true, autofocus: true });
  const phone = input("new-phone", { type: "tel", value: isPhone ? typed : "" });
  const id = uuid(), key = uuid();
  dialog(say("New customer"), {}, form(async () => {
    if (!name.value.trim()) return name.focus();
    busy(true);
    try {
      choose(await api("POST", "/customers/customers", { id, name: name.value.trim(), phone: phone.value.trim() || null }, { "Idempotency-Key": key }));
    } catch (fault) { append(problemNote(fault)); } finally { busy(false); }
  }, labelled(say("Name"), name), labelled(say("Phone"), phone), actions(submit(say("Add")))));
}

$("#customer").addEventListener("click", askCustomer);

// ---- carts set aside and taken up again

const named = () => state.customer?.name || `${state.lines[0].name.slice(0, 40)}${state.lines.length > 1 ? ` +${state.lines.length - 1}` : ""}`;

/** Set this cart aside under a label. One that was taken up before goes in its place. @param {string} label @param {string} key */
async function put(label, key) {
  await api("POST", "/sales/held", { ...body(), label }, { "Idempotency-Key": key });
  if (state.heldId) await api("DELETE", "/sales/held/" + state.heldId).catch(() => null);
  clear();
}

/** Ask for a label, and set it aside. */
export function hold() {
  if (!state.lines.length) return;
  const label = input("label", { value: named(), maxlength: 200, autofocus: true }), key = uuid();
  dialog(say("Set aside"), {}, form(async () => {
    busy(true);
    try { await put(label.value.trim(), key); shut(); note(say("Set aside")); } catch (fault) { append(problemNote(fault)); } finally { busy(false); }
  }, labelled(say("Under this name"), label, say("It holds no stock; it is priced anew when it is taken up.")), actions(submit(say("Set aside")))));
  label.select();
}

/** The carts that are set aside, and the sales that wait for their money. */
export async function list() {
  let found, waiting;
  try {
    [found, waiting] = (await Promise.all([api("GET", "/sales/held?limit=50"), api("GET", "/sales/sales" + query({ status: "pending", location_id: state.location, limit: 20 }))])).map((one) => one.items);
  } catch (fault) { return note(because(fault)); }
  const time = new Intl.DateTimeFormat(config.locale, { hour: "2-digit", minute: "2-digit", timeZone: config.zone });
  const row = (/** @type {any} */ one) => make("li", {},
    make("div", {}, make("b", {}, one.label || "–"), make("p", { class: "d-muted d-small" }, `${time.format(new Date(one.held_at))} · ${one.held_by} · ${say("{count} lines", { count: one.cart.lines.length })}`)),
    make("div", { class: "d-row" }, button(say("Go on"), () => takeUp(one), "small primary")));
  const pending = (/** @type {any} */ one) => make("li", {},
    make("div", {}, make("b", {}, one.number), make("p", { class: "d-muted d-small" }, `${time.format(new Date(one.sold_at))} · ${one.cashier.name} · ${money(one.total)}`)),
    button(say("Go on"), () => goOnWith(one), "small"));
  dialog(say("Carts set aside"), {}, found.length ? make("ul", { class: "d-list" }, ...found.map(row)) : make("p", { class: "d-muted" }, say("Nothing is set aside.")),
    waiting.length && make("h3", {}, say("Waiting for their money")), waiting.length && make("ul", { class: "d-list" }, ...waiting.map(pending)));
}

/** Go on with a sale that waits; the cart is set aside for it. @param {any} sale */
async function goOnWith(sale) {
  busy(true);
  try {
    if (state.lines.length) await put(named(), uuid());
    await takeOver(sale.id);
  } catch (fault) { append(problemNote(fault)); } finally { busy(false); }
}

/** What the page's address asks for: a cart that is set aside, or a sale that waits. @param {URLSearchParams} asked */
export async function begin(asked) {
  const [sale, held] = [asked.get("sale"), asked.get("held")];
  if (state.paying || !(sale || held)) return;
  try {
    if (sale) await goOnWith({ id: sale });
    else if (held !== state.heldId) await takeUp(await api("GET", "/sales/held/" + encodeURIComponent(held)));
  } catch (fault) { note(because(fault)); }
}

/** Take one up; what stands in the cart now is set aside for it. @param {any} held */
async function takeUp(held) {
  busy(true);
  try {
    if (state.lines.length) await put(named(), uuid());
    const { cart } = held;
    const lines = (await Promise.all(cart.lines.map(lineOf))).filter(Boolean);
    const customer = cart.customer_id && config.may.customers ? await api("GET", "/customers/customers/" + cart.customer_id).catch(() => null) : null;
    Object.assign(state, {
      lines, heldId: held.id, discount: cart.discount || null, coupons: cart.ext?.discounts?.coupon_codes || [],
      customer: customer && { id: customer.id, name: customer.name, phone: customer.phone },
    });
    shut();
    changed();
    if (lines.length < cart.lines.length) note(say("Some of it is no longer sold and was left out."), 15000);
  } catch (fault) { append(problemNote(fault)); } finally { busy(false); }
}

/** A line as it stood, with the goods as they are now; null where they are gone. @param {any} one */
async function lineOf(one) {
  const found = await (one.product_id
    ? api("GET", "/catalog/products/" + one.product_id).then((product) => ({ product, pack: null }))
    : api("GET", "/catalog/barcode/" + encodeURIComponent(one.barcode))).catch(() => null);
  if (!found) return null;
  const { product, pack } = found;
  return {
    product_id: product.id, barcode: one.barcode || undefined, name: product.name, quantity: one.quantity, unit: product.unit, pack: pack?.name,
    packs: product.packs, price: pack?.price || product.price, discount: one.discount || undefined, unit_price: one.unit_price || undefined,
  };
}

$("#hold").addEventListener("click", hold);
$("#held").addEventListener("click", list);
