// Figures. What the server says is shown and never reckoned with; cash over the counter is counted in whole minor units.
"use strict";
import { config } from "./page.js";

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
export const money = (text) => `${config.currency} ${sum(text)}`;
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
