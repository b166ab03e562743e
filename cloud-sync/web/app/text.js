// Dutch first, English too. Every sentence of the page is here, so that a person can check them together.

const NL = {
  job: "Opdracht", more: "Meer of minder tonen", squares: "Per vierkante meter", treatment: "Bespoten",
  weeds: "Onkruid", none: "Uit", show: "Op de kaart", plants: "Planten", track: "Rijspoor",
  openings: "Dopopeningen", key_hit: "onkruid, bespoten", key_volunteer: "aardappelopslag, bespoten",
  key_left: "ongewenst, niet bespoten", key_crop: "gewas, beschermd",
  zoom_for_crop: "Zoom in om ook elke gewasplant te zien.", too_much: "Te veel om te tekenen: zoom in.", events: "Meldingen", about: "Over deze opdracht",
  close: "Terug", empty_title: "Nog geen opdracht ontvangen",
  empty_text: "Zodra een robot begint, staat zijn perceel hier. De robot bewaart alles tot er verbinding is.",
  nomap: "Deze browser kan de kaart niet tekenen (WebGL staat uit). De cijfers en meldingen kloppen wel.",
  less: "minder middel dan volvelds", not_treated: "Nog niets bespoten",
  versus: (used, whole, rate, ha) => `<strong>${used} l</strong> gespoten; volvelds zou <strong>${whole} l</strong> zijn (${rate} l/ha op ${ha ? `de ${ha} ha van deze opdracht` : "het hele perceel"}).`,
  f_area: "perceel", f_plants: "planten gezien", f_unwanted: "ongewenst", f_treated: "bespoten planten",
  f_squares: "m² met een dop open", f_records: "records van deze opdracht",
  age: t => `Laatst bijgewerkt: ${t}`, done: t => `Klaar. Laatste bericht: ${t}`, stopped: t => `Afgebroken. Laatste bericht: ${t}`,
  cut: t => `Geen contact met de server; dit is van ${t}`, unreachable: "Geen contact met de server. Deze pagina blijft het proberen.", now: "zojuist",
  disk_full: "De schijf van de server is vol: er komt niets meer bij. De robots bewaren hun records. Maak ruimte vrij op de server.",
  store_trouble: why => `De server kan niets opslaan (${why}): er komt niets meer bij. De robots bewaren hun records. Kijk in het log van de server.`,
  broker_away: why => `De server bereikt de broker niet (${why}): er komt niets van de robots binnen. Zij bewaren hun records. Kijk of de broker draait en bereikbaar is.`,
  grid_cell: (c, r) => `Vierkante meter ${c}, ${r}`, treat: "Bespoten", leave: "Niet bespoten",
  seen_nothing: "Hier is geen plant gezien en geen dop open geweest.",
  cell_sum: (n, t) => `${n === 1 ? "1 plant" : `${n} planten`} gezien, ${t} bespoten.`,
  openings_here: (n, ml) => `${n === 1 ? "1 dopopening" : `${n} dopopeningen`} in deze vierkante meter, samen ${ml} ml.`,
  class: "Gezien als", confidence: "Zekerheid", dose: "Dosering", area: "Bladoppervlak", time: "Besloten om", opened: "Gespoten om",
  nozzles: "Doppen (van links)", frames: "In beelden gezien", product: "Middel", place: "Plaats", no_dose: "geen",
  why: "Waarom?", plants_here: "Planten in deze vierkante meter", water: "water (geen middel ingevoerd)",
  rig: "Machine", segmenter: "Herkenning", plan: "Plan", robot: "Robot", started: "Begonnen", driven: "Gereden",
  crop: "Gewas", quarantine: "Apart gezet (alle opdrachten)",
  disputed: "Twee robots met één naam, of een gekopieerde of nieuwe outbox",
  unread: "Nog niet te lezen, werk de cloud bij", no_events: "Geen meldingen.",
  exg: "groenindex, zonder model: neemt elke plant voor onkruid en raakt ook het gewas",
  classes: { weed: "onkruid", sugar_beet: "suikerbiet", potato: "aardappel", other_crop: "ander gewas", soil: "grond" },
  crops: { sugar_beet: "suikerbieten", potato: "aardappelen", other: "ander gewas" },
  roles: { weed: "Onkruid", volunteer: "Aardappelopslag", crop: "Gewasplant", stray_crop: "Ander gewas" },
  rules: {
    treat_unwanted: p => `${p.what}, ${p.conf} zeker en groot genoeg (${p.area} cm² blad). De regel: behandelen, met ${p.rate} l/ha op de natte grond.`,
    protect_crop: p => p.role === "stray_crop"
      ? "Een cultuurplant van een ander gewas dan hier groeit. Niet zeker genoeg ongewenst: hij blijft staan."
      : `Dit is het gewas (${p.cls}). Gewas wordt nooit bespoten.`,
    crop_too_close: p => `${p.what}, maar ${p.distance} cm van een gewasplant. Er is ${p.wanted} cm nodig om het gewas niet te raken.`,
    confidence_too_low: p => `Waarschijnlijk ${p.cls}, maar slechts ${p.conf} zeker. Behandelen mag vanaf ${p.wantedConf}.`,
    too_small: p => `${p.what}, maar te klein: ${p.area} cm² blad. Behandelen loont vanaf ${p.wantedArea} cm².`,
    cell_not_prescribed: () => "Het plan geeft deze vierkante meter geen middel.",
    too_late: p => `Te laat gezien: de dop had ${p.late} ms eerder open moeten gaan.`,
    out_of_reach: () => "Op deze werkgang komt er geen dop overheen.",
    closed: p => `De bewaking hield de doppen dicht: ${p.because}.`,
  },
  because: {
    emergency_stop: "de noodstop is ingedrukt", mission_not_treating: "de robot was niet aan het behandelen",
    recorder_unavailable: "er kon niets worden vastgelegd", boom_unavailable: "de spuitboom antwoordde niet",
    pose_stale: "de positie was te oud", fix_too_poor: "de gps-kwaliteit was te laag",
    position_error_too_large: "de positiefout was te groot", position_jumped: "de positie versprong",
    camera_stale: "de camera gaf geen bruikbaar beeld", outside_geofence: "de nevel zou buiten het perceel of in een uitsluiting vallen",
    too_fast: "de robot reed te snel voor de boom",
    too_slow: "de robot stond erboven stil, of reed te langzaam voor de dosering", implement_off: "hier behandelt het plan niet (keren of rijden)",
  },
  frames_unusable: p => `${p.count} beelden achter elkaar onbruikbaar, het laatste: ${p.cause}.`,
  incidents: {
    closed: p => `Doppen dicht: ${p.because}.`, reopened: () => "Doppen mogen weer open.",
    frame_unusable: p => `Beeld ${p.frame} onbruikbaar: ${p.cause}.`,
    records_dropped: p => `${p.records === 1 ? "1 record" : `${number(p.records)} records`} opgegeven: de wachtrij op de robot was vol (records.waiting_mb). Hij had te lang geen verbinding.`,
    records_lost: p => `${p.records === 1 ? "1 record" : `${p.records ? number(p.records) : "Alle wachtende"} records`} verloren: de schijf van de robot is beschadigd. Wat er nog van over is, staat op de robot in ${p.kept_in}.`,
    resumed: () => "Robot opnieuw gestart; de opdracht gaat verder.",
  },
};

