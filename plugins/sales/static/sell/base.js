// What every part of the till builds with: elements, the API, figures, the dialog. Text is always text: nothing that
// comes from the API is read as markup.
"use strict";

/**
 * @typedef {object} Config What the page is given by the server.
 * @property {string} business Its slug, by which what is kept in the browser is named.
 * @property {string} name
 * @property {string} mark What stands before a sum: `KSh\u00a0`, `₹`.
 * @property {number} digits Decimals of the currency.
 * @property {string} locale
 * @property {string} zone The shop's.
 * @property {number[]} notes Notes people pay with.
 * @property {string} register
 * @property {string} location
 * @property {[string, string][]} categories
 * @property {string | null} alone Per cent that the person may take off by hand without a second one.
 * @property {Record<string, boolean>} may
 * @property {Record<string, string>} words English → the reader's language.
 */

/** @returns {any} */
export const $ = (selector, within = document) => within.querySelector(selector);
export const till = $("#till");
/** @type {Config} */
export const config = JSON.parse(till.dataset.config);
/** Words in the reader's language; `{name}` in them is filled in. @param {string} english @param {Record<string, unknown>} [given] */
export const say = (english, given = {}) => (config.words[english] || english).replace(/\{(\w+)\}/g, (_, name) => String(given[name] ?? ""));

/** An id of version 4, also where the page came without TLS. @returns {string} */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64; bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/**
 * An element. Attributes that begin with `on` are listeners; of inner parts null and false are left out.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string | null | false | undefined)} inner
 * @returns {any}
 */
export function make(tag, attributes = {}, ...inner) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...inner.filter((one) => one != null && one !== false && one !== ""));
  return made;
}

/** @param {string} name Of the console's icons. */
export function icon(name, kind = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "d-i " + kind);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${till.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

/** @param {string | Node} text @param {(event: Event) => void} does */
export const button = (text, does, kind = "", more = {}) => make("button", { type: "button", class: "d-btn " + kind, onclick: does, ...more }, text);
/** A field below its name. @param {string} name @param {HTMLElement} field */
export const labelled = (name, field, hint = "") => make("div", { class: "d-field" }, make("label", { for: field.id }, name), field, hint && make("p", { class: "hint" }, hint));
/** @param {string} id @param {Record<string, any>} [more] */
export const input = (id, more = {}) => make("input", { class: "d-input", id, autocomplete: "off", ...more });
/** A key as it is drawn beside what it does; phones have none. @param {string} name */
export const key = (name) => make("kbd", { class: "d-wide", "aria-hidden": "true" }, name);

/** To the field that scanners type into, where there is a keyboard; on a touch screen that would open one. */
export function focusScan() {
  if (!$("#dialog").open && matchMedia("(pointer: fine)").matches) readScan();
}
/** What is typed from now on goes behind what stands there: after a dialog Chromium gives it focus, but no caret. */
export function readScan() {
  const scan = $("#scan");
  scan.getBoundingClientRect(); // what a dialog lay over is reached only once it is laid out anew
  scan.focus();
  scan.setSelectionRange(scan.value.length, scan.value.length);
}

// ---- the public API, by the session's cookie

/** What the API refused, with its problem document. */
export class Refused extends Error {
  /** @param {any} problem @param {number} status */
  constructor(problem, status) {
    super(problem.detail || problem.title || String(status));
    this.problem = problem;
    this.status = status;
  }

  /** Its code, `out-of-stock` for one. @returns {string} */
  get code() { return this.problem.code || ""; }

  /** What stands in its way, in words: each fault once. @returns {string} */
  get words() {
    const faults = [...new Set((this.problem.errors || []).map((/** @type {any} */ one) => one.detail).filter(Boolean))];
    return faults.join(" ") || this.message;
  }
}

/**
 * Ask the API. Throws Refused for what it refuses, and what `fetch` throws where no answer came.
 * @param {string} method @param {string} path Below `/api/v1`. @param {any} [body] @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
export async function api(method, path, body, headers = {}) {
  let answer;
  const kind = body === undefined ? {} : { "Content-Type": "application/json" };
  try {
    answer = await fetch("/console/api/v1" + path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: { Accept: "application/json", "X-Proof": till.dataset.proof, ...kind, ...headers },
    });
  } catch (fault) {
    online(false);
    throw fault;
  }
  online(true);
  if (answer.status === 401 && !path.endsWith("/approve-here")) {
    location.reload();
    throw new Refused({ title: say("Sign in again") }, 401);
  }
  const said = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(said || {}, answer.status);
  return said;
}

/** A query string of what is not empty. @param {Record<string, any>} fields */
export const query = (fields) => "?" + new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== "" && value != null));

