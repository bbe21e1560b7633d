// The till in the browser, on the public API. The cart is kept here and priced by the server; a sale has its id before
// it is sent, so that sending it again can never sell twice.
"use strict";

const $ = (selector, within = document) => within.querySelector(selector);
const till = $("#till");
const config = JSON.parse(till.dataset.config);
const say = (english) => config.words[english] || english;
const KEPT = "duka-cart-" + config.business;

const state = {
  lines: [], customer: null, heldId: null, coupons: [], quote: null, fault: null, category: "", words: "",
  register: config.register, location: config.location, paying: null,
};

function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64; bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

// ---- the API

class Refused extends Error {
  constructor(problem, status) { super(problem.detail || problem.title || String(status)); this.problem = problem; this.status = status; }
}

async function api(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch("/console/api/v1" + path, {
      method, body: body === undefined ? undefined : JSON.stringify(body),
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }), "X-Proof": till.dataset.proof, ...headers },
    });
  } catch (fault) { online(false); throw fault; }
  online(true);
  if (answer.status === 401) { location.reload(); throw new Refused({ title: say("Sign in again") }, 401); }
  const said = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(said || {}, answer.status);
  return said;
}

function online(is) {
  const pill = $("#net");
  pill.textContent = is ? say("Online") : say("No connection");
  pill.className = "d-pill dot " + (is ? "ok" : "bad");
}

// ---- money: the server's texts are shown, never reckoned with, but for cash over the counter (in whole minor units)

const digits = config.digits;
const minor = (text) => { const [whole, part = ""] = String(text).replace(/[,\s]/g, "").split("."); return Number(whole) * 10 ** digits + Number((part + "0".repeat(digits)).slice(0, digits) || 0); };
const major = (value) => digits ? `${Math.trunc(value / 10 ** digits)}.${String(Math.abs(value) % 10 ** digits).padStart(digits, "0")}` : String(value);
const grouped = new Intl.NumberFormat(config.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const money = (text) => `${config.currency} ${grouped.format(Number(text))}`;
const isAmount = (text) => /^\d{1,12}(\.\d{1,6})?$/.test(text.replace(/[,\s]/g, ""));

// ---- small builders: text is always text

function make(tag, attributes = {}, ...inner) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...inner.filter((one) => one != null && one !== false));
  return made;
}
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "d-i"); svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${till.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}
const button = (text, does, kind = "", more = {}) => make("button", { type: "button", class: "d-btn " + kind, onclick: does, ...more }, text);

// ---- goods

let search = 0;
async function showGoods() {
  const mine = ++search;
  const asked = new URLSearchParams({ is_active: "true", limit: "48" });
  if (state.words) asked.set("q", state.words);
  if (state.category) asked.set("category_id", state.category);
  let found;
  try { found = (await api("GET", "/catalog/products?" + asked)).items; } catch { return; }
  if (mine !== search) return;
  $("#grid").replaceChildren(...found.map((product) => make("li", {}, make("button", { type: "button", class: "p-sales-tile", onclick: () => add(product) },
    product.image ? make("img", { src: "/console" + product.image.medium, alt: "", loading: "lazy" }) : null,
    make("b", {}, product.name), make("span", {}, money(product.price))))));
  if (!found.length) $("#grid").replaceChildren(make("li", { class: "p-sales-none" }, say("Nothing found")));
  state.found = found;
}

function showChips() {
  const chip = (id, name) => make("button", { type: "button", class: "d-chip", "aria-pressed": String(state.category === id), onclick: () => { state.category = id; showChips(); showGoods(); focusScan(); } }, name);
  $("#chips").replaceChildren(chip("", say("All")), ...config.categories.map(([id, name]) => chip(id, name)));
}

const focusScan = () => { if (!$("#dialog").open && matchMedia("(pointer: fine)").matches) $("#scan").focus(); };

$("#scan").addEventListener("input", () => {
  clearTimeout(showGoods.later);
  showGoods.later = setTimeout(() => { state.words = $("#scan").value.trim(); showGoods(); }, 180);
});

