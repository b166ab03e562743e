// The answer to "why?": the rule that decided, with its numbers, in one sentence.

import { amount, apart, moment, number, percent, t } from "./text.js";

const make = (tag, text, kind) => {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (kind) element.className = kind;
  return element;
};

/** What was sprayed, each once; none is water. */
export const products = list => [...new Set(list.map(product => product || t.water))].join(", ") || "–";

/** What was measured, beside the limit that decided where there is one: below it must not read as if at it. */
function measured({ confidence, wanted, area_cm2, wanted_cm2, distance_m = 0, wanted_m = 0 }) {
  const beside = (value, limit, write, digits) => (typeof limit === "number" ? apart(value, limit, write, digits) : [write(value, digits), ""]);
  const [conf, wantedConf] = beside(confidence, wanted, percent, 0);
  const [area, wantedArea] = beside(area_cm2, wanted_cm2, number, 1);
  const [distance, wantedDistance] = beside(distance_m * 100, wanted_m * 100, number, 1);
  return { conf, wantedConf, area, wantedArea, distance, wanted: wantedDistance };
}

/** The sentence for a decision, as the API tells it. */
export function sentence(plant) {
  const rule = t.rules[plant.rule];
  if (!rule) return plant.rule;
  const what = t.roles[plant.role_here] ?? t.classes[plant.class];
  return rule({
    what, role: plant.role ?? plant.role_here, cls: t.classes[plant.class] ?? plant.class,
    ...measured(plant), rate: number(plant.rate_l_per_ha), late: number(plant.late_ms ?? 0),
    because: t.because[plant.because] ?? plant.because,
  });
}

const dotOf = plant => {
  if (plant.role_here === "crop" || plant.role_here === "stray_crop") return "dot crop";
  if (plant.verdict !== "treat") return "dot left";
  return plant.role_here === "volunteer" ? "dot volunteer" : "dot hit";
};

/** Counted from 1, as people count; neighbours as a range. */
export function nozzles(list) {
  const runs = [];
  for (const nozzle of [...new Set(list)].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.to === nozzle - 1) last.to = nozzle;
    else runs.push({ from: nozzle, to: nozzle });
  }
  const text = ({ from, to }) => (from === to ? `${from + 1}` : `${from + 1}${to === from + 1 ? ", " : "–"}${to + 1}`);
  return runs.map(text).join(", ") || "–";
}

function facts(pairs) {
  const list = make("dl");
  for (const [term, value] of pairs) {
    const dd = make("dd");
    dd.append(value);
    list.append(make("dt", term), dd);
  }
  return list;
}

function meter(share, told) {
  const span = make("span");
  const bar = make("span", undefined, "meter");
  const fill = make("b");
  fill.style.width = `${share * 100}%`;
  bar.append(fill);
  span.append(bar, told);
  return span;
}

export function plantPanel(plant) {
  const box = make("div", undefined, "because");
  const { conf, area } = measured(plant);
  const treat = plant.verdict === "treat";
  box.append(make("div", treat ? t.treat : t.leave, treat ? "verdict" : "verdict left"));
  box.append(make("h1", t.roles[plant.role_here] ?? t.classes[plant.class]));
  const rule = make("p", undefined, "rule");
  rule.append(make("strong", t.why), ` ${sentence(plant)}`);
  box.append(rule);
  box.append(facts([
    [t.class, t.classes[plant.class] ?? plant.class],
    [t.confidence, meter(plant.confidence, conf)],
    [t.area, `${area} cm²`],
    [t.dose, plant.rate_l_per_ha > 0 ? `${number(plant.rate_l_per_ha)} l/ha` : t.no_dose],
    [t.nozzles, nozzles(plant.nozzles)],
    [t.product, products(treat ? plant.openings.map(o => o.product) : [])],
    [t.time, moment(plant.decided_wall_ms)],
    [t.frames, number(plant.frames_seen)],
    [t.place, `${plant.lon_lat[1].toFixed(7)}, ${plant.lon_lat[0].toFixed(7)}`], // with points: maps take it as it is
  ]));
  return box;
}

export function cellPanel(cell, pick) {
  const box = make("div", undefined, "because");
  const treated = cell.plants.filter(plant => plant.verdict === "treat").length;
  const opened = cell.openings.length > 0;
  box.append(make("div", opened ? t.treat : t.leave, opened ? "verdict" : "verdict left"));
  box.append(make("h1", t.grid_cell(cell.col, cell.row), "cell"));
  const nothing = cell.plants.length === 0 && !opened;
  const sum = nothing ? t.seen_nothing : t.cell_sum(cell.plants.length, treated);
  const spray = opened
    ? ` ${t.openings_here(cell.openings.length, amount(cell.openings.reduce((ml, o) => ml + o.here_ml, 0)))}`
    : "";
  box.append(make("p", sum + spray, "rule"));
  if (opened) {
    box.append(facts([
      [t.nozzles, nozzles(cell.openings.map(o => o.nozzle))],
      [t.product, products(cell.openings.map(o => o.product))],
      [t.opened, moment(cell.openings[0].opened_wall_ms)],
    ]));
  }
  if (cell.plants.length > 0) {
    box.append(make("h3", t.plants_here));
    const list = make("ul", undefined, "list");
    // What a person asks about first: the unwanted ones.
    const rank = plant => (dotOf(plant) === "dot crop" ? 1 : 0);
    for (const plant of [...cell.plants].sort((a, b) => rank(a) - rank(b))) {
      const [item, button] = [make("li"), make("button")];
      button.type = "button";
      button.append(make("i", undefined, dotOf(plant)), make("strong", t.roles[plant.role_here] ?? t.classes[plant.class]));
      button.append(make("small", sentence(plant)));
      button.addEventListener("click", () => pick(plant));
      item.append(button);
      list.append(item);
    }
    box.append(list);
  }
  return box;
}
