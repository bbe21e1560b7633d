const $ = id => document.getElementById(id);
const put = (tag, words, kind) => { const e = document.createElement(tag); if (words !== undefined) e.textContent = words; if (kind) e.className = kind; return e; };
const call = async (path, body) => {
  const answer = await fetch(path, body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error || "This did not work");
  return said;
};
function fill(list, rows, none) {
  list.replaceChildren(...(rows.length ? rows : [put("li", none, "small")]));
}
function row(first, right, below, state, good) {
  const li = put("li");
  li.append(put("span", first), put("span", right, "amount"), put("span", below, "small"), put("span", state || "", "state " + (good ? "good" : "bad")));
  return li;
}
function tell(error) { $("said").textContent = error.message || error; }
const clockOf = zone => t => new Date(typeof t === "number" ? t * 1000 : t).toLocaleTimeString("en-GB", { timeZone: zone });
function screenOf(one) {
  const box = put("article", undefined, one.is_open ? "phone" : "phone done"), screen = put("div", undefined, "screen"), top = put("div", undefined, "top"), ask = put("p", undefined, "ask");
  top.append(put("span", one.top), put("span", ""));
  top.lastChild.dataset.left = one.is_open ? one.id : "";
  ask.append(one.ask[0], put("b", one.ask[1]), one.ask[2]);
  screen.append(top, ask, ...one.below.map(([words, kind]) => put("p", words, "small " + (kind || ""))));
  if (!one.is_open) {
    const [words, receipt, good] = one.end;
    screen.append(put("p", words + (receipt ? " · " + receipt : ""), "end " + (good ? "good" : "bad")));
  } else if (one.acts) {
    screen.append(put("p", "This payer acts by itself", "end open"));
  } else {
    const keys = put("div", undefined, "keys");
    for (const { name, words, kind, body } of one.keys) {
      const key = put("button", words, kind);
      key.dataset.key = one.id + name;
      key.setAttribute("aria-label", words + ", " + one.about);
      key.onclick = () => call("/_sim/phones/" + one.id, body).then(shown).catch(tell);
      keys.append(key);
    }
    screen.append(keys);
  }
  box.append(screen);
  return box;
}
let drawn = "";
function phones(those, none, [oneWaits, severalWait]) {
  const held = document.activeElement && document.activeElement.dataset.key;
  const now = JSON.stringify(those.map(({ left_s, ...rest }) => rest));
  if (now !== drawn) {
    drawn = now;
    const order = [...those].sort((a, b) => b.is_open - a.is_open);
    $("phones").replaceChildren(...(order.length ? order.map(screenOf) : [put("p", none, "empty")]));
    if (held) { const again = document.querySelector('[data-key="' + held + '"]'); if (again) again.focus(); }
  }
  for (const one of those) {
    const left = document.querySelector('[data-left="' + one.id + '"]');
    if (left) left.textContent = one.left_s + " s";
  }
  const open = those.filter(one => one.is_open).length;
  const words = open ? open + " " + (open === 1 ? oneWaits : severalWait) : "";
  if ($("waiting").textContent !== words) $("waiting").textContent = words;
}
function notices(those, at) {
  fill($("notices"), those.map(n => row(n.says, at(n.at), "…" + n.url, n.status ? "answered " + n.status : "no answer", n.status >= 200 && n.status < 300)), "None yet");
}
function acting(rows) {
  if (!$("acting").childElementCount) fill($("acting"), rows.map(([words, sign]) => { const li = put("li"); li.append(put("span", words), put("code", sign)); return li; }), "");
}
function choices(name, those) {
  for (const to of document.querySelectorAll("select[name=" + name + "]"))
    if (to.childElementCount !== those.length) to.replaceChildren(...those.map(([value, words]) => { const o = put("option", words); o.value = value; return o; }));
}
function sends(id, path, body, words) {
  $(id).onsubmit = event => {
    event.preventDefault();
    call(path, body(new FormData(event.target))).then(said => { tell(words(said)); return shown(); }).catch(tell);
  };
}
let shown;
function keepShowing(show) {
  shown = () => call("/_sim/phones").then(show);
  for (const key of document.querySelectorAll("[data-ahead]")) key.onclick = () => call("/_sim/advance", { seconds: Number(key.dataset.ahead) }).then(shown).catch(tell);
  const keep = () => shown().catch(tell).finally(() => setTimeout(keep, 1000));
  keep();
}