$("#scan-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const code = $("#scan").value.trim();
  if (!code) return;
  clearTimeout(showGoods.later);
  $("#scan").value = "";
  try {
    const scanned = await api("GET", "/catalog/barcode/" + encodeURIComponent(code));
    add(scanned.product, scanned.pack || scanned.mrp ? { barcode: scanned.code } : {});
  } catch (refused) {
    if (!(refused instanceof Refused)) { $("#scan").value = code; return; }
    const asked = new URLSearchParams({ is_active: "true", limit: "2", q: code });
    const found = (await api("GET", "/catalog/products?" + asked).catch(() => ({ items: [] }))).items;
    const exact = found.find((one) => one.sku.toLowerCase() === code.toLowerCase()) || (found.length === 1 ? found[0] : null);
    if (exact) add(exact);
    else if (!found.length && isScannedCoupon(code)) await useCoupon(code);
    else { $("#scan").value = code; $("#scan").select(); state.words = code; showGoods(); note(found.length ? "" : `${say("Not known")}: ${code}`); }
  }
  if (state.words && !$("#scan").value) { state.words = ""; showGoods(); }
});

// ---- the cart

function add(product, how = {}) {
  const same = state.lines.find((one) => one.product_id === product.id && one.barcode === how.barcode && !one.discount && !one.unit_price);
  if (same) same.quantity = plus(same.quantity, 1);
  else state.lines.push({ product_id: product.id, barcode: how.barcode, name: product.name, quantity: "1", price: product.price });
  state.fresh = same || state.lines.at(-1);
  changed();
}

function plus(quantity, more) {
  const scale = 1e6, value = Math.round(Number(quantity) * scale) + more * scale;
  return String(value / scale);
}

function changed() {
  localStorage.setItem(KEPT, JSON.stringify({ lines: state.lines, customer: state.customer, heldId: state.heldId, coupons: state.coupons }));
  state.quote = state.lines.length ? state.quote : null;
  state.fault = null;
  show();
  clearTimeout(price.later);
  price.later = setTimeout(price, 40);
}

const body = () => ({
  location_id: state.location, register_id: state.register || null, customer_id: state.customer?.id || null,
  lines: state.lines.map((one) => ({ ...(one.barcode ? { barcode: one.barcode } : { product_id: one.product_id }), quantity: one.quantity, ...(one.discount ? { discount: one.discount } : {}), ...(one.unit_price ? { unit_price: one.unit_price } : {}) })),
  ...(state.coupons?.length ? { ext: { discounts: { coupon_codes: state.coupons } } } : {}),
});

let asking = 0;
async function price() {
  const mine = ++asking;
  if (!state.lines.length) return show();
  try {
    const quote = await api("POST", "/sales/quote", body());
    if (mine !== asking) return;
    state.quote = quote; state.fault = null;
  } catch (refused) {
    if (mine !== asking) return;
    state.quote = null; state.fault = refused;
  }
  show();
}

function show() {
  const quoted = state.quote?.lines.length === state.lines.length ? state.quote : null;
  const faults = state.fault?.problem?.errors || [];
  const rows = state.lines.map((line, place) => {
    const priced = quoted?.lines[place];
    const wrong = faults.find((one) => (one.pointer || "").startsWith(`/lines/${place}/`) || one.pointer === `/lines/${place}`);
    const reasons = (priced?.steps || []).filter((one) => !["list", "customer"].includes(one.phase)).map((one) => one.reason || one.rule);
    return make("li", { class: line === state.fresh ? "fresh" : "" },
      make("button", { type: "button", class: "name", onclick: () => editLine(line) }, line.name),
      make("span", { class: "much" },
        make("button", { type: "button", "aria-label": `${say("One less")}: ${line.name}`, onclick: () => less(line) }, icon("minus")),
        make("output", {}, line.quantity),
        make("button", { type: "button", "aria-label": `${say("One more")}: ${line.name}`, onclick: () => { line.quantity = plus(line.quantity, 1); changed(); } }, icon("plus"))),
      make("span", { class: "sum" }, priced ? grouped.format(Number(priced.total)) : "…"),
      reasons.length ? make("span", { class: "why" }, [...new Set(reasons)].join(" · ")) : null,
      wrong ? make("span", { class: "wrong" }, wrong.detail || state.fault.message) : null);
  });
  state.fresh = null;
  $("#lines").replaceChildren(...(rows.length ? rows : [make("li", { class: "p-sales-none" }, say("Scan the first thing, or tap it."))]));
  if (rows.length) $("#lines").lastElementChild.scrollIntoView({ block: "nearest" });
  const sums = [];
  const sum = (name, text, kind = "") => sums.push(make("dt", { class: kind }, name), make("dd", { class: kind }, text));
  if (quoted) {
    if (Number(quoted.discount_total)) sum(say("Discount"), "−" + grouped.format(Number(quoted.discount_total)));
    sum(say("Of that, tax"), grouped.format(Number(quoted.tax_total)));
    sum(say("To pay"), money(quoted.total), "total");
  }
  $("#sums").replaceChildren(...sums);
  $("#due").textContent = quoted ? money(quoted.total) : "";
  $("#pay").disabled = !quoted;
  $("#hold").disabled = $("#empty").disabled = !state.lines.length;
  $("#customer-name").textContent = state.customer?.name || say("Add a customer");
  $("#coupons")?.replaceChildren(...state.coupons.map((code) => make("button", { type: "button", class: "d-chip", "aria-label": `${say("Take off")}: ${code}`, onclick: () => { state.coupons = state.coupons.filter((one) => one !== code); changed(); focusScan(); } }, icon("ticket"), code, icon("x"))));
  const notes = (quoted?.missed || []).slice(0, 2).map((one) => make("div", { class: "d-note info" }, icon("badge-percent"), one.words));
  notes.push(...(quoted?.approvals || []).map((one) => make("div", { class: "d-note warn" }, icon("shield-alert"), `${say("Somebody must approve")}: ${one.words}`)));
  if (state.fault && !faults.some((one) => (one.pointer || "").startsWith("/lines/"))) notes.push(make("div", { class: "d-note bad", role: "alert" }, icon("circle-alert"), state.fault instanceof Refused ? [...new Set(faults.map((one) => one.detail).filter(Boolean))].join(" ") || state.fault.message : say("No connection")));
  if (state.said) notes.push(make("div", { class: "d-note warn", role: "status" }, icon("info"), state.said));
  $("#notes").replaceChildren(...notes);
}

