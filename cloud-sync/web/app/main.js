// Fetches, keeps, shows. The page never waits for the map: figures come first.

import { CROP_FROM, PLANTS_FROM, STEPS, makeMap } from "./map.js";
import { day, lang, number, speak, t } from "./text.js";
import { showAge, showEvents, showFacts, showTotals } from "./totals.js";
import { cellPanel, plantPanel } from "./why.js";

const by = id => document.getElementById(id);
/** How often to look for news, and how long to leave the layers alone at the least. */
const LOOK_MS = 2000, LAYERS_MS = 3000;
/** Jobs to choose from: the last ones. An older one comes by its address. */
const JOBS = 100;
/** Incidents that the server tells at once, and how often to ask on: a season of turns, and an end to it. */
const PAGE = 500, PAGES = 10;
/** An answer that takes longer will not come: a half-open connection says nothing for ever. */
const ANSWER_MS = 10_000;

/** The job that the address names; none: the last one. */
const named = () => new URLSearchParams(location.hash.slice(1)).get("job");

const state = { wanted: named(), mission: null, missions: [], status: null, field: null, table: null, incidents: null, contact: true, fetched: 0, drawn: null, shown: null, layersAt: 0, panel: null, squares: "treatment" };
let view = null;

async function get(path) {
  const response = await fetch(path, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(ANSWER_MS) });
  if (!response.ok) throw Object.assign(new Error(`${path}: ${response.status}`), { status: response.status });
  return response.json();
}

const phone = () => matchMedia("(max-width: 760px)").matches;
const padding = () => (phone() ? { top: 24, left: 20, right: 20, bottom: 250 } : { top: 44, left: 372 + 44, right: 60, bottom: 44 });

try {
  view = makeMap("map", padding);
} catch (error) {
  console.error(error);
  by("nomap").hidden = false;
}

/** A job's name is its own on its farm only. */
const nameOf = mission => `${mission.farm}/${mission.mission}`;

/** Where an answer about a job is, the one that is shown unless another is named. */
function about(what, query = {}, { farm, mission } = state.mission) {
  return `api/missions/${encodeURIComponent(mission)}${what && `/${what}`}?${new URLSearchParams({ ...(farm && { farm }), ...query })}`;
}

/** Incidents that were asked for, the last first. A list ends at so many: what is older is asked for from there on. */
async function incidents(wanted, pages, of = state.mission) {
  const found = [];
  for (let page = 0; page < pages && found.length === page * PAGE; page += 1) {
    found.push(...await get(about("incidents", { ...wanted, limit: PAGE, ...(page > 0 && { before: found.at(-1).cursor }) }, of)));
  }
  return found;
}

/** Each incident once. */
const once = found => [...new Map(found.map(one => [one.cursor, one])).values()];

/** The job of that name, or null where the server knows none. A name of before farms has no "/". */
async function jobNamed(name) {
  const [mission, farm] = name.split("/").reverse();
  return get(about("", {}, { farm, mission })).catch(error => {
    if (error.status !== 404 && error.status !== 400) throw error;
    return null;
  });
}

/** What there is, and which job is shown. This alone tells whether there is contact. */
async function news() {
  const [status, missions] = await Promise.all([get("api/status"), get(`api/missions?limit=${JOBS}`)]);
  const { wanted } = state;
  const listed = missions.find(m => nameOf(m) === wanted);
  const older = wanted && !listed ? await jobNamed(wanted) : null;
  if (state.wanted !== wanted) return news(); // another was chosen meanwhile
  const chosen = listed ?? older;
  const shown = missions.filter(m => m.field);
  if (older?.field && !shown.some(m => nameOf(m) === nameOf(older))) shown.push(older);
  Object.assign(state, { status, fetched: performance.now(), contact: true, missions: shown });
  state.mission = shown.find(m => chosen && nameOf(m) === nameOf(chosen)) ?? shown[0] ?? null;
  if (state.mission) state.wanted = nameOf(state.mission);
}

/** Shows the job of that name as soon as it is there; none: the last one. */
function choose(name) {
  if (name === state.wanted) return;
  state.wanted = name;
  state.mission = state.missions.find(m => nameOf(m) === name) ?? state.mission;
  state.layersAt = 0;
  closePanel();
  guarded(refresh());
}

async function refresh() {
  try {
    await news();
  } catch (error) {
    console.warn(error);
    state.contact = false;
    return showAge(state);
  }
  showAge(state);
  showJobs();
  if (!state.mission) return ready();
  showTotals(state.mission);
  showFacts(state.mission, state.status);
  const key = `${nameOf(state.mission)}/${state.mission.version}`;
  if (state.shown !== key && performance.now() - state.layersAt > LAYERS_MS) await layers(key);
}