const EN = {
  job: "Job", more: "Show more or less", squares: "Per square metre", treatment: "Sprayed", weeds: "Weeds",
  none: "Off", show: "On the map", plants: "Plants", track: "Track", openings: "Nozzle openings",
  key_hit: "weed, sprayed", key_volunteer: "volunteer potato, sprayed", key_left: "unwanted, not sprayed",
  key_crop: "crop, protected", zoom_for_crop: "Zoom in to see every crop plant too.", too_much: "Too much to draw: zoom in.", events: "Messages",
  about: "About this job", close: "Back", empty_title: "No job received yet",
  empty_text: "As soon as a robot starts, its field appears here. The robot keeps everything until there is a connection.",
  nomap: "This browser cannot draw the map (WebGL is off). The figures and messages are right.",
  less: "less product than spraying all", not_treated: "Nothing sprayed yet",
  versus: (used, whole, rate, ha) => `<strong>${used} l</strong> sprayed; spraying all would take <strong>${whole} l</strong> (${rate} l/ha on ${ha ? `the ${ha} ha of this job` : "the whole field"}).`,
  f_area: "field", f_plants: "plants seen", f_unwanted: "unwanted", f_treated: "plants sprayed",
  f_squares: "m² with a nozzle open", f_records: "records of this job",
  age: t => `Last updated: ${t}`, done: t => `Done. Last message: ${t}`, stopped: t => `Stopped early. Last message: ${t}`,
  cut: t => `No contact with the server; this is from ${t}`, unreachable: "No contact with the server. This page keeps trying.", now: "just now",
  disk_full: "The server's disk is full: nothing is added any more. The robots keep their records. Free some space on the server.",
  store_trouble: why => `The server cannot store anything (${why}): nothing is added any more. The robots keep their records. See the server's log.`,
  broker_away: why => `The server does not reach the broker (${why}): nothing comes in from the robots. They keep their records. See whether the broker runs and can be reached.`,
  grid_cell: (c, r) => `Square metre ${c}, ${r}`, treat: "Sprayed", leave: "Not sprayed",
  seen_nothing: "No plant was seen here and no nozzle opened.",
  cell_sum: (n, t) => `${n === 1 ? "1 plant" : `${n} plants`} seen, ${t} sprayed.`,
  openings_here: (n, ml) => `${n === 1 ? "1 nozzle opening" : `${n} nozzle openings`} in this square metre, ${ml} ml together.`,
  class: "Seen as", confidence: "Certainty", dose: "Dose", area: "Leaf area", time: "Decided at", opened: "Sprayed at",
  nozzles: "Nozzles (from the left)", frames: "Seen in frames", product: "Product", place: "Place", no_dose: "none",
  why: "Why?", plants_here: "Plants in this square metre", water: "water (no product entered)",
  rig: "Machine", segmenter: "Recognition", plan: "Plan", robot: "Robot", started: "Started", driven: "Driven",
  crop: "Crop", quarantine: "Set apart (all jobs)",
  disputed: "Two robots of one name, or a copied or new outbox",
  unread: "Not readable yet, update the cloud", no_events: "No messages.",
  exg: "excess green, no model: takes every plant for a weed and hits the crop too",
  classes: { weed: "weed", sugar_beet: "sugar beet", potato: "potato", other_crop: "other crop", soil: "soil" },
  crops: { sugar_beet: "sugar beet", potato: "potato", other: "other crop" },
  roles: { weed: "Weed", volunteer: "Volunteer potato", crop: "Crop plant", stray_crop: "Other crop" },
  rules: {
    treat_unwanted: p => `${p.what}, ${p.conf} certain and large enough (${p.area} cm² of leaf). The rule: treat, with ${p.rate} l/ha on wetted ground.`,
    protect_crop: p => p.role === "stray_crop"
      ? "A cultivated plant of another kind than grows here. Not certainly unwanted: it stays."
      : `This is the crop (${p.cls}). Crop is never sprayed.`,
    crop_too_close: p => `${p.what}, but ${p.distance} cm from a crop plant. It takes ${p.wanted} cm not to hit the crop.`,
    confidence_too_low: p => `Probably ${p.cls}, but only ${p.conf} certain. Treating starts at ${p.wantedConf}.`,
    too_small: p => `${p.what}, but too small: ${p.area} cm² of leaf. Treating pays from ${p.wantedArea} cm².`,
    cell_not_prescribed: () => "The plan gives this square metre no product.",
    too_late: p => `Seen too late: the nozzle should have opened ${p.late} ms earlier.`,
    out_of_reach: () => "No nozzle passes over it on this swath.",
    closed: p => `The guard kept the nozzles shut: ${p.because}.`,
  },
  because: {
    emergency_stop: "the emergency stop is pressed", mission_not_treating: "the robot was not treating",
    recorder_unavailable: "nothing could be recorded", boom_unavailable: "the boom did not answer",
    pose_stale: "the position was too old", fix_too_poor: "the GNSS quality was too low",
    position_error_too_large: "the position error was too large", position_jumped: "the position jumped",
    camera_stale: "the camera gave no usable image", outside_geofence: "the spray would fall outside the field or in an exclusion",
    too_fast: "the robot drove too fast for the boom",
    too_slow: "the robot stood over it, or drove too slowly for the dose", implement_off: "the plan does not treat here (turning or driving)",
  },
  frames_unusable: p => `${p.count} frames in a row unusable, the last one: ${p.cause}.`,
  incidents: {
    closed: p => `Nozzles shut: ${p.because}.`, reopened: () => "Nozzles may open again.",
    frame_unusable: p => `Frame ${p.frame} unusable: ${p.cause}.`,
    records_dropped: p => `${p.records === 1 ? "1 record" : `${number(p.records)} records`} given up: the robot's queue was full (records.waiting_mb). It had no connection for too long.`,
    records_lost: p => `${p.records === 1 ? "1 record" : `${p.records ? number(p.records) : "All waiting"} records`} lost: the robot's disk is damaged. What is left is on the robot, in ${p.kept_in}.`,
    resumed: () => "Robot started again; the job goes on.",
  },
};