// ---- coupons: asked of the server before they are kept, so that a refused one is told and the cart stays as it was

const isScannedCoupon = (code) => config.may.coupon && state.lines.length > 0 && /^(?=.*[A-Z])[A-Z0-9][A-Z0-9-]{1,38}[A-Z0-9]$/.test(code);

async function useCoupon(code, told = note) {
  const same = (one) => one.toUpperCase().replace(/[ -]/g, "");
  if (state.coupons.some((one) => same(one) === same(code))) return told(`${say("Already on this cart")}: ${code}`);
  const before = state.coupons, mine = ++asking;
  state.coupons = [...before, code];
  const asked = body();
  state.coupons = before;
  try {
    const quote = await api("POST", "/sales/quote", asked);
    if (mine !== asking) return useCoupon(code, told); // the cart changed meanwhile
    Object.assign(state, { coupons: asked.ext.discounts.coupon_codes });
    $("#dialog").close();
    changed();
    state.quote = quote;
  } catch (refused) {
    told(refused instanceof Refused ? [...new Set((refused.problem.errors || []).map((one) => one.detail).filter(Boolean))].join(" ") || refused.message : say("No connection"));
    price();
  }
}

$("#coupon")?.addEventListener("click", askCoupon);
function askCoupon() {
  if (!state.lines.length) return note(say("Scan the first thing, or tap it."));
  const code = make("input", { class: "d-input", id: "code", maxlength: "40", autocomplete: "off", autocapitalize: "characters", autofocus: true, required: true });
  const wrong = make("p", { class: "wrong", role: "alert" });
  const form = make("form", { class: "d-form" }, labelled(say("Code"), code), wrong, make("div", { class: "d-row end" }, make("button", { class: "d-btn primary", type: "submit" }, say("Use it"))));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    wrong.textContent = "";
    await useCoupon(code.value.trim(), (said) => { wrong.textContent = said; code.setAttribute("aria-invalid", "true"); code.select(); });
  });
  dialog(say("Coupon"), form);
}

function note(said) { state.said = said; show(); setTimeout(() => { if (state.said === said) { state.said = ""; show(); } }, 4000); }
function less(line) { if (Number(line.quantity) <= 1) state.lines.splice(state.lines.indexOf(line), 1); else line.quantity = plus(line.quantity, -1); changed(); focusScan(); }
function clearCart() { Object.assign(state, { lines: [], customer: null, heldId: null, quote: null, fault: null, coupons: [], said: "" }); changed(); focusScan(); }

// ---- dialogs