/** Shows what came; what did not come stays as it was, and is asked for again. */
async function layers(key) {
  const name = nameOf(state.mission);
  state.layersAt = performance.now();
  if (state.drawn !== name) await forget(name);
  const [field, table, track, found] = await Promise.all([
    state.field ?? get(about("field")),
    get(about("cells", { form: "table" })), get(about("track")),
    // What comes by the hundred has a list of its own, so that nothing vanishes behind it: bad pictures, and nozzles
    // shut and open again where the fix comes and goes. Emergency stops come twice, also between the closings.
    Promise.all([incidents({ because: "emergency_stop" }, PAGES), incidents({ kind: "records_dropped,records_lost,resumed" }, PAGES),
      incidents({ kind: "closed,reopened" }, PAGES), incidents({ kind: "frame_unusable" }, 1)]),
  ].map(guarded));
  await view?.loaded;
  if (nameOf(state.mission) !== name) return; // another was chosen meanwhile
  const parts = [field, table, track, found];
  if (found) showEvents(state.incidents = once(found.flat()));
  state.table = table ?? state.table;
  // Known from when it is drawn, not later: by then the field may be another job's.
  const first = field && !state.field;
  state.field = field ?? state.field;
  if (view) {
    if (first) {
      view.set("field", field);
      view.frame(field, false);
    }
    view.paint(state.table, state.squares);
    if (track) view.set("track", track);
    parts.push(...await Promise.all([plants(), openings()].map(part => guarded(part.then(() => true)))));
  }
  if (nameOf(state.mission) !== name) return;
  if (parts.every(Boolean)) state.shown = key;
  ready();
}

/** Nothing of another job stays on the map or in the lists of the one that is `name`d. */
async function forget(name) {
  Object.assign(state, { drawn: name, shown: null, field: null, table: null, incidents: null });
  by("events").replaceChildren();
  closePanel();
  for (const layer of ["plants", "openings"]) leave(layer);
  if (!view) return;
  await view.loaded;
  view.clear();
}

/** Plants of what is in sight; crop plants only where a screen holds few enough of them. */
async function plants() {
  if (!view || !state.mission || !checked("plants")) return;
  const zoom = view.map.getZoom();
  by("zoomhint").hidden = zoom >= CROP_FROM;
  if (zoom < PLANTS_FROM) return leave("plants");
  await inSight("plants", zoom < CROP_FROM ? { only: "unwanted" } : {});
}

async function openings() {
  if (view && state.mission && checked("openings")) await inSight("openings");
}

/** Shows what is in sight of a layer that may be too long to send whole; says so where even that is too long. */
async function inSight(layer, query = {}) {
  const bounds = view.map.getBounds();
  const within = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()].map(d => d.toFixed(7)).join();
  const ask = inSight.asked[layer] = (inSight.asked[layer] ?? 0) + 1;
  const found = await get(about(layer, { within, ...query })).catch(error => {
    if (error.status !== 413) throw error;
    return null;
  });
  if (ask !== inSight.asked[layer]) return; // an older answer may come later
  by(`${layer}-too-much`).hidden = found !== null;
  if (found) view.set(layer, found);
}
inSight.asked = {};

/** What is asked of a layer is not shown any more when it comes, nor that it was too much. */
function leave(layer) {
  by(`${layer}-too-much`).hidden = true;
  inSight.asked[layer] = (inSight.asked[layer] ?? 0) + 1;
}

function ready() {
  const done = () => {
    window.kompasReady = true;
    document.documentElement.dataset.ready = "true";
  };
  if (!view || !state.mission) return done();
  view.map.once("idle", done);
  view.map.triggerRepaint();
}

const checked = name => document.querySelector(`input[name="${name}"]`).checked;

function showJobs() {
  const list = by("job");
  const farms = new Set(state.missions.map(m => m.farm)).size;
  const options = state.missions.map(m => [nameOf(m), `${farms > 1 ? `${m.farm} · ` : ""}${m.field} · ${day(m.first_wall_ms)}`]);
  const text = JSON.stringify(options);
  if (list.dataset.shown !== text) {
    list.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
    list.dataset.shown = text;
  }
  list.value = state.mission ? nameOf(state.mission) : "";
  list.disabled = options.length === 0;
}

function showRamp() {
  const ramp = by("ramp");
  ramp.replaceChildren();
  const steps = STEPS[state.squares];
  if (!steps) return;
  const unit = state.squares === "weeds" ? "" : " ml";
  let from = 0;
  for (const [to, colour] of steps) {
    const [box, swatch] = [document.createElement("div"), document.createElement("i")];
    swatch.style.background = colour;
    const label = to === Infinity ? `> ${number(from)}` : state.squares === "weeds" && to === from + 1 ? number(to)
      : state.squares === "weeds" ? `${number(from + 1)}–${number(to)}` : `${number(from)}–${number(to)}`;
    box.append(swatch, label + unit);
    ramp.append(box);
    from = to;
  }
}

