// The till in the browser, on the public API. The cart is kept here and priced by the server; a sale has its id before
// it is sent, so that sending it again can never sell twice. Each part stands in a file of its own below `sell/`.
"use strict";
import { begin } from "./sell/around.js";
import { $, config, focusScan, kept, say, sure } from "./sell/base.js";
import { changed, clear, restore, state } from "./sell/cart.js";
import { showChips, showGoods } from "./sell/goods.js";
import { goOn } from "./sell/paying.js";
import "./sell/keys.js";

const register = $("#register");
const REGISTER = kept("register");

/** @param {string} id */
function choose(id) {
  const option = [...register.options].find((one) => one.value === id);
  if (!option) return;
  register.value = id;
  state.register = id;
  state.location = option.dataset.location || state.location;
}
if (register) {
  choose(config.register);
  choose(localStorage.getItem(REGISTER) || "");
  register.addEventListener("change", () => {
    choose(register.value);
    localStorage.setItem(REGISTER, register.value);
    changed();
    focusScan();
  });
}

$("#empty").addEventListener("click", async () => { if (state.lines.length && (await sure(say("Empty the cart?"), say("Empty")))) clear(); });

// On a phone the cart lies behind a bar at the foot of the screen.
const cart = $("#cart");
const lay = (/** @type {boolean} */ is) => { cart.toggleAttribute("data-open", is); document.body.toggleAttribute("data-sheet", is); };
$("#bar").addEventListener("click", () => { lay(true); $("#shut").focus(); });
$("#shut").addEventListener("click", () => { lay(false); $("#bar").focus(); });
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !$("#dialog").open) lay(false); });
document.addEventListener("duka:sold", () => lay(false));

restore();
showChips();
showGoods();
changed();
const asked = new URLSearchParams(location.search);
history.replaceState(null, "", location.pathname);
goOn().then(() => begin(asked));
