// What the console's pages do beyond htmx: forms to the API, sheets, search, keys. Everything is found by attributes;
// nothing here knows a page. Pages work without it, with whole pages for answers.
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const words = (name) => document.body.dataset[name] || "";

// ---- forms: fields are sent as they are; what the API refuses is shown beside them

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-do]")) return;
  event.preventDefault();
  if (form.getAttribute("aria-busy") === "true") return;
  const asks = event.submitter?.dataset.confirm || form.dataset.confirm;
  if (asks && !window.confirm(asks)) return;
  form.setAttribute("aria-busy", "true");
  clearFaults(form);
  try {
    const fields = new FormData(form, event.submitter);
    const answer = await fetch(form.getAttribute("action"), { // a field may be called "action"
      method: "POST", body: new URLSearchParams(fields), headers: { Accept: "application/json" },
    });
    const said = await answer.json();
    if (answer.ok && !said.problem) {
      form.dispatchEvent(new CustomEvent("duka:done", { bubbles: true, detail: said.answer }));
      if (said.then) {
        const to = "/console" + said.then;
        if (to === location.pathname + location.search) location.reload(); else location.href = to;
      } else if (!form.hasAttribute("data-stay")) location.reload();
      else form.removeAttribute("aria-busy");
      return;
    }
    const again = $('input[name="_again"]', form); // what was looked at is out of date: it is shown anew
    if (again && again.dataset.at === said.problem?.code && form.closest("#sheet")) {
      await openSheet("/console" + again.value);
      const body = $("#sheet .body");
      showProblem(body, said.problem);
      return;
    }
    showProblem(form, said.problem || said);
    waitForApproval(form, said.problem || {});
  } catch {
    showProblem(form, { title: words("offline"), detail: words("offlineDetail") });
    form.removeAttribute("aria-busy");
    return; // whether it was done is not known: the same key must be sent again
  }
  const key = $('input[name="_key"]', form);
  if (key) key.value = crypto.randomUUID();
  form.removeAttribute("aria-busy");
});

function clearFaults(form) {
  for (const one of $$(".wrong, .d-problem", form)) one.remove();
  for (const one of $$('[aria-invalid="true"]', form)) { one.removeAttribute("aria-invalid"); one.removeAttribute("aria-describedby"); }
}

function showProblem(form, problem) {
  const rest = [];
  let first = null;
  for (const fault of problem.errors || []) {
    const field = fieldAt(form, fault.pointer || "");
    if (!field) { rest.push(`${fault.pointer ? fault.pointer + ": " : ""}${fault.detail || ""}`); continue; }
    const said = document.createElement("p");
    said.className = "wrong";
    said.id = "wrong-" + Math.random().toString(36).slice(2);
    said.textContent = fault.detail || problem.title;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", said.id);
    (field.closest(".d-field") || field.parentElement).append(said);
    first ||= field;
  }
  const note = document.createElement("div");
  note.className = "d-note bad d-problem";
  note.setAttribute("role", "alert");
  const inner = document.createElement("div");
  const title = document.createElement("b");
  title.textContent = problem.title || "";
  inner.append(title);
  for (const line of [problem.detail, ...rest]) if (line) { const p = document.createElement("p"); p.textContent = line; inner.append(p); }
  note.append(inner);
  form.prepend(note);
  (first || note).scrollIntoView({ block: "center" });
  first?.focus();
}

// Beyond one's limit: the same form, unchanged, is sent again with the approval once a second person has given it.
function waitForApproval(form, problem) {
  let field = $('input[name="_approval"]', form);
  if (problem.code === "approval-not-valid") field?.remove();
  if (problem.code !== "approval-required") return;
  if (!field) {
    field = Object.assign(document.createElement("input"), { type: "hidden", name: "_approval" });
    form.append(field);
  }
  field.value = [...new Set([...field.value.split(",").filter(Boolean), problem.approval])].slice(-5).join(",");
  const said = document.createElement("p");
  said.textContent = words("approval");
  $(".d-problem > div", form).append(said);
}

