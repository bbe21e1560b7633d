// The one dialog of the till, and what is said in passing.
"use strict";
import { $, focusScan, icon, make, say } from "./page.js";

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
/** Close it. */
export function shut() { if (over.open) over.close(); }
/** More in it, at its end: what was refused for one. @param {Node} more */
export function append(more) {
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
over.addEventListener("cancel", (event) => { if (over.hasAttribute("data-fixed")) event.preventDefault(); });

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
