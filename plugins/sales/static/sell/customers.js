// Who buys: found by name or phone, or added in a moment.
"use strict";
import { api, problemNote, query } from "./api.js";
import { changed, state } from "./cart.js";
import { actions, append, busy, dialog, form, shut, submit } from "./dialogs.js";
import { $, button, config, input, labelled, make, say, uuid } from "./page.js";

/** @param {any} one A customer, or null. */
function choose(one) {
  state.customer = one && { id: one.id, name: one.name, phone: one.phone };
  shut();
  changed();
}

/** Search for one. */
export function ask() {
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
  words.addEventListener("input", () => { clearTimeout(ask.later); ask.later = setTimeout(look, 150); });
  dialog(say("Customer"), {}, form(() => { if (found.length === 1) choose(found[0]); }, labelled(say("Name or phone"), words)), list, actions(
    state.customer && button(say("Without a customer"), () => choose(null)),
    config.may.newCustomer && button(say("New customer"), () => fresh(words.value.trim()))));
  look();
}
/** @type {any} */
ask.later = 0;

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

$("#customer").addEventListener("click", ask);
