// A choice among many: a select with `data-pick` (a list of the API) becomes a field that finds as one types, and at once
// what a scanner types before its Enter. Without scripts it stays the select that it is.
"use strict";

let count = 0;

function enrich(select) {
  const field = document.createElement("input");
  const list = document.createElement("ul");
  const number = ++count;
  const words = (select.dataset.pickWords || "name").split(" ");
  let found = [], at = -1, asked = 0, waits = 0;

  field.className = "d-input";
  field.id = select.id;
  field.type = "search";
  field.autocomplete = "off";
  field.placeholder = select.dataset.pickHint || "";
  field.required = select.required;
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", `picks-${number}`]]) field.setAttribute(name, value);
  list.id = `picks-${number}`;
  list.className = "d-picks";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", select.closest(".d-field")?.querySelector("label")?.textContent || "");
  list.hidden = true;
  select.removeAttribute("id");
  select.required = false;
  select.hidden = true;
  select.after(field, list);

  const chosen = () => (select.value ? select.selectedOptions[0].textContent : "");
  const check = () => field.setCustomValidity(field.value && !select.value ? select.dataset.pickHint || "?" : "");
  const close = () => { list.hidden = true; at = -1; field.setAttribute("aria-expanded", "false"); field.removeAttribute("aria-activedescendant"); };
  const text = (item) => words.map((word) => item[word]).filter(Boolean).join(" · ");

  function choose(item) {
    select.replaceChildren(new Option(text(item), item.id, true, true));
    field.value = chosen();
    check();
    close();
    select.dispatchEvent(new Event("change", { bubbles: true }));
    const all = [...select.form.querySelectorAll("input, select, textarea, button")].filter((one) => one.offsetParent && one.type !== "hidden" && !one.disabled);
    all[all.indexOf(field) + 1]?.focus();
  }

  function show() {
    list.replaceChildren(...found.map((item, index) => {
      const row = document.createElement("li");
      row.id = `pick-${number}-${index}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(index === at));
      row.textContent = text(item);
      row.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(item); });
      return row;
    }));
    list.hidden = !found.length;
    field.setAttribute("aria-expanded", String(found.length > 0));
    if (at >= 0) { field.setAttribute("aria-activedescendant", `pick-${number}-${at}`); list.children[at].scrollIntoView({ block: "nearest" }); }
    else field.removeAttribute("aria-activedescendant");
  }

  async function find() {
    clearTimeout(waits);
    const mine = ++asked;
    const address = new URL("/console/api/v1" + select.dataset.pick, location.href);
    address.searchParams.set("q", field.value.trim());
    address.searchParams.set("limit", "12");
    const answer = await fetch(address).then((said) => (said.ok ? said.json() : { items: [] })).catch(() => ({ items: [] }));
    if (mine !== asked) return false; // something newer is asked
    found = answer.items.filter((item) => !select.dataset.pickIf || item[select.dataset.pickIf]);
    at = -1;
    show();
    return true;
  }

  field.value = chosen();
  field.addEventListener("input", () => {
    select.replaceChildren(new Option("", "", true, true));
    check();
    clearTimeout(waits);
    if (field.value.trim()) waits = setTimeout(find, 120);
    else { asked++; close(); }
  });
  field.addEventListener("keydown", async (event) => {
    if (event.key === "Escape" && !list.hidden) { event.stopPropagation(); close(); }
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) { await find(); return; }
      const step = event.key === "ArrowDown" ? 1 : -1;
      at = at < 0 && step < 0 ? found.length - 1 : (at + step + found.length) % found.length;
      show();
    } else if (event.key === "Enter") {
      if (select.value && list.hidden) return;
      event.preventDefault();
      if (at >= 0) { choose(found[at]); return; }
      if (field.value.trim() && (await find()) && found.length) choose(found[0]); // the API puts what agrees whole first
    }
  });
  field.addEventListener("blur", () => { close(); if (select.value) field.value = chosen(); });
}

const enrichAll = () => { for (const one of document.querySelectorAll("select[data-pick]:not([hidden])")) enrich(one); };
enrichAll();
new MutationObserver(enrichAll).observe(document.body, { childList: true, subtree: true });
