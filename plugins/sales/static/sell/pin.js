// A colleague approves by PIN: their name, and digits on a pad that is touched or on the keyboard.
"use strict";
import { actions, api, append, busy, button, form, input, kept, labelled, make, problemNote, say, submit } from "./base.js";

const LAST = kept("approver");
const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "⌫"];

/**
 * The form by which one of some people approves here.
 * @param {string} approval @param {{id: string, name: string}[]} people @param {() => void} done
 * @param {() => void} otherwise To the form for e-mail and password.
 */
export function byPin(approval, people, done, otherwise) {
  const last = localStorage.getItem(LAST);
  let chosen = people.find((one) => one.id === last) || (people.length === 1 ? people[0] : null);
  const touched = matchMedia("(pointer: coarse)").matches;
  const digits = input("approver-pin", { type: "password", inputmode: touched ? "none" : "numeric", maxlength: 8, required: true, autofocus: !!chosen, dir: "ltr", class: "d-input p-sales-digits" });
  digits.addEventListener("input", () => { digits.value = digits.value.replace(/\D/g, ""); });
  const reason = input("approver-reason", { maxlength: 200, required: true, value: say("Agreed at the till") });
  const badges = people.map((one) => button(one.name, () => choose(one), "", { "data-id": one.id }));
  const choose = (/** @type {{id: string, name: string}} */ one) => {
    chosen = one;
    for (const each of badges) each.setAttribute("aria-pressed", String(each.dataset.id === one.id));
    digits.focus();
  };
  for (const one of badges) { one.className = "d-chip"; one.setAttribute("aria-pressed", String(one.dataset.id === chosen?.id)); }
  const press = (/** @type {string} */ key) => { digits.focus(); digits.value = key === "⌫" ? digits.value.slice(0, -1) : (digits.value + key).slice(0, 8); };
  const pad = make("div", { class: "p-sales-pad", dir: "ltr", role: "group", "aria-label": "PIN" }, ...DIGITS.map((one) => (one ? make("button", { type: "button", tabindex: "-1", onpointerdown: (/** @type {Event} */ event) => event.preventDefault(), "aria-label": one === "⌫" ? say("Take the last digit back") : one, onclick: () => press(one) }, one) : make("span"))));
  return form(async () => {
    if (!chosen) return badges[0].focus();
    if (digits.value.length < 4) return digits.focus();
    busy(true);
    try {
      await api("POST", `/approvals/${approval}/approve-here`, { user_id: chosen.id, pin: digits.value, reason: reason.value.trim() || say("Agreed at the till") });
      localStorage.setItem(LAST, chosen.id);
      done();
    } catch (fault) {
      digits.value = "";
      append(problemNote(fault));
    } finally { busy(false); }
    if (digits.isConnected && !digits.value) digits.focus();
  }, make("p", { class: "d-muted" }, say("Somebody who may do this alone can approve it here. It signs nobody in.")),
  make("div", { class: "p-sales-badges", role: "group", "aria-label": say("Who approves") }, ...badges),
  make("div", { class: "p-sales-pin" }, make("div", {}, labelled("PIN", digits), labelled(say("Reason"), reason), make("button", { type: "button", class: "p-sales-link", onclick: otherwise }, say("By e-mail and password instead"))), pad),
  actions(submit(say("Approve"))));
}
