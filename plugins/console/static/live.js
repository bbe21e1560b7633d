// What happens while a page is open: the bell, and what is shown anew when something of what it follows was done. Nothing
// waits for it; it is silent where there is no connection, and while nobody looks.
"use strict";

const LEAST_MS = 3000, KEPT_MS = 15000, LONGEST_MS = 540000;

// ---- the bell: asked after the page is there, and no more than now and then

const bell = document.querySelector("[data-bell]");
const kept = "duka-bell " + bell?.dataset.bell;

function ring(said) {
  const count = bell.querySelector(".d-count");
  count.textContent = said.shown;
  count.hidden = !said.count;
  count.classList.toggle("bad", said.presses);
  bell.setAttribute("aria-label", said.label);
}

async function askBell() {
  try {
    const answer = await fetch("/console/bell", { headers: { Accept: "application/json" } });
    if (answer.status === 401) leave();
    if (!answer.ok) return;
    const said = await answer.json();
    sessionStorage.setItem(kept, JSON.stringify({ ...said, at: Date.now() }));
    ring(said);
  } catch { /* it stays as it was */ }
}

// ---- whoever signed out elsewhere is so here: nothing is left to be read, but for what somebody is typing

let goes = 0;
addEventListener("beforeunload", () => { goes = Date.now(); });

function leave() {
  if (Date.now() - goes < KEPT_MS) return; // this very page is on its way, as where its reader signs out
  const fields = [...document.querySelectorAll("form[data-do] :is(input, textarea):not([type=hidden])")];
  if (!fields.some((one) => one.value !== one.defaultValue || one.checked !== one.defaultChecked)) location.reload();
}

if (bell) {
  const known = JSON.parse(sessionStorage.getItem(kept) || "null");
  if (known) ring(known);
  if (!known || Date.now() - known.at > KEPT_MS) addEventListener("load", askBell);
}

// ---- parts of the page that follow plugins: loaded anew, each no more often than every few seconds

const shownAt = new WeakMap(), due = new WeakSet();

function changed(names) {
  for (const part of document.querySelectorAll("[data-follows]")) {
    if (!names || part.dataset.follows.split(" ").some((one) => names.includes(one))) soon(part);
  }
}

function soon(part) {
  if (due.has(part)) return;
  due.add(part);
  setTimeout(() => {
    due.delete(part);
    if (!part.isConnected) return;
    if (part !== bell && part.contains(document.activeElement)) { soon(part); return; } // somebody is at it
    shownAt.set(part, Date.now());
    if (part === bell) askBell(); else part.dispatchEvent(new Event("again"));
  }, Math.max(0, LEAST_MS - (Date.now() - (shownAt.get(part) ?? 0))));
}

// ---- the stream of what was done

let since = document.body.dataset.live, source = null, again = 0, timer = 0, hiddenAt = 0;

function listen() {
  clearTimeout(timer);
  if (source || !since || document.visibilityState !== "visible") return;
  if (hiddenAt && Date.now() - hiddenAt > LONGEST_MS) changed(null); // more than a stream tells of
  hiddenAt = 0;
  source = new EventSource("/console/api/v1/console/changes?since=" + encodeURIComponent(since));
  source.addEventListener("changes", (event) => {
    const said = JSON.parse(event.data);
    again = 0;
    since = said.at;
    if (said.changed.length) changed(said.changed);
  });
  source.onerror = () => {
    stop();
    if (bell) askBell();
    again = Math.min(60, again * 2 || 1);
    timer = setTimeout(listen, (again + Math.random()) * 1000);
  };
}

function stop() {
  source?.close();
  source = null;
  clearTimeout(timer);
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") listen(); else { hiddenAt = Date.now(); stop(); }
});
addEventListener("pagehide", stop);
addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
addEventListener("load", () => { timer = setTimeout(listen, 1500); });