function dialog(title, ...inner) {
  const over = $("#dialog");
  over.setAttribute("aria-label", title);
  over.replaceChildren(make("div", { class: "in" }, make("h2", {}, title, make("button", { type: "button", class: "d-btn plain icon", "aria-label": say("Close"), onclick: () => over.close() }, icon("x"))), ...inner));
  if (!over.open) over.showModal();
  ($("[autofocus]", over) || $("input, .primary", over))?.focus();
  return over;
}
$("#dialog").addEventListener("close", () => { state.paying?.stream?.close(); if (!state.paying?.waiting) state.paying = null; focusScan(); });

const labelled = (name, field) => make("div", { class: "d-field" }, make("label", { for: field.id }, name), field);
const problemNote = (refused) => make("div", { class: "d-note bad", role: "alert" }, icon("circle-alert"), make("div", {}, refused instanceof Refused ? make("b", {}, refused.problem.title || "") : say("It is not known whether this was done. Send it again: it will not be done twice."), refused instanceof Refused ? make("p", {}, [refused.problem.detail, ...(refused.problem.errors || []).map((one) => one.detail)].filter(Boolean).join(" ")) : null));

function editLine(line) {
  const much = make("input", { class: "d-input", id: "much", value: line.quantity, inputmode: "decimal", autofocus: true });
  const percent = make("input", { class: "d-input", id: "percent", value: line.discount?.percent || "", inputmode: "decimal" });
  const reason = make("input", { class: "d-input", id: "reason", value: line.discount?.reason || "", maxlength: "200" });
  const form = make("form", { class: "d-form" }, labelled(say("Quantity"), much),
    config.may.discount ? make("div", { class: "d-fields" }, labelled(say("Discount in %"), percent), labelled(say("Reason"), reason)) : null,
    make("div", { class: "d-row apart" }, button(say("Take off"), () => { state.lines.splice(state.lines.indexOf(line), 1); $("#dialog").close(); changed(); }, "danger"), make("button", { class: "d-btn primary", type: "submit" }, say("Done"))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!isAmount(much.value) || !Number(much.value)) { much.setAttribute("aria-invalid", "true"); return; }
    line.quantity = much.value.trim();
    line.discount = percent.value.trim() ? { percent: percent.value.trim(), reason: reason.value.trim() } : undefined;
    $("#dialog").close();
    changed();
  });
  dialog(line.name, form);
  much.select();
}

$("#customer").addEventListener("click", () => {
  const words = make("input", { class: "d-input", id: "who", type: "search", autofocus: true, autocomplete: "off" });
  const list = make("ul", { class: "d-list" });
  let mine = 0;
  const look = async () => {
    const now = ++mine;
    const asked = new URLSearchParams({ limit: "8", is_active: "true", ...(words.value.trim() ? { q: words.value.trim() } : {}) });
    const found = await api("GET", "/customers/customers?" + asked).catch(() => ({ items: [] }));
    if (now !== mine) return;
    list.replaceChildren(...found.items.map((one) => make("li", {}, make("span", {}, one.name, " ", make("span", { class: "d-muted" }, one.phone || "")), button(say("Choose"), () => { state.customer = { id: one.id, name: one.name, phone: one.phone }; $("#dialog").close(); changed(); }, "small"))));
  };
  words.addEventListener("input", look);
  dialog(say("Customer"), labelled(say("Name or phone"), words), list, state.customer ? button(say("Without a customer"), () => { state.customer = null; $("#dialog").close(); changed(); }) : "");
  look();
});

$("#hold").addEventListener("click", hold);
async function hold() {
  if (!state.lines.length) return;
  try { await api("POST", "/sales/held", { ...body(), label: state.customer?.name || state.lines[0].name.slice(0, 60) }, { "Idempotency-Key": uuid() }); clearCart(); note(say("Set aside")); }
  catch (refused) { dialog(say("Set aside"), problemNote(refused)); }
}
$("#empty").addEventListener("click", () => { if (confirm(say("Empty the cart?"))) clearCart(); });

$("#held").addEventListener("click", async () => {
  const found = await api("GET", "/sales/held?limit=50").catch(() => ({ items: [] }));
  dialog(say("Carts set aside"), found.items.length ? make("ul", { class: "d-list" }, ...found.items.map((one) => make("li", {}, make("span", {}, one.label || "–", " ", make("span", { class: "d-muted" }, `${one.cart.lines.length} · ${one.held_by}`)), button(say("Go on"), () => resume(one), "small")))) : make("p", { class: "d-muted" }, say("Nothing is set aside.")));
});

