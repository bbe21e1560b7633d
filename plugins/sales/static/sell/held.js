// Carts set aside and taken up again.
"use strict";
import { api, because, problemNote, query } from "./api.js";
import { body, changed, clear, note, state } from "./cart.js";
import { actions, append, busy, dialog, form, shut, submit } from "./dialogs.js";
import { money } from "./figures.js";
import { $, button, config, input, labelled, make, say, uuid } from "./page.js";
import { takeOver } from "./paying.js";

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