function fieldAt(form, pointer) {
  const name = pointer.replace(/^\//, "").replaceAll("/", ".");
  const shown = $$("input, select, textarea", form).filter((one) => one.type !== "hidden");
  return shown.find((one) => one.name.split(":")[0] === name) || (name && shown.find((one) => one.name.startsWith(name + ".")));
}

// ---- questions whose address is kept: what says nothing is not in it

document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-lean]")) return;
  const empty = [...event.target.elements].filter((one) => one.name && !one.value && !one.disabled);
  for (const one of empty) one.disabled = true;
  setTimeout(() => { for (const one of empty) one.disabled = false; });
});

// ---- answers that are shown once: `data-shows` names the place, `data-fill` what of the answer stands where

document.addEventListener("duka:done", async (event) => {
  const place = event.target.dataset.shows && $(event.target.dataset.shows);
  if (!place) return;
  const answer = event.detail || {};
  for (const one of $$("[data-fill]", place)) {
    const value = answer[one.dataset.fill];
    one.textContent = Array.isArray(value) ? value.join("\n") : value ?? "";
  }
  for (const one of $$("[data-fill-copy]", place)) one.dataset.copy = answer[one.dataset.fillCopy] ?? "";
  for (const one of $$("[data-fill-link]", place)) one.textContent = one.dataset.copy = new URL(one.dataset.fillLink.replace(/{(\w+)}/, (_, name) => answer[name] ?? ""), location);
  for (const one of $$("img[data-fill-qr]", place)) {
    const drawn = await fetch("/console/qr", { method: "POST", body: new URLSearchParams({ text: answer[one.dataset.fillQr], _proof: $('input[name="_proof"]').value }) });
    one.src = "data:image/svg+xml;base64," + btoa(await drawn.text());
  }
  place.hidden = false;
  event.target.hidden = true;
  place.scrollIntoView({ block: "center" });
});

// ---- a mailed link's token stands behind the #, which no server is sent

for (const field of $$("input[data-fragment]")) {
  field.value = location.hash.slice(1) || field.value;
  if (location.hash) history.replaceState(null, "", location.pathname);
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

// ---- sheets: a page laid over this one

const sheet = () => $("#sheet");

async function openSheet(address) {
  document.body.setAttribute("aria-busy", "true");
  const answer = await fetch(address, { headers: { "X-Sheet": "1" } }).catch(() => null);
  document.body.removeAttribute("aria-busy");
  if (!answer) { toast(words("offline")); return; }
  if (answer.redirected) { location.href = answer.url; return; }
  const over = sheet();
  over.innerHTML = await answer.text();
  window.htmx?.process(over);
  if (!over.open) over.showModal();
  ($("[autofocus]", over) || $("h1, h2", over))?.focus?.();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-sheet]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    openSheet(link.href);
    return;
  }
  if (event.target.closest?.("[data-close]") || event.target === sheet()) sheet()?.close();
  for (const open of $$("details.d-menu[open]")) if (!open.contains(event.target)) open.open = false;
  const copied = event.target.closest?.("[data-copy]");
  if (copied) navigator.clipboard?.writeText(copied.dataset.copy).then(() => toast(words("copied")));
  const adds = event.target.closest?.("[data-add-row]");
  if (adds) addRow(adds);
  const removes = event.target.closest?.("[data-remove-row]");
  if (removes) removes.closest("[data-row]").remove();
  if (event.target.closest?.("[data-print]")) window.print();
});

// ---- rows that a form may have any number of: a <template data-rows="name"> holds one, `__n__` its number

function addRow(button) {
  const template = $(`template[data-rows="${button.dataset.addRow}"]`);
  const holder = $(`[data-rows-of="${button.dataset.addRow}"]`);
  const number = Number(holder.dataset.next || holder.children.length);
  holder.dataset.next = number + 1;
  const made = template.content.cloneNode(true);
  for (const one of $$("[name], [id], [for]", made)) for (const attribute of ["name", "id", "for"]) {
    if (one.hasAttribute(attribute)) one.setAttribute(attribute, one.getAttribute(attribute).replaceAll("__n__", number));
  }
  holder.append(made);
  queueMicrotask(() => $("input, select:not([hidden])", holder.lastElementChild)?.focus()); // after its choices became fields
}

