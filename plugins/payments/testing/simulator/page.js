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
function keepShowing(show) {
  for (const key of document.querySelectorAll("[data-ahead]")) key.onclick = () => call("/_sim/advance", { seconds: Number(key.dataset.ahead) }).then(show).catch(tell);
  const keep = () => show().catch(tell).finally(() => setTimeout(keep, 1000));
  keep();
}
