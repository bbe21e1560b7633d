// The sale is made: the change to hand over, and the receipt, which the server writes for the till and the office alike.
"use strict";
import { $, actions, append, button, dialog, key, make, money, problemNote, Refused, say, shut } from "./base.js";
import { clear } from "./cart.js";
import { printOn } from "./paper.js";

const PAPER = "duka-paper";
/** The paper of this till's printer: 80 or 58 mm. */
export const paper = () => localStorage.getItem(PAPER) || "80";

/** What is told when a sale is made. @param {any} sale */
export function done(sale) {
  clear();
  document.dispatchEvent(new CustomEvent("duka:sold", { detail: sale }));
  const change = Number(sale.change) > 0;
  const papers = make("select", { class: "d-input p-sales-paper", "aria-label": say("Width of the paper") }, ...["80", "58"].map((one) => make("option", { value: one, selected: one === paper() }, `${one} mm`)));
  papers.addEventListener("change", () => localStorage.setItem(PAPER, papers.value));
  dialog(sale.number, {},
    make("div", { class: "p-sales-wait", role: "status", id: "sold" }, make("p", { class: "d-muted" }, change ? say("Change") : say("Paid")), make("div", { class: "p-sales-big good" }, money(change ? sale.change : sale.total)), change ? make("p", { class: "d-muted" }, `${say("To pay")} ${money(sale.total)}`) : null),
    actions(papers, button(say("Print"), () => print(sale), "", { id: "print" }), make("a", { class: "d-btn", href: "/console/sales/sales/" + sale.id }, say("Details")), button(say("New sale"), shut, "primary", { autofocus: true })));
  $("#dialog .primary").append(key("⏎"));
}

/** Print a sale's receipt. @param {any} sale */
export async function print(sale) {
  try {
    const answer = await fetch(`/console/sales/sales/${sale.id}/receipt`, { headers: { "X-Sheet": "1" } });
    if (!answer.ok) throw new Refused({ title: say("This could not be done") }, answer.status);
    const read = new DOMParser().parseFromString(await answer.text(), "text/html");
    const slip = read.querySelector(".p-sales-slip");
    if (!slip) throw new Refused({ title: say("This could not be done") }, answer.status);
    $("#receipt").replaceChildren(document.importNode(slip, true));
    printOn($("#receipt .p-sales-slip"), paper());
  } catch (fault) { append(problemNote(fault)); }
}
