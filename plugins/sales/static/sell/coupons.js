// Coupons: asked of the server before they are kept, so that a refused one is told and the cart stays as it was.
"use strict";
import { $, actions, because, config, dialog, focusScan, form, icon, input, labelled, make, say, shut, submit } from "./base.js";
import { changed, note, state, tried, whenShown } from "./cart.js";

const same = (/** @type {string} */ one) => one.toUpperCase().replace(/[ -]/g, "");
const SCANNED = /^(?=.*[A-Z])[A-Z0-9][A-Z0-9-]{1,38}[A-Z0-9]$/;

/** Whether what the scanner read, and no goods bear, may be a coupon: wrong ones are counted, so words are not tried. */
export const isScanned = (/** @type {string} */ code) => config.may.coupon && state.lines.length > 0 && SCANNED.test(code);

/** Use a coupon on this cart, or tell why not. @param {string} code @param {(said: string) => void} told */
export async function use(code, told) {
  if (state.coupons.some((one) => same(one) === same(code))) return told(`${say("Already on this cart")}: ${code}`);
  try {
    await tried({ coupons: [...state.coupons, code] });
  } catch (fault) {
    return told(because(fault));
  }
  state.coupons = [...state.coupons, code];
  shut();
  changed();
}

/** Ask for a code. */
export function ask() {
  if (!config.may.coupon) return;
  if (!state.lines.length) return note(say("Scan the first thing, or tap it."));
  const code = input("code", { maxlength: 40, autocapitalize: "characters", autofocus: true, required: true });
  const wrong = make("p", { class: "wrong", role: "alert" });
  const field = labelled(say("Code"), code, say("Typed, or scanned from what the customer shows."));
  field.append(wrong);
  dialog(say("Coupon"), {}, form(async () => {
    wrong.textContent = "";
    if (!code.value.trim()) return;
    await use(code.value.trim(), (said) => { wrong.textContent = said; code.setAttribute("aria-invalid", "true"); code.select(); });
  }, field, actions(submit(say("Use it")))));
}

whenShown(() => {
  $("#coupons")?.replaceChildren(...state.coupons.map((code) => make("button", { type: "button", class: "d-chip", "aria-label": `${say("Take off")}: ${code}`, onclick: () => { state.coupons = state.coupons.filter((one) => one !== code); changed(); focusScan(); } }, icon("ticket", "s"), code, icon("x", "s"))));
});
$("#coupon")?.addEventListener("click", ask);