// ---- what is told once

export function toast(said, undo = "") {
  if (!said) return;
  for (const one of $$(".d-toast")) one.remove();
  const made = document.createElement("div");
  made.className = "d-toast";
  made.setAttribute("role", "status");
  made.textContent = said;
  if (undo) {
    const link = document.createElement("a");
    link.href = undo;
    link.dataset.sheet = "";
    link.textContent = words("undoWord");
    made.append(link);
  }
  document.body.append(made);
  setTimeout(() => made.remove(), undo ? 12000 : 5000);
}

// ---- filters go at once; files go to the API as they are

const kinds = { csv: "text/csv", xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" }; // some systems call both otherwise

document.addEventListener("change", async (event) => {
  const field = event.target;
  if (field.matches("[data-go]")) field.form.requestSubmit();
  if (field.matches("input[data-checks]")) for (const one of $$(`input[name^="${field.dataset.checks}"]`)) one.checked = field.checked;
  if (field.matches('input[type="file"][data-put]') && field.files[0]) {
    const form = field.form;
    form.setAttribute("aria-busy", "true");
    clearFaults(form);
    const file = field.files[0];
    const kind = kinds[file.name.split(".").pop().toLowerCase()] || file.type || "application/octet-stream";
    try {
      const answer = await fetch("/console/api/v1" + field.dataset.put, {
        method: field.dataset.method || "POST", body: file,
        headers: { "Content-Type": kind, "X-Proof": $('input[name="_proof"]', form).value, "Idempotency-Key": crypto.randomUUID() },
      });
      const said = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
      if (answer.ok) {
        const then = (form.dataset.then || "").replace(/{(\w+)}/g, (_, name) => said[name] ?? "");
        if (then) location.href = "/console" + then; else location.reload();
        return;
      }
      showProblem(form, said);
    } catch { showProblem(form, { title: words("offline"), detail: words("offlineDetail") }); }
    form.removeAttribute("aria-busy");
    field.value = "";
  }
});

// ---- keys

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "Escape") {
    for (const open of $$("details.d-menu[open]")) open.open = false;
    const found = $("#found");
    if (found) found.innerHTML = "";
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || sheet()?.open) {
    if (event.key === "ArrowDown" && event.target.id === "find") { event.preventDefault(); $("#found a")?.focus(); }
    return;
  }
  const on = document.activeElement;
  if (on?.closest("#found") && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    const all = $$("#found a");
    all[(all.indexOf(on) + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]?.focus();
    return;
  }
  if (event.key === "/") { event.preventDefault(); $("#find")?.focus(); }
  else if (event.key === "?") $("#keys")?.showModal();
  else if (event.key === "g") waiting = Date.now();
  else if (Date.now() - waiting < 1200) { const to = $(`[data-key="${CSS.escape(event.key)}"]`); if (to) location.href = to.href; waiting = 0; }
  else if (event.key === "n") $("[data-new]")?.click();
});
let waiting = 0;

document.addEventListener("focusout", (event) => {
  const search = event.target.closest?.(".d-search.top");
  if (search) setTimeout(() => { if (!search.contains(document.activeElement)) $("#found").innerHTML = ""; }, 150);
});

document.addEventListener("DOMContentLoaded", () => toast(words("said"), words("undo")));

// ---- an invitation says what it offers

const offer = $("form[data-invited]");
if (offer) {
  const token = $('input[name="token"]', offer).value;
  if (token) fetch("/console/invited", { method: "POST", body: new URLSearchParams({ token }) }).then((answer) => answer.json()).then((said) => {
    if (said.problem) showProblem(offer, said.problem);
    else $("[data-offer]", offer).textContent = `${said.business_name} · ${said.role} · ${said.email}`;
  });
}
