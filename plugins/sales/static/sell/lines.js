// One line, and the discount on the whole basket: how much, in what pack, for how much less and why.
"use strict";
import { changed, remove, state, whenEdited } from "./cart.js";
import { actions, dialog, form, shut, submit } from "./dialogs.js";
import { asSent, isAmount, isMeasured, money, plus } from "./figures.js";
import { $, button, config, icon, input, labelled, make, say } from "./page.js";

/** @typedef {import("./cart.js").Line} Line */

/** A discount to type in: per cent or an amount, and why. @param {any} given */
function discountFields(given) {
  const kind = make("select", { class: "d-input", id: "kind", "aria-label": say("Kind of discount") }, make("option", { value: "percent" }, "%"), make("option", { value: "amount", selected: !!given?.amount }, config.currency));
  const much = input("less", { value: given?.percent || given?.amount || "", inputmode: "decimal" });
  const reason = input("reason", { value: given?.reason || "", maxlength: 200, list: "reasons" });
  const field = make("div", { class: "d-field" }, make("label", { for: "less" }, say("Discount")), make("div", { class: "p-sales-pair" }, much, kind));
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
