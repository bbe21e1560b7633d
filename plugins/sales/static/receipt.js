// Prints a receipt on the paper that is asked for.
"use strict";
import { printOn } from "./sell/paper.js";

document.addEventListener("click", (event) => {
  const asked = event.target.closest?.("button[data-paper]");
  const slip = document.querySelector(".p-sales-slip");
  if (asked && slip) printOn(slip, asked.dataset.paper);
});
