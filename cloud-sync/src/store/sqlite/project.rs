//! From records to the rows that the map and the API read. Each row depends on its record alone; totals are
//! whole numbers, so the order of arrival does not show.

use super::super::StoreError;
use super::super::possible::{CALENDAR_MS, impossible};
use super::sql;
use kompas_field::decision::Decision;
use kompas_field::ids::MissionId;
use kompas_field::record::{Incident, IncidentKind, MissionFinished, MissionStarted, Plants, Track};
use kompas_field::{CellIndex, ClockQuality, Envelope, Payload, PlantClass, RobotInstant, Verdict, WallTime};
use rusqlite::{Transaction, params};
use serde::Serialize;

mod applied;

/// A stored record on its way to the projections.
pub(super) struct Stored<'a> {
    pub(super) arrival: i64,
    pub(super) farm: &'a str,
    pub(super) received: WallTime,
    pub(super) envelope: &'a Envelope,
    pub(super) payload: Option<&'a Payload>,
}

impl Stored<'_> {
    /// The mission's name on every farm: ids have no `/`.
    fn job(&self, mission: &MissionId) -> String {
        format!("{}/{mission}", self.farm)
    }

    fn robot(&self) -> &str {
        self.envelope.key.robot_id.as_str()
    }

    fn boot(&self) -> &str {
        self.envelope.key.boot_id.as_str()
    }

    /// A moment of this boot on the robot's calendar.
    fn wall_ms(&self, moment: RobotInstant) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "a mission's length in milliseconds fits")]
        let later_ms = (moment.since(self.envelope.t_mono).get() * 1e3).round() as i64;
        on_calendar(self.envelope.t_wall.unix_ms().saturating_add(later_ms))
    }

    /// When it was written, on the robot's calendar.
    fn written_ms(&self) -> i64 {
        on_calendar(self.envelope.t_wall.unix_ms())
    }
}

impl Stored<'_> {
    /// When it was written, for telling which of two is the later: never after it was received, and when it was received
    /// where the robot has no clock.
    fn trusted_ms(&self) -> i64 {
        let received = self.received.unix_ms();
        match self.envelope.clock_quality {
            ClockQuality::None => received,
            _ => self.written_ms().min(received),
        }
    }
}

/// A robot's wrong clock is no reason to refuse its record, but every reader must be able to show the date.
fn on_calendar(unix_ms: i64) -> i64 {
    unix_ms.clamp(-CALENDAR_MS, CALENDAR_MS)
}

/// Every stored record, in order of arrival; how many.
pub(super) fn everything(tx: &Transaction<'_>) -> Result<u64, StoreError> {
    let mut statement = tx
        .prepare("SELECT arrival, farm, t_received_ms, wire, kind IS NULL FROM records ORDER BY arrival")
        .map_err(sql("read records"))?;
    let mut rows = statement.query([]).map_err(sql("read records"))?;
    let mut read = 0;
    while let Some(row) = rows.next().map_err(sql("read records"))? {
        let fields = (|| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get::<_, Vec<u8>>(3)?, row.get(4)?))
        })();
        let (arrival, farm, received_ms, wire, unread): (i64, _, _, _, bool) =
            fields.map_err(sql("read records"))?;
        let envelope: Envelope = serde_json::from_slice(&wire)
            .map_err(|source| StoreError::Unreadable { what: "record", source })?;
        // What an earlier program took in without looking stays a record, and is on no map.
        let payload = envelope.open().ok().filter(|payload| impossible(payload).is_none());
        if unread && let Some(payload) = &payload {
            tx.prepare_cached("UPDATE records SET kind = ?2 WHERE arrival = ?1")
                .and_then(|mut flag| flag.execute(params![arrival, payload.kind()]))
                .map_err(sql("note that a record reads now"))?;
        }
        let received = WallTime::from_unix_ms(received_ms);
        record(
            tx,
            &Stored { arrival, farm: &farm, received, envelope: &envelope, payload: payload.as_ref() },
        )?;
        read += 1;
    }
    Ok(read)
}

