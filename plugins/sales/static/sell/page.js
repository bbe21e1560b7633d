// What every part of the till builds with. Text is always text: nothing that comes from the API is read as markup.
"use strict";

/**
 * @typedef {object} Config What the page is given by the server.
 * @property {string} business Its slug, by which what is kept in the browser is named.
 * @property {string} name
 * @property {string} currency
 * @property {number} digits Decimals of the currency.
 * @property {string} locale
 * @property {string} zone The shop's.
 * @property {number[]} notes Notes people pay with.
 * @property {string} register
 * @property {string} location
 * @property {[string, string][]} categories
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
  if (!$("#dialog").open && matchMedia("(pointer: fine)").matches) $("#scan").focus();
}