async function resume(held) {
  const lines = [];
  for (const one of held.cart.lines) {
    const product = one.product_id ? await api("GET", "/catalog/products/" + one.product_id).catch(() => null) : (await api("GET", "/catalog/barcode/" + encodeURIComponent(one.barcode)).catch(() => null))?.product;
    if (product) lines.push({ product_id: product.id, barcode: one.barcode || undefined, name: product.name, quantity: one.quantity, discount: one.discount || undefined, price: product.price });
  }
  Object.assign(state, { lines, heldId: held.id, customer: held.cart.customer_id ? await api("GET", "/customers/customers/" + held.cart.customer_id).then((one) => ({ id: one.id, name: one.name, phone: one.phone })).catch(() => null) : null });
  $("#dialog").close();
  changed();
}

// ---- paying

$("#pay").addEventListener("click", pay);
async function pay() {
  if (!state.quote || state.paying) return;
  state.paying = { id: uuid(), due: minor(state.quote.total), parts: [], method: null };
  const query = new URLSearchParams({ location_id: state.location, ...(state.register ? { register_id: state.register } : {}) });
  try { state.methods = (await api("GET", "/payments/methods?" + query)).items; } catch (refused) { state.paying = null; dialog(say("Pay"), problemNote(refused)); return; }
  state.paying.method = state.methods.find((one) => one.kind === "cash") || state.methods[0];
  showPay();
}

const left = () => state.paying.due - state.paying.parts.reduce((sum, one) => sum + minor(one.amount), 0);

function showPay(refused) {
  const paying = state.paying, method = paying.method, due = left();
  const step = Math.max(1, minor(method.step));
  const asked = method.gives_change ? Math.round(due / step) * step : due;
  const amount = make("input", { class: "d-input p-sales-amount", id: "amount", value: major(asked), inputmode: "decimal", autofocus: true, autocomplete: "off" });
  const phone = make("input", { class: "d-input", id: "phone", type: "tel", value: paying.phone || state.customer?.phone || "", autocomplete: "off" });
  const reference = make("input", { class: "d-input", id: "reference", maxlength: "60", autocomplete: "off" });
  const isMobile = method.takes_phone;
  const form = make("form", { class: "d-form" },
    make("div", { class: "p-sales-big" }, `${config.currency} ${grouped.format(due / 10 ** digits)}`),
    ...paying.parts.map((one, place) => make("div", { class: "d-row apart" }, `${one.title}: ${grouped.format(Number(one.amount))}`, button(say("Take off"), () => { paying.parts.splice(place, 1); showPay(); }, "small"))),
    make("div", { class: "p-sales-ways", role: "group", "aria-label": say("Way of paying") }, ...state.methods.map((one, place) => make("button", { type: "button", "aria-pressed": String(one === method), onclick: () => { paying.method = one; showPay(); } }, one.title, place < 4 ? make("kbd", { class: "d-wide" }, ` F${place + 1}`) : null))),
    labelled(method.gives_change ? say("Cash given") : say("Amount"), amount),
    method.gives_change ? make("div", { class: "p-sales-quick" }, ...notes(asked).map((one) => button(grouped.format(one / 10 ** digits), () => { amount.value = major(one); form.requestSubmit(); }, "small"))) : null,
    isMobile ? labelled(say("Customer's phone"), phone) : null,
    !method.gives_change && !isMobile ? labelled(say("Reference, if there is one"), reference) : null,
    refused ? problemNote(refused) : null,
    make("button", { class: "d-btn primary p-sales-pay", type: "submit" }, isMobile ? say("Ask for the money") : say("Take payment")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (paying.sending) return;
    if (!isAmount(amount.value)) { amount.setAttribute("aria-invalid", "true"); return; }
    const given = minor(amount.value), enough = given >= asked;
    const part = { method: method.code, title: method.title, amount: major(enough ? asked : given) };
    if (method.gives_change) part.tendered = major(given);
    if (method.takes_phone) paying.phone = part.phone = phone.value.trim();
    else if (reference.value.trim()) part.reference = reference.value.trim();
    const parts = [...paying.parts, part];
    if (enough) send(parts);
    else { paying.parts = parts; showPay(); }
  });
  dialog(say("Pay"), form);
  amount.select();
}

function notes(due) {
  const steps = config.notes.map((one) => one * 10 ** digits);
  return [...new Set([due, ...steps.map((one) => Math.ceil(due / one) * one)])].filter((one) => one >= due).sort((a, b) => a - b).slice(0, 5);
}