/** Why nothing came of it, in words. @param {unknown} fault */
export const because = (fault) => (fault instanceof Refused ? fault.words : say("No connection"));

/** What was refused, or that it is not known whether it was done. Of a proof that is wrong no more than that. @param {unknown} fault */
export function problemNote(fault) {
  const said = fault instanceof Refused
    ? [make("b", {}, fault.status === 401 ? fault.words : fault.problem.title || say("This could not be done")), fault.status !== 401 && fault.words !== fault.problem.title && make("p", {}, fault.words)]
    : [say("It is not known whether this was done. Send it again: it will not be done twice.")];
  return make("div", { class: "d-note bad", role: "alert" }, icon("circle-alert"), make("div", {}, ...said));
}

/** Show whether the server answers. @param {boolean} is */
export function online(is) {
  const pill = $("#net");
  pill.lastChild.textContent = is ? say("Online") : say("No connection");
  pill.className = "d-pill dot " + (is ? "ok" : "bad");
}

addEventListener("offline", () => online(false));
addEventListener("online", () => online(true));

/** Where something of this business is kept in the browser. @param {string} what */
export const kept = (what) => `duka-${what}-${config.business}`;

// ---- figures: what the server says is shown and never reckoned with; cash over the counter is counted in whole minor units

const digits = config.digits;
const scale = 10 ** digits;
const sums = new Intl.NumberFormat(config.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const amounts = new Intl.NumberFormat(config.locale, { maximumFractionDigits: 6 });
const plain = (/** @type {unknown} */ text) => String(text).replace(/[,\s\u00a0\u202f]/g, "");

/** Minor units of a text. @param {unknown} text @returns {number} */
export function minor(text) {
  const said = plain(text), sign = said.startsWith("-") ? -1 : 1;
  const [whole, part = ""] = said.replace("-", "").split(".");
  return sign * (Number(whole) * scale + Number((part + "0".repeat(digits)).slice(0, digits) || 0));
}
/** Minor units as the API reads them. @param {number} value @returns {string} */
export const major = (value) => (digits ? `${Math.trunc(value / scale)}.${String(Math.abs(value) % scale).padStart(digits, "0")}` : String(value));
/** A sum without its currency. @param {unknown} text */
export const sum = (text) => sums.format(Number(text));
/** The same of minor units. @param {number} value */
export const sumOf = (value) => sums.format(value / scale);
/** @param {unknown} text */
export const money = (text) => marked(sum(text));
/** A sum with the mark of its currency, behind a minus. @param {string} said */
export const marked = (said) => (said.startsWith("-") ? `-${config.mark}${said.slice(1)}` : config.mark + said);
/** A sum without decimals that are nought, for buttons. @param {number} value Minor units. */
export const short = (value) => (value % scale ? sumOf(value) : amounts.format(value / scale));
/** A quantity, as it is read. @param {unknown} text */
export const amount = (text) => amounts.format(Number(text));
/** Whether a text is an amount or a quantity. @param {string} text */
export const isAmount = (text) => /^\d{1,12}(\.\d{1,6})?$/.test(plain(text));
/** An amount as the API reads it. @param {string} text */
export const asSent = (text) => plain(text);

/** Decimals of each unit; of others none. Source: the catalog's units. */
const MEASURED = new Set(["kg", "g", "litre", "ml", "metre", "hour"]);
/** Whether goods are weighed or measured, not counted. @param {string | undefined} unit */
export const isMeasured = (unit) => MEASURED.has(unit || "");

/** A quantity and some more, without what floating point would add. @param {string} quantity @param {number} more */
export const plus = (quantity, more) => String((Math.round(Number(quantity) * 1e6) + Math.round(more * 1e6)) / 1e6);

/** What people are likely to hand over for a sum: exactly that, and the next of each note. @param {number} due Minor units. */
export function likely(due) {
  const rounded = config.notes.map((one) => Math.ceil(due / (one * scale)) * one * scale);
  return [...new Set([due, ...rounded])].filter((one) => one >= due).sort((a, b) => a - b).slice(0, 4);
}

// ---- the one dialog, and what is said in passing

const over = $("#dialog");
/** @type {(() => void)[]} */
const closings = [];

/**
 * Open the dialog, or show something else in it. kind: a class for its width.
 * @param {string} title @param {{kind?: string, fixed?: boolean}} how fixed: Escape does not close it. @param {...any} inner
 */
export function dialog(title, how, ...inner) {
  over.className = "p-sales-dialog " + (how.kind || "");
  over.toggleAttribute("data-fixed", !!how.fixed);
  over.setAttribute("aria-label", title);
  const close = how.fixed ? null : make("button", { type: "button", class: "d-btn plain icon", "aria-label": say("Close"), onclick: shut }, icon("x"));
  over.replaceChildren(make("div", { class: "in" }, make("h2", { tabindex: "-1" }, title, close), ...inner.filter(Boolean)));
  if (!over.open) over.showModal();
  ($("[autofocus]", over) || $("input, .primary", over) || $("h2", over))?.focus();
  return over;
}
/** Close it. What is typed before the browser tells of that is read already. */
export function shut() { if (over.open) { over.close(); focusScan(); } }
/** More in it, at its end: what was refused for one. @param {Node} more */
export function append(more) {
  if (!over.open) { dialog(say("This could not be done"), {}, more); return; }
  for (const one of over.querySelectorAll(".in > .d-note.bad")) one.remove();
  $(".in", over).append(more);
  more.scrollIntoView?.({ block: "nearest" });
}
/** Nothing in it can be pressed while something is under way. @param {boolean} is */
export function busy(is) {
  over.toggleAttribute("aria-busy", is);
  for (const one of over.querySelectorAll("button")) one.disabled = is;
}
/** @param {() => void} does When it is closed, whatever closed it. */
export const whenClosed = (does) => closings.push(does);

over.addEventListener("close", () => { for (const does of closings) does(); focusScan(); });
over.addEventListener("cancel", (event) => { event.preventDefault(); if (!over.hasAttribute("data-fixed")) shut(); });

/** A form of the dialog that does something by itself. @param {() => void} does @param {...any} inner */
export const form = (does, ...inner) => make("form", { class: "d-form", novalidate: true, onsubmit: (event) => { event.preventDefault(); does(); } }, ...inner);
/** The line of buttons at its end; the last one is pressed by Enter. */
export const actions = (...inner) => make("div", { class: "d-row end p-sales-actions" }, ...inner);
export const submit = (text) => make("button", { class: "d-btn primary", type: "submit" }, text);

/** Ask before something is lost. @param {string} asks @param {string} yes */
export const sure = (asks, yes) => new Promise((resolve) => {
  let said = false;
  const once = () => { closings.splice(closings.indexOf(once), 1); resolve(said); };
  closings.push(once);
  dialog(asks, {}, actions(make("button", { type: "button", class: "d-btn", onclick: shut }, say("Cancel")), make("button", { type: "button", class: "d-btn danger", autofocus: true, onclick: () => { said = true; shut(); } }, yes)));
});

/** A low sound for what the scanner did not find: whoever scans looks at the goods, not at the screen. */
export function buzz() {
  try {
    const sound = new AudioContext(), tone = sound.createOscillator(), loud = sound.createGain();
    tone.frequency.value = 180;
    tone.type = "square";
    loud.gain.value = 0.08;
    tone.connect(loud).connect(sound.destination);
    tone.start();
    tone.stop(sound.currentTime + 0.25);
    tone.onended = () => sound.close();
  } catch { /* a browser without sound shows it all the same */ }
}
