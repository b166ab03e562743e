// The figures: what was used, against what spraying everything would have used.

import { ago, amount, clock, moment, number, percent, t } from "./text.js";
import { products } from "./why.js";

const NEARLY_ALL = 0.9;

const by = id => document.getElementById(id);

function entry(list, term, value, kind) {
  const box = document.createElement("div");
  const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
  if (kind) box.className = kind;
  [dt.textContent, dd.textContent] = [term, value];
  box.append(dt, dd); // the figure is drawn above its name
  list.append(box);
}

export function showTotals(mission) {
  // A job is compared with the ground where it has seen anything, never with more: others may do the rest. Where it
  // is done and has seen nearly all, the rest is ground on which nothing grows.
  const all = mission.finished?.completed === true && mission.cells_seen > NEARLY_ALL * mission.area_m2;
  const ha = (all ? mission.area_m2 : Math.min(mission.area_m2, mission.cells_seen)) / 1e4;
  // What landed on wetted ground, on average: spraying everything would have given all of it as much.
  const rate = mission.wetted_m2 > 0 ? 1e4 * mission.volume_l / mission.wetted_m2 : 0;
  // Where a nozzle crosses ground twice more may land than spraying everything once would take: nothing is saved then.
  const whole = rate > 0 && ha > 0 ? Math.max(ha * rate, mission.volume_l) : 0;
  const share = whole > 0 ? mission.volume_l / whole : 0;
  const saving = by("saving");
  saving.replaceChildren();
  if (mission.volume_l > 0 && whole > 0) {
    const [b, span] = [document.createElement("b"), document.createElement("span")];
    [b.textContent, span.textContent] = [percent(Math.max(0, 1 - share)), t.less];
    saving.append(b, span);
    // Only numbers of our own making go in here.
    by("versus").innerHTML = t.versus(amount(mission.volume_l), amount(whole), number(rate), all ? null : amount(ha));
  } else {
    const span = document.createElement("span");
    span.textContent = t.not_treated;
    saving.append(span);
    by("versus").textContent = "";
  }
  by("barline").firstElementChild.style.width = `${Math.min(100, share * 100)}%`;

  const figures = by("figures");
  figures.replaceChildren();
  entry(figures, t.f_treated, number(mission.treated), "hit");
  entry(figures, t.f_squares, number(mission.cells_treated), "hit");
  entry(figures, t.f_unwanted, number(mission.unwanted), "seen");
  entry(figures, t.f_plants, number(mission.plants), "kept");
  entry(figures, t.f_area, `${number(mission.area_m2 / 1e4, 2)} ha`);
  entry(figures, t.f_records, number(mission.records));
}

/** Why nothing arrives although the server answers; empty where nothing is known to be wrong. */
function troubleOf({ status, contact }) {
  const { store_trouble: store, online, why_offline: away } = (contact && status?.ingest) || {};
  if (store) return /disk is full/.test(store) ? t.disk_full : t.store_trouble(store);
  return online === false && away ? t.broker_away(away) : "";
}

/** Where it is read aloud, each text is told once. */
function tell(line, text) {
  if (line.textContent !== text) line.textContent = text;
}

export function showAge(state) {
  const age = by("age");
  const { mission, status, contact, fetched } = state;
  const trouble = troubleOf(state);
  tell(by("trouble"), trouble);
  // An age is not news every second, lost contact is.
  age.setAttribute("aria-live", contact ? "off" : "polite");
  by("empty").hidden = mission !== null || !status || !contact || trouble !== "";
  if (!mission) {
    age.className = contact ? "age" : "age cut";
    tell(age.lastElementChild, contact ? "" : t.unreachable);
    return;
  }
  const since = (status.now_ms - mission.last_received_ms + (performance.now() - fetched)) / 1e3;
  const words = ago(since);
  const live = contact && !mission.finished && since < 30;
  age.className = contact ? (live ? "age live" : "age") : "age cut";
  tell(age.lastElementChild, !contact
    ? t.cut(clock(Date.now() - (performance.now() - fetched)))
    : !mission.finished ? t.age(words) : mission.finished.completed ? t.done(words) : t.stopped(words));
}

/** Without the turns: there the nozzles shut by plan, and open again. The first ones first. */
function withoutTurns(incidents) {
  const shut = {};
  return incidents.filter(({ incident, because, robot }) => {
    const turn = because === "implement_off";
    if (incident === "closed") shut[robot] = turn ? shut[robot] ?? "turn" : "fault";
    if (incident !== "reopened") return !turn;
    const was = shut[robot];
    delete shut[robot];
    return was !== "turn";
  });
}

/** The last ones first; bad pictures in a row are one event. */
function grouped(incidents) {
  const events = [];
  const byTime = [...incidents].sort((a, b) => b.at_wall_ms - a.at_wall_ms);
  for (const one of withoutTurns(byTime.reverse()).reverse()) {
    const last = events.at(-1);
    if (one.incident === "frame_unusable" && last?.incident === "frame_unusable") {
      last.count += 1;
      last.from_wall_ms = one.at_wall_ms;
    } else events.push({ ...one, count: 1 });
  }
  return events;
}

/** What a person must see, however much came after it. */
const always = one => one.because === "emergency_stop" || ["records_dropped", "records_lost"].includes(one.incident);

export function showEvents(incidents) {
  const list = by("events");
  list.replaceChildren();
  let room = 12;
  for (const one of grouped(incidents).filter(one => always(one) || room-- > 0)) {
    const [item, time] = [document.createElement("li"), document.createElement("time")];
    const tell = one.count > 1 ? t.frames_unusable : t.incidents[one.incident];
    const words = { ...one, count: number(one.count), because: t.because[one.because] ?? one.because };
    time.textContent = one.count > 1 ? `${moment(one.from_wall_ms)} – ${moment(one.at_wall_ms)}` : moment(one.at_wall_ms);
    if (one.incident !== "reopened" && one.incident !== "resumed") item.className = "bad";
    item.append(time, tell ? tell(words) : one.incident);
    list.append(item);
  }
  if (!list.hasChildNodes()) list.textContent = t.no_events;
}

export function showFacts(mission, status) {
  const list = by("facts");
  list.replaceChildren();
  const fact = (term, value) => {
    const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
    [dt.textContent, dd.textContent] = [term, value];
    list.append(dt, dd);
  };
  fact(t.crop, t.crops[mission.crop] ?? mission.crop);
  fact(t.product, products(mission.products));
  fact(t.started, moment(mission.first_wall_ms));
  if (mission.finished) fact(t.driven, `${number(mission.finished.driven_m)} m`);
  fact(t.robot, mission.robot);
  fact(t.rig, mission.rig ?? "");
  fact(t.segmenter, mission.segmenter?.startsWith("exg") ? t.exg : (mission.segmenter ?? ""));
  fact(t.plan, mission.plan ?? "");
  const disputed = status.robots.filter(one => one.disputed > 0).map(one => one.robot);
  if (disputed.length > 0) fact(t.disputed, disputed.join(", "));
  if (status.counts.unread > 0) fact(t.unread, number(status.counts.unread));
  if (status.counts.quarantined > 0) fact(t.quarantine, number(status.counts.quarantined));
}