async function send(parts) {
  const paying = state.paying;
  paying.sending = true;
  for (const one of document.querySelectorAll("#dialog button")) one.disabled = true;
  const payments = parts.map(({ title, ...one }) => one);
  try {
    const sale = paying.sale
      ? await api("POST", `/sales/sales/${paying.sale.id}/payments`, { payments }, { "Idempotency-Key": paying.key })
      : await api("POST", "/sales/sales", { ...body(), id: paying.id, payments, ...(state.heldId ? { held_id: state.heldId } : {}) }, { "Idempotency-Key": paying.key || paying.id });
    paying.sending = false;
    if (sale.status === "pending") wait(sale); else done(sale);
  } catch (refused) {
    paying.sending = false;
    if (refused instanceof Refused) paying.key = uuid(); // refused is not done: what is sent next is another request
    if (refused instanceof Refused && refused.problem.code === "approval-required") return askApproval(refused, parts);
    showPay(refused);
  }
}

function askApproval(refused, parts) {
  dialog(say("Somebody must approve"), problemNote(refused), make("p", {}, say("Ask somebody who may to approve it, then try again.")),
    make("div", { class: "d-row end" }, button(say("Back"), () => showPay()), button(say("Try again"), () => send(parts), "primary")));
}

// ---- waiting for money

function wait(sale) {
  const paying = state.paying;
  paying.sale = sale; paying.waiting = true; paying.key = uuid();
  paying.stream?.close();
  paying.stream = new EventSource(`/console/api/v1/sales/sales/${sale.id}/events`);
  for (const name of ["sale", "message"]) paying.stream.addEventListener(name, (event) => heard(JSON.parse(event.data)));
  showWait(sale);
}

async function heard(news) {
  if (news.status === "completed") { state.paying.stream.close(); done(await api("GET", "/sales/sales/" + news.id)); }
  else if (["expired", "voided"].includes(news.status)) { state.paying.stream.close(); showWait(news); }
  else showWait(news);
}

function showWait(sale) {
  const waits = sale.payments.filter((one) => !["captured", "failed", "cancelled", "expired"].includes(one.status));
  const last = waits.at(-1) || sale.payments.at(-1);
  const isOver = ["expired", "voided"].includes(sale.status);
  const failed = last && ["failed", "cancelled", "expired"].includes(last.status);
  const words = failed ? (last.fault?.said || say("It was not paid")) : last?.show?.words || say("Waiting for the money");
  const picture = last?.show?.kind === "picture" ? make("img", { src: last.show.text, alt: say("Scan to pay") }) : last?.show?.kind === "qr" ? make("img", { src: `/console/api/v1/payments/payments/${last.id}/code?kind=svg`, alt: say("Scan to pay") }) : null;
  const ask = async (path) => { try { await api("POST", `/payments/payments/${last.id}/${path}`, path === "ask" ? undefined : {}, { "Idempotency-Key": uuid() }); } catch (refused) { over.querySelector(".in").append(problemNote(refused)); } };
  const byHand = !failed && state.methods?.find((one) => one.code === last?.method)?.by_hand;
  const number = make("input", { id: "number", class: "d-input", inputmode: "numeric", autocomplete: "off", maxlength: 64 });
  const seen = async () => { try { await api("POST", `/payments/payments/${last.id}/confirm-by-hand`, { reference: number.value.trim() }, { "Idempotency-Key": uuid() }); } catch (refused) { over.querySelector(".in").append(problemNote(refused)); } };
  const over = dialog(isOver ? say("Given up") : failed ? say("Not paid") : say("Waiting for the money"),
    make("div", { class: "p-sales-wait", role: "status" }, failed || isOver ? icon("circle-alert") : picture || make("div", { class: "p-sales-spin" }), make("div", { class: "p-sales-big" }, money(sale.balance_due)), make("p", {}, words)),
    isOver ? button(say("Back to the cart"), () => { state.paying.waiting = false; state.paying = null; over.close(); }, "primary") : make("div", { class: "d-stack tight" },
      byHand ? make("form", { class: "d-stack tight", onsubmit: (event) => { event.preventDefault(); seen(); } }, labelled(say("Its number on the shop's phone"), number), make("button", { class: "d-btn primary" }, say("It has come"))) : !failed && last ? button(say("Has it come? Ask now"), () => ask("ask")) : null,
      failed ? button(say("Ask for the money again"), () => again(), "primary") : null,
      button(say("Pay another way"), () => again()),
      config.may.void ? button(say("Give the sale up"), () => giveUp(sale), "danger") : null));
}

