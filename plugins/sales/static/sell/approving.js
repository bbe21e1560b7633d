// What goes beyond one's limits: somebody else approves it here, or from where they are. The request stays the same to
// the letter, since an approval is for exactly that.
"use strict";
import { $, actions, api, append, busy, button, dialog, form, icon, input, labelled, make, problemNote, Refused, say, shut, submit, whenClosed } from "./base.js";
import { byPin } from "./pin.js";

const EVERY_MS = 2500;
/** @type {any} */
let watching = 0;
const unwatch = () => { clearTimeout(watching); watching = 0; };
whenClosed(unwatch);

/**
 * Do something that may need a second person. Throws what `does` throws, and null where the person went back.
 * @template T
 * @param {(headers: Record<string, string>) => Promise<T>} does
 * @returns {Promise<T>}
 */
export async function allowed(does) {
  const given = /** @type {string[]} */ ([]);
  let headers = /** @type {Record<string, string>} */ ({});
  for (;;) {
    try {
      return await does(headers);
    } catch (fault) {
      if (!(fault instanceof Refused)) throw fault;
      if (fault.code === "out-of-stock" && headers["X-Approval"] !== "ask") {
        if (!(await meant(fault))) throw null;
        headers = { "X-Approval": "ask" };
      } else if (fault.code === "approval-required" && !given.includes(fault.problem.approval)) {
        if (!(await answered(fault.problem))) throw null;
        given.push(fault.problem.approval);
        headers = { "X-Approval": given.join(",") };
      } else throw fault;
    }
  }
}

/** Whether somebody means to sell what the books say is not there. @param {Refused} fault */
const meant = (fault) => new Promise((resolve) => {
  dialog(say("Not enough in stock"), { fixed: true }, problemNote(fault), make("p", {}, say("If the goods lie before you, the books are wrong: they can be sold all the same, and the stock is counted later.")),
    actions(button(say("Back to the cart"), () => { shut(); resolve(false); }), button(say("Sell it all the same"), () => resolve(true), "primary")));
});

/** Whether somebody approved. By PIN where a colleague can, else by e-mail and password. @param {any} problem */
async function answered(problem) {
  const found = await api("GET", `/approvals/${problem.approval}/here`).catch(() => null);
  return new Promise((resolve) => {
    const end = (/** @type {boolean} */ is) => { unwatch(); if (!is) shut(); resolve(is); };
    const state = make("p", { class: "p-sales-watch", role: "status" }, make("span", { class: "p-sales-spin small" }), say("Or they approve it from where they are: it waits on their screen under Approvals."));
    const password = () => here(problem.approval, () => end(true));
    const asks = make("div", {}, found?.people.length ? byPin(problem.approval, found.people, () => end(true), () => { asks.replaceChildren(password()); $("input", asks).focus(); }) : password());
    dialog(say("Somebody must approve"), { fixed: true }, make("div", { class: "d-note warn" }, icon("shield-alert"), make("div", {}, make("b", {}, problem.detail), make("p", {}, `${say("To pay")} ${$("#due").textContent}`))),
      asks, state, actions(button(say("Back to the cart"), () => end(false))));
    watch(problem.approval, state, end);
  });
}

/** The second person at this till. @param {string} approval @param {() => void} done */
function here(approval, done) {
  const who = input("approver", { type: "email", autofocus: true, required: true });
  const password = input("approver-password", { type: "password", autocomplete: "off", required: true });
  const code = input("approver-code", { inputmode: "numeric", maxlength: 20 });
  const second = make("div", { hidden: true }, labelled(say("Code of the second factor"), code));
  const reason = input("approver-reason", { maxlength: 200, required: true, value: say("Agreed at the till") });
  return form(async () => {
    for (const one of [who, password, reason]) if (!one.value.trim()) return one.focus();
    busy(true);
    try {
      await api("POST", `/approvals/${approval}/approve-here`, { username: who.value.trim(), password: password.value, reason: reason.value.trim(), ...(code.value.trim() ? { code: code.value.trim() } : {}) });
      done();
    } catch (fault) {
      if (fault instanceof Refused && fault.code.startsWith("second-factor")) { second.hidden = false; code.focus(); }
      append(problemNote(fault));
    } finally { busy(false); }
  }, make("p", { class: "d-muted" }, say("Somebody who may do this alone can approve it here. It signs nobody in.")), make("div", { class: "d-fields" }, labelled(say("Their e-mail"), who), labelled(say("Password"), password)), second, labelled(say("Reason"), reason), actions(submit(say("Approve"))));
}

/** Ask now and then whether it is answered. @param {string} approval @param {HTMLElement} state @param {(is: boolean) => void} end */
function watch(approval, state, end) {
  unwatch();
  const ask = async () => {
    const found = await api("GET", "/approvals/" + approval).catch(() => null);
    if (!watching) return;
    if (found?.state === "approved") return end(true);
    if (found?.state === "refused") state.replaceChildren(icon("ban"), `${say("Refused by {name}", { name: found.answered_by_name })}: ${found.reason}`);
    else if (found?.state === "expired") state.replaceChildren(icon("clock"), say("Nobody answered in time. Go back and try again."));
    else watching = setTimeout(ask, EVERY_MS);
  };
  watching = setTimeout(ask, EVERY_MS);
}
