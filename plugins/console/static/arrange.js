// Rows of a list that is arranged: moved by buttons, or dragged. The order of the rows is the order of what is sent.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

function ready() { // buttons where there is a script; where there is none, the rows ask for numbers
  for (const one of all("[data-arrange] .d-moves[hidden]")) one.hidden = false;
}

function number(list) {
  all(":scope > li", list).forEach((row, place) => {
    for (const one of all("[name]", row)) one.name = one.name.replace(/^(\w+)\.\d+/, `$1.${place}`);
  });
}

function tell(row) {
  const place = row.closest("form")?.querySelector("[data-moved]");
  const rows = [...row.parentElement.children];
  const title = row.querySelector("label").textContent;
  if (place) place.textContent = place.dataset.words.replace("{card}", title).replace("{place}", rows.indexOf(row) + 1).replace("{count}", rows.length);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-move]");
  if (!button) return;
  const row = button.closest("li"), list = row.parentElement;
  const other = button.dataset.move === "1" ? row.nextElementSibling : row.previousElementSibling;
  if (!other) return;
  if (button.dataset.move === "1") other.after(row); else other.before(row);
  number(list);
  button.focus();
  tell(row);
});

let dragged = null;
document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-arrange] > li");
  dragged?.classList.add("dragged");
});
document.addEventListener("dragover", (event) => {
  const row = event.target.closest?.("[data-arrange] > li");
  if (!dragged || !row || row.parentElement !== dragged.parentElement) return;
  event.preventDefault();
  if (row === dragged) return;
  const box = row.getBoundingClientRect();
  if (event.clientY > box.top + box.height / 2) row.after(dragged); else row.before(dragged);
});
document.addEventListener("dragend", () => {
  if (!dragged) return;
  dragged.classList.remove("dragged");
  number(dragged.parentElement);
  tell(dragged);
  dragged = null;
});

new MutationObserver(ready).observe(document.body, { childList: true, subtree: true }); // a sheet may bring one
ready();
