// The public API, by the session's cookie.
"use strict";
import { $, config, icon, make, say, till } from "./page.js";

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

/** What was refused, or that it is not known whether it was done. @param {unknown} fault */
export function problemNote(fault) {
  const said = fault instanceof Refused
    ? [make("b", {}, fault.problem.title || say("This could not be done")), fault.words !== fault.problem.title && make("p", {}, fault.words)]
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
