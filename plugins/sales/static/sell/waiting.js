// A sale that waits for its money: how it stands, told by the server as it changes. Nothing is asked for twice by itself.
"use strict";
import { allowed } from "./approving.js";
import { api, problemNote } from "./api.js";
import { state } from "./cart.js";
import { actions, append, busy, dialog, form, submit } from "./dialogs.js";
import { money } from "./figures.js";
import { $, button, config, icon, input, labelled, make, say, uuid } from "./page.js";
import { givenUp, leave, payRest, settled } from "./paying.js";

const OVER = new Set(["captured", "failed", "cancelled", "expired"]);
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