function openPanel(make, geometry) {
  state.panel = make;
  by("because").replaceChildren(make());
  by("why").hidden = false;
  by("sheet").classList.add("asking");
  by("sheet").scrollTop = 0;
  by("why").focus({ preventScroll: true });
  if (geometry) view?.pick(geometry);
}

function closePanel() {
  because.asked += 1;
  state.panel = null;
  by("why").hidden = true;
  by("sheet").classList.remove("asking");
  view?.pick(null);
}

/** Asks why, and shows the answer unless something else was asked or the panel shut meanwhile. */
async function because(what, show) {
  const ask = because.asked += 1;
  const found = await get(about(`${what}/why`));
  if (ask === because.asked) show(found);
}
because.asked = 0;

function whyPlant({ robot, boot, plant }) {
  const name = [robot, boot, plant].map(encodeURIComponent).join("/");
  return because(`plants/${name}`, found => openPanel(() => plantPanel(found), { type: "Point", coordinates: found.lon_lat }));
}

function whyCell(cell) {
  return because(`cells/${cell.col}/${cell.row}`, found => openPanel(() => cellPanel(found, plant => guarded(whyPlant(plant))), cell.geometry));
}

/** A part that fails takes nothing else with it. */
async function guarded(part) {
  try {
    return await part;
  } catch (error) {
    return console.warn(error);
  }
}

function translate(next) {
  speak(next);
  by("nomap").textContent = t.nomap;
  by("job").dataset.shown = "";
  showJobs();
  showRamp();
  if (state.mission) {
    showTotals(state.mission);
    showFacts(state.mission, state.status);
    if (state.incidents) showEvents(state.incidents);
  }
  showAge(state);
  if (state.panel) by("because").replaceChildren(state.panel());
}

for (const button of document.querySelectorAll("[data-lang]")) button.addEventListener("click", () => translate(button.dataset.lang));
by("grip").addEventListener("click", () => by("grip").setAttribute("aria-expanded", String(by("sheet").classList.toggle("open"))));
by("close").addEventListener("click", closePanel);
addEventListener("keydown", event => event.key === "Escape" && closePanel());
by("job").addEventListener("change", () => {
  choose(by("job").value);
  location.hash = `job=${encodeURIComponent(by("job").value)}`;
});
// Back and forward, and an address that is pasted.
addEventListener("hashchange", () => choose(named()));
by("squares").addEventListener("change", event => {
  state.squares = event.target.value;
  showRamp();
  view?.paint(state.table, state.squares);
});
for (const name of ["plants", "track", "openings"]) {
  document.querySelector(`input[name="${name}"]`).addEventListener("change", async event => {
    view?.show(name, event.target.checked);
    if (name === "track") return;
    if (event.target.checked) guarded({ plants, openings }[name]());
    else leave(name);
  });
}

view?.loaded.then(() => {
  view.map.on("moveend", () => guarded(Promise.all([plants(), openings()])));
  view.map.on("click", event => {
    const near = 8;
    const box = [[event.point.x - near, event.point.y - near], [event.point.x + near, event.point.y + near]];
    const hits = view.map.queryRenderedFeatures(box, { layers: ["unwanted", "crop"] });
    const away = f => { const p = view.map.project(f.geometry.coordinates); return Math.hypot(p.x - event.point.x, p.y - event.point.y); };
    const hit = hits.sort((a, b) => away(a) - away(b))[0];
    // From far away a finger means the square, close by it means the plant.
    if (hit && view.map.getZoom() >= CROP_FROM) return guarded(whyPlant(hit.properties));
    const cell = view.cellAt(event.lngLat);
    if (cell && state.mission) guarded(whyCell(cell)); else closePanel();
  });
  for (const layer of ["unwanted", "crop"]) {
    view.map.on("mouseenter", layer, () => (view.map.getCanvas().style.cursor = "pointer"));
    view.map.on("mouseleave", layer, () => (view.map.getCanvas().style.cursor = ""));
  }
});

async function run() {
  for (;;) {
    if (!document.hidden) await guarded(refresh());
    showAge(state);
    await new Promise(resolve => setTimeout(resolve, LOOK_MS));
  }
}

translate(lang);
setInterval(() => showAge(state), 1000);
/** For tests and pictures: where a place of the field is on the screen, and the map itself. */
window.kompas = { view, state, project: (lng, lat) => view.map.project([lng, lat]) };
run();