pub(super) fn record(tx: &Transaction<'_>, stored: &Stored<'_>) -> Result<(), StoreError> {
    robot(tx, stored).map_err(sql("note a robot"))?;
    match stored.payload {
        None => Ok(()),
        Some(Payload::MissionStarted(started)) => mission_started(tx, stored, started),
        Some(Payload::Track(track)) => track_points(tx, stored, track).map_err(sql("store a track")),
        Some(Payload::Plants(plants)) => decided(tx, stored, plants),
        Some(Payload::AsApplied(done)) => applied::store(tx, stored, done),
        Some(Payload::Incident(incident)) => reported(tx, stored, incident),
        Some(Payload::MissionFinished(finished)) => mission_finished(tx, stored, finished),
    }
}

fn robot(tx: &Transaction<'_>, stored: &Stored<'_>) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO robots VALUES (?1, ?2, 1, ?3, ?4) ON CONFLICT DO UPDATE SET records = records + 1,
         last_received_ms = max(last_received_ms, excluded.last_received_ms),
         last_wall_ms = max(last_wall_ms, excluded.last_wall_ms)",
    )?
    .execute(params![stored.farm, stored.robot(), stored.received.unix_ms(), stored.written_ms()])?;
    Ok(())
}

/// Makes the mission known, moves its version on, and tells its key.
fn touch(tx: &Transaction<'_>, stored: &Stored<'_>, mission: &MissionId) -> rusqlite::Result<String> {
    let job = stored.job(mission);
    tx.prepare_cached(
        "INSERT INTO missions
         (job, farm, mission, robot, first_wall_ms, last_wall_ms, last_received_ms, records, arrived, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, 1, ?7, ?7)
         ON CONFLICT DO UPDATE SET version = max(version, excluded.version), records = records + 1,
         first_wall_ms = min(first_wall_ms, excluded.first_wall_ms),
         last_wall_ms = max(last_wall_ms, excluded.last_wall_ms),
         last_received_ms = max(last_received_ms, excluded.last_received_ms)",
    )?
    .execute(params![
        job,
        stored.farm,
        mission.as_str(),
        stored.robot(),
        stored.written_ms(),
        stored.received.unix_ms(),
        stored.arrival
    ])?;
    Ok(job)
}

fn json<T: Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Unreadable { what, source })
}

fn mission_started(
    tx: &Transaction<'_>,
    stored: &Stored<'_>,
    started: &MissionStarted,
) -> Result<(), StoreError> {
    let MissionStarted { mission, field, plan, rig, segmenter } = started;
    let job = touch(tx, stored, mission).map_err(sql("store a mission"))?;
    let (crop, text) = (json("crop", &field.crop)?, json("field", field)?);
    let (crop, area_m2) = (crop.trim_matches('"'), field.boundary.area().get());
    // A mission that began earlier may arrive later, so arrival does not tell; two that began together are told apart by their bytes.
    let fields = "INSERT INTO fields VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE
        SET crop = excluded.crop, area_m2 = excluded.area_m2, json = excluded.json, began_wall_ms = excluded.began_wall_ms
        WHERE (excluded.began_wall_ms, excluded.json) > (began_wall_ms, json)";
    let began_wall_ms = stored.trusted_ms();
    tx.execute(fields, params![stored.farm, field.id.as_str(), crop, area_m2, text, began_wall_ms])
        .map_err(sql("store a field"))?;
    let missions =
        "UPDATE missions SET robot = ?2, plan = ?3, rig = ?4, segmenter = ?5, field = ?6, crop = ?7,
        area_m2 = ?8, field_json = ?9 WHERE job = ?1";
    let id = field.id.as_str();
    tx.execute(
        missions,
        params![job, stored.robot(), plan.as_str(), rig, segmenter, id, crop, area_m2, text],
    )
    .map_err(sql("store a mission"))?;
    Ok(())
}

fn mission_finished(
    tx: &Transaction<'_>,
    stored: &Stored<'_>,
    finished: &MissionFinished,
) -> Result<(), StoreError> {
    let job = touch(tx, stored, &finished.mission).map_err(sql("store a mission's end"))?;
    let text = json("mission's end", finished)?;
    tx.execute("UPDATE missions SET finished = ?2 WHERE job = ?1", params![job, text])
        .map_err(sql("store a mission's end"))?;
    Ok(())
}

