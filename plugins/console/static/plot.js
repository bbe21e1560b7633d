// Draws a figure of days as a line that may be pointed at, in the place of its bars. Figures shown are the table's own words;
// numbers only place points.
"use strict";

const style = (name) => { // a canvas knows no variables: as it comes out
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
};
const font = "11px " + getComputedStyle(document.body).fontFamily;
const language = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const days = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" });
const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });

function draw(figure) {
  const bars = figure.querySelector("svg");
  const rows = [...figure.querySelectorAll("tbody tr")];
  const titles = [...figure.querySelectorAll("thead th")].map((one) => one.textContent);
  const heads = rows.map((row) => row.querySelector("th"));
  const at = heads.map((one) => Date.parse(one.dataset.at + "T00:00Z") / 1000);
  const cells = titles.map((_, place) => rows.map((row) => row.querySelectorAll("td")[place]));
  const [text, line] = [style("--muted"), style("--line")];
  const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { show: false }, font };
  const place = document.createElement("div");
  place.className = "d-plot";
  bars.replaceWith(place);
  const plot = new window.uPlot({
    width: place.clientWidth, height: 260,
    tzDate: (moment) => window.uPlot.tzDate(new Date(moment * 1000), "Etc/UTC"),
    scales: { y: { range: (_, least, most) => [Math.min(0, least), Math.max(1, most) * 1.05] } },
    axes: [
      { ...axis, values: (_, all) => all.map((one) => days.format(one * 1000)), space: 70 },
      { ...axis, values: (_, all) => all.map((one) => short.format(one)), size: 60 },
    ],
    series: [
      { label: figure.dataset.plot, value: (_, __, ___, index) => index == null ? "–" : heads[index].textContent },
      ...titles.map((label, which) => ({
        label, stroke: style(`--chart-${which + 1}`), width: 2, points: { show: false },
        fill: titles.length === 1 ? style("--brand-soft") : undefined,
        value: (_, value, __, index) => index == null ? "–" : cells[which][index].textContent,
      })),
    ],
  }, [at, ...cells.map((column) => column.map((one) => Number(one.dataset.value)))], place);
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: 260 })).observe(place);
}

for (const figure of document.querySelectorAll("figure[data-plot]")) if (window.uPlot) draw(figure);