const asked = new URLSearchParams(location.search).get("lang");
let remembered = null;
try { remembered = localStorage.getItem("lang"); } catch { /* private mode: not remembered */ }
export let lang = [asked, remembered].find(l => l === "nl" || l === "en") ?? "nl";
export let t = lang === "en" ? EN : NL;

export function speak(next) {
  lang = next;
  t = lang === "en" ? EN : NL;
  try { localStorage.setItem("lang", lang); } catch { /* private mode: not remembered */ }
  document.documentElement.lang = lang;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t[element.dataset.t];
  for (const button of document.querySelectorAll("[data-lang]")) {
    button.setAttribute("aria-pressed", String(button.dataset.lang === lang));
  }
}

const locale = () => (lang === "en" ? "en-GB" : "nl-NL");
export const number = (value, digits = 0) =>
  new Intl.NumberFormat(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);
/** Three significant digits at most: what a tank gauge would show. */
export const amount = value => number(value, value >= 100 ? 0 : value >= 10 ? 1 : value >= 0.1 || value === 0 ? 2 : 3);
/** What is not all is never told as all. */
export const percent = (share, digits = 0) => {
  const nearly = share < 1 && share > 0.995 && digits === 0;
  return `${nearly ? number(Math.floor(share * 1000) / 10, 1) : number(share * 100, digits)}\u00a0%`;
};

/** Two values as `write` tells them, with more digits where rounding would make one of them the other. */
export function apart(one, other, write, digits) {
  for (let more = digits; ; more += 1) {
    const told = [write(one, more), write(other, more)];
    if (told[0] !== told[1] || one === other || more >= digits + 6) return told;
  }
}
export const moment = ms => new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" }).format(ms);
export const clock = ms => new Intl.DateTimeFormat(locale(), { timeStyle: "medium" }).format(ms);
export const day = ms => new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }).format(ms);

/** "3 seconden geleden", in steps that a person thinks in. */
export function ago(seconds) {
  if (seconds < 5) return t.now;
  const speakable = new Intl.RelativeTimeFormat(locale(), { numeric: "always" });
  const steps = [[60, 1, "second"], [3600, 60, "minute"], [86400, 3600, "hour"], [Infinity, 86400, "day"]];
  const [, size, unit] = steps.find(([below]) => seconds < below);
  return speakable.format(-Math.floor(seconds / size), unit);
}