fn track_points(tx: &Transaction<'_>, stored: &Stored<'_>, track: &Track) -> rusqlite::Result<()> {
    let job = touch(tx, stored, &track.mission)?;
    let mut insert =
        tx.prepare_cached("INSERT OR REPLACE INTO track VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for point in &track.points {
        insert.execute(params![
            job,
            stored.robot(),
            stored.boot(),
            point.true_at.nanos(),
            point.position.x,
            point.position.y,
            point.heading_deg,
            point.sigma_m
        ])?;
    }
    Ok(())
}

/// The column that counts plants of a class.
const fn column(class: PlantClass) -> &'static str {
    match class {
        PlantClass::Weed => "weeds",
        PlantClass::SugarBeet => "beets",
        PlantClass::Potato => "potatoes",
        PlantClass::Soil | PlantClass::OtherCrop => "others",
    }
}

fn decided(tx: &Transaction<'_>, stored: &Stored<'_>, plants: &Plants) -> Result<(), StoreError> {
    let job = touch(tx, stored, &plants.mission).map_err(sql("store plants"))?;
    for decision in &plants.decisions {
        let text = json("decision", decision)?;
        plant(tx, stored, &job, decision, &text).map_err(sql("store plants"))?;
    }
    Ok(())
}

fn plant(
    tx: &Transaction<'_>,
    stored: &Stored<'_>,
    job: &str,
    decision: &Decision,
    text: &str,
) -> rusqlite::Result<()> {
    let treat = decision.verdict == Verdict::Treat;
    let news = tx
        .prepare_cached(
            "INSERT OR IGNORE INTO plants VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            job,
            stored.robot(),
            stored.boot(),
            decision.plant.0,
            decision.position.x,
            decision.position.y,
            decision.cell.map(|cell| cell.col),
            decision.cell.map(|cell| cell.row),
            decision.class.id(),
            treat,
            stored.wall_ms(decision.decided_at),
            text
        ])?;
    if news == 0 {
        return Ok(()); // decided before: a robot that repeats itself does not count twice
    }
    let column = column(decision.class);
    tx.prepare_cached(&format!(
        "UPDATE missions SET {column} = {column} + 1, treated = treated + ?2 WHERE job = ?1"
    ))?
    .execute(params![job, treat])?;
    if let Some(cell) = decision.cell {
        see(tx, job, cell)?;
        tx.prepare_cached(&format!(
            "UPDATE cells SET {column} = {column} + 1, treated = treated + ?4
             WHERE job = ?1 AND col = ?2 AND row = ?3"
        ))?
        .execute(params![job, cell.col, cell.row, treat])?;
    }
    Ok(())
}

/// Makes the grid cell known and counts it, once.
fn see(tx: &Transaction<'_>, job: &str, cell: CellIndex) -> rusqlite::Result<()> {
    let news = tx
        .prepare_cached("INSERT OR IGNORE INTO cells(job, col, row) VALUES (?1, ?2, ?3)")?
        .execute(params![job, cell.col, cell.row])?;
    if news > 0 {
        tx.prepare_cached("UPDATE missions SET cells_seen = cells_seen + 1 WHERE job = ?1")?
            .execute([job])?;
    }
    Ok(())
}

/// As in the record's key `incident`.
const fn kind(what: &IncidentKind) -> &'static str {
    match what {
        IncidentKind::Closed { .. } => "closed",
        IncidentKind::Reopened => "reopened",
        IncidentKind::FrameUnusable { .. } => "frame_unusable",
        IncidentKind::RecordsDropped { .. } => "records_dropped",
        IncidentKind::RecordsLost { .. } => "records_lost",
        IncidentKind::Resumed { .. } => "resumed",
    }
}

fn reported(tx: &Transaction<'_>, stored: &Stored<'_>, incident: &Incident) -> Result<(), StoreError> {
    let job = incident.mission.as_ref().map(|mission| touch(tx, stored, mission)).transpose();
    let job = job.map_err(sql("store an incident"))?;
    let text = json("incident", incident)?;
    let because = match &incident.what {
        IncidentKind::Closed { because } => Some(json("reason", because)?),
        _ => None,
    };
    tx.execute(
        "INSERT INTO incidents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            stored.farm,
            stored.robot(),
            stored.boot(),
            stored.envelope.key.seq,
            job,
            stored.wall_ms(incident.true_at),
            kind(&incident.what),
            text,
            because.as_ref().map(|because| because.trim_matches('"'))
        ],
    )
    .map_err(sql("store an incident"))?;
    Ok(())
}