function again() { const paying = state.paying; paying.stream?.close(); paying.waiting = true; paying.due = minor(paying.sale.balance_due ?? paying.sale.total); paying.parts = []; paying.key = uuid(); showPay(); }

async function giveUp(sale) {
  try { await api("POST", `/sales/sales/${sale.id}/void`, { reason: "given up at the till" }, { "Idempotency-Key": uuid() }); state.paying.stream?.close(); state.paying.waiting = false; state.paying = null; $("#dialog").close(); }
  catch (refused) { $("#dialog .in").append(problemNote(refused)); }
}

// ---- done

function done(sale) {
  state.paying.stream?.close();
  state.paying.waiting = false;
  localStorage.removeItem(KEPT);
  Object.assign(state, { lines: [], customer: null, heldId: null, quote: null, fault: null, coupons: [] });
  receipt(sale);
  show();
  const over = dialog(sale.number,
    Number(sale.change) ? make("div", {}, make("p", { class: "p-sales-wait" }, say("Change")), make("div", { class: "p-sales-big" }, money(sale.change))) : make("div", { class: "p-sales-big" }, say("Paid")),
    make("p", { class: "p-sales-wait d-muted" }, money(sale.total)),
    make("div", { class: "d-row end" }, button(say("Print"), () => window.print()), make("a", { class: "d-btn", href: "/console/sales/sales/" + sale.id }, say("Details")), button(say("New sale"), () => over.close(), "primary", { autofocus: true })));
  state.paying = null;
}

function receipt(sale) {
  const row = (kind, ...cells) => make("tr", { class: kind }, ...cells.map((one) => make("td", {}, one)));
  const shown = (text) => grouped.format(Number(text));
  $("#receipt").replaceChildren(make("h2", {}, config.name), make("p", {}, `${sale.number} · ${new Date(sale.sold_at).toLocaleString(config.locale)}`), make("p", {}, sale.cashier.name),
    make("table", {}, make("tbody", {}, ...sale.lines.map((one) => row("", `${one.quantity} × ${one.name}`, shown(one.total))),
      Number(sale.discount_total) ? row("line", say("Discount"), "−" + shown(sale.discount_total)) : "", row("line", say("Of that, tax"), shown(sale.tax_total)), Number(sale.rounding) ? row("", say("Rounding"), shown(sale.rounding)) : "", row("", make("b", {}, say("Total")), make("b", {}, money(sale.total))),
      ...sale.payments.map((one) => row("", one.method, shown(one.tendered || one.amount))), Number(sale.change) ? row("", say("Change"), shown(sale.change)) : "")),
    make("p", {}, say("Thank you!")));
}

// ---- keys, register, beginning

document.addEventListener("keydown", (event) => {
  const open = $("#dialog").open;
  const way = /^F([1-4])$/.exec(event.key);
  if (open && way && state.paying && !state.paying.sending && state.methods?.[way[1] - 1] && $("#amount")) { event.preventDefault(); state.paying.method = state.methods[way[1] - 1]; showPay(); }
  if (open) return;
  if (event.key === "F9") { event.preventDefault(); pay(); }
  else if (event.key === "F6") { event.preventDefault(); hold(); }
  else if (event.key === "F7" && $("#coupon")) { event.preventDefault(); askCoupon(); }
  else if (event.key === "F8") { event.preventDefault(); state.lines.pop(); changed(); }
  else if (event.key === "/" && document.activeElement !== $("#scan")) { event.preventDefault(); $("#scan").focus(); }
  else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea, select")) $("#scan").focus();
});
$("#register")?.addEventListener("change", (event) => {
  state.register = event.target.value;
  state.location = event.target.selectedOptions[0].dataset.location;
  localStorage.setItem("duka-register-" + config.business, state.register);
  changed(); focusScan();
});

const before = localStorage.getItem("duka-register-" + config.business);
if (before && $("#register")) { const option = [...$("#register").options].find((one) => one.value === before); if (option) { $("#register").value = before; state.register = before; state.location = option.dataset.location; } }
try { const kept = JSON.parse(localStorage.getItem(KEPT) || "null"); if (kept) Object.assign(state, kept); } catch { localStorage.removeItem(KEPT); }
showChips();
showGoods();
changed();
