// The keyboard: everything a sale needs without a mouse.
"use strict";
import { askCustomer, discountAll, edit, hold, list } from "./around.js";
import { $, config, dialog, make, plus, readScan, say, shut } from "./base.js";
import { setQuantity, state } from "./cart.js";
import { choose, pay } from "./paying.js";
import * as coupons from "./coupons.js";

const scan = $("#scan");
const last = (/** @type {(line: any) => void} */ does) => () => { const line = state.lines.at(-1); if (line) does(line); };

/** Key → what it does, and its words; those whose permission is missing are left out. */
const KEYS = [
  ["/", say("Scan or search"), () => scan.focus()],
  ["F2", say("Customer"), askCustomer, config.may.customers],
  ["F4", say("Change the last line"), last(edit)],
  ["F6", say("Set aside"), hold],
  ["Shift+F6", say("Carts set aside"), list],
  ["F7", say("Coupon"), coupons.ask, config.may.coupon],
  ["F8", say("Discount on everything"), discountAll, config.may.discount],
  ["F9", say("Pay"), pay],
  ["+", say("One more of the last line"), last((line) => setQuantity(line, plus(line.quantity, 1)))],
  ["-", say("One less of the last line"), last((line) => setQuantity(line, plus(line.quantity, -1)))],
  ["Delete", say("Take the last line off"), last((line) => setQuantity(line, "0"))],
  ["?", say("Keys"), help],
].filter((one) => one[3] !== false);

/** Every key. */
export function help() {
  const row = (/** @type {string} */ name, /** @type {string} */ words) => make("li", {}, make("span", {}, words), make("kbd", {}, name));
  dialog(say("Keys"), {}, make("ul", { class: "d-list p-sales-keys" }, ...KEYS.map(([name, words]) => row(name, words)),
    row("3 *", say("Before a barcode: three of it. Alone: three of the last line.")), row("F1 – F8", say("Way of paying, while paying")), row("⏎ ⏎", say("While paying: exactly that, then the next sale"))));
}

document.addEventListener("keydown", (event) => {
  const way = /^F([1-8])$/.exec(event.key);
  if ($("#dialog").open) {
    if (way && choose(Number(way[1]) - 1)) event.preventDefault();
    if ($("#sold") && event.key.length === 1 && /\S/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("select")) {
      event.preventDefault();
      shut(); // the next customer's first goods are scanned already
      scan.value += event.key;
      readScan();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = event.target;
  const isTyping = at.closest?.("input, textarea, select") && !(at === scan && !scan.value);
  const name = (event.shiftKey && event.key.startsWith("F") ? "Shift+" : "") + event.key;
  const found = KEYS.find(([one]) => one === name);
  if (found && (!isTyping || /^(Shift\+)?F\d/.test(name))) {
    event.preventDefault();
    found[2]();
  } else if (event.key.length === 1 && !isTyping && at !== scan) scan.focus();
});
$("#keys-help").addEventListener("click", help);
