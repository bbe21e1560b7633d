// Prints a receipt on the paper that is asked for; the register keeps that it was printed again.
"use strict";
import { printOn } from "./sell/paper.js";

document.addEventListener("click", (event) => {
  const asked = event.target.closest?.("button[data-paper]");
  const slip = document.querySelector(".p-sales-slip");
  if (!asked || !slip) return;
  const { register, sale, proof } = slip.dataset;
  if (register) {
    const body = JSON.stringify({ kind: "reprint", reason: "printed from the sale's page", sale_id: sale });
    fetch(`/console/api/v1/sales/registers/${register}/events`, { method: "POST", body, headers: { "Content-Type": "application/json", "X-Proof": proof } }).catch(() => null);
  }
  printOn(slip, asked.dataset.paper);
});
