//! Queries.

use super::super::{
    CellRange, CellView, FieldView, IncidentChoice, IncidentView, MissionKey, OpeningView, PlantView,
    QuarantineView, RobotView, StoreCounts, StoreError, TrackView,
};
use super::{SqliteStore, sql};
use kompas_field::ids::{FarmId, FieldId};
use kompas_field::record::NozzleOpening;
use kompas_field::{CellIndex, Field, FieldCrop, PlantClass, Point2};
use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde::de::DeserializeOwned;

mod missions;

use missions::Tally;
pub(super) use missions::{farms_with, mission, missions};

type Rows<T> = rusqlite::Result<Vec<T>>;

fn parse<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Unreadable { what, source })
}

fn list<T>(
    db: &Connection,
    query: &str,
    with: impl Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Rows<T> {
    db.prepare_cached(query)?.query_map(with, read)?.collect()
}

/// Every open page asks this every two seconds: it must not read the history.
const COUNTS: &str = "SELECT (SELECT coalesce(sum(records), 0) FROM robots),
    (SELECT count(*) FROM records WHERE kind IS NULL), (SELECT count(*) FROM records WHERE disputed),
    (SELECT count(*) FROM quarantine)";

pub(super) fn counts(db: &Connection) -> rusqlite::Result<StoreCounts> {
    db.prepare_cached(COUNTS)?.query_row([], |r| {
        Ok(StoreCounts { records: r.get(0)?, unread: r.get(1)?, disputed: r.get(2)?, quarantined: r.get(3)? })
    })
}

pub(super) fn robots(db: &Connection) -> Rows<RobotView> {
    let query =
        "SELECT robot, farm, records, last_received_ms, last_wall_ms, (SELECT count(*) FROM records r
         WHERE r.disputed AND r.farm = robots.farm AND r.robot = robots.robot) FROM robots ORDER BY farm, robot";
    list(db, query, [], |r| {
        Ok(RobotView {
            robot: r.get(0)?,
            farm: r.get(1)?,
            records: r.get(2)?,
            disputed: r.get(5)?,
            last_received_ms: r.get(3)?,
            last_wall_ms: r.get(4)?,
        })
    })
}

pub(super) fn fields(db: &Connection) -> Rows<FieldView> {
    let query = "SELECT farm, field, crop, area_m2,
        (SELECT count(*) FROM missions m WHERE m.farm = f.farm AND m.field = f.field),
        (SELECT max(last_wall_ms) FROM missions m WHERE m.farm = f.farm AND m.field = f.field)
        FROM fields f ORDER BY farm, field";
    list(db, query, [], |r| {
        Ok(FieldView {
            farm: r.get(0)?,
            field: r.get(1)?,
            crop: r.get(2)?,
            area_m2: r.get(3)?,
            missions: r.get(4)?,
            last_wall_ms: r.get(5)?,
        })
    })
}

pub(super) fn field(db: &Connection, farm: &FarmId, id: &FieldId) -> Result<Option<Field>, StoreError> {
    let query = "SELECT json FROM fields WHERE farm = ?1 AND field = ?2";
    let text: Option<String> = db
        .query_row(query, [farm.as_str(), id.as_str()], |r| r.get(0))
        .optional()
        .map_err(sql("read a field"))?;
    text.map(|text| parse("field", &text)).transpose()
}

pub(super) fn field_of(db: &Connection, job: &MissionKey) -> Result<Option<Field>, StoreError> {
    let text: Option<String> = db
        .query_row("SELECT field_json FROM missions WHERE job = ?1", [job.to_string()], |r| r.get(0))
        .optional()
        .map_err(sql("read a mission's field"))?
        .flatten();
    text.map(|text| parse("field", &text)).transpose()
}

impl SqliteStore {
    /// What grows where the mission works; unknown until the record that says so has arrived.
    pub(super) fn crop_of(&self, job: &MissionKey) -> Result<Option<FieldCrop>, StoreError> {
        let query = "SELECT crop FROM missions WHERE job = ?1";
        let crop: Option<String> = self
            .db
            .query_row(query, [job.to_string()], |r| r.get(0))
            .optional()
            .map_err(sql("read a crop"))?
            .flatten();
        crop.map(|crop| parse("crop", &format!("\"{crop}\""))).transpose()
    }
}

pub(super) fn cells(db: &Connection, job: &MissionKey, crop: Option<FieldCrop>) -> Rows<CellView> {
    let query = "SELECT col, row, treated, openings, volume_ul, weeds, beets, potatoes, others FROM cells
        WHERE job = ?1 ORDER BY col, row";
    list(db, query, [job.to_string()], |r| {
        let tally = Tally::read(r, 5)?;
        let unwanted = tally.unwanted(crop);
        Ok(CellView {
            cell: CellIndex { col: r.get(0)?, row: r.get(1)? },
            unwanted,
            protected: tally.all() - unwanted,
            treated: r.get(2)?,
            openings: r.get(3)?,
            volume_ul: r.get(4)?,
        })
    })
}

type RawPlant = (String, String, i64, String);

fn raw_plant(r: &Row<'_>) -> rusqlite::Result<RawPlant> {
    Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?))
}

fn plant_view((robot, boot, decided_wall_ms, json): RawPlant) -> Result<PlantView, StoreError> {
    Ok(PlantView { robot, boot, decided_wall_ms, decision: parse("decision", &json)? })
}

/// SQL's view of a range; everything when there is none.
fn bounds(within: Option<CellRange>) -> Option<[u32; 4]> {
    within.map(|CellRange { from, to }| [from.col, to.col, from.row, to.row])
}

const IN_CELLS: &str = "col BETWEEN ?3 AND ?4 AND row BETWEEN ?5 AND ?6";

pub(super) fn plants(
    db: &Connection,
    job: &MissionKey,
    within: Option<CellRange>,
    classes: &[PlantClass],
    most: usize,
) -> Result<Vec<PlantView>, StoreError> {
    let of_class = if classes.is_empty() {
        String::new()
    } else {
        let ids: Vec<String> = classes.iter().map(|class| class.id().to_string()).collect();
        format!(" AND class IN ({})", ids.join(","))
    };
    let query = format!("SELECT robot, boot, decided_wall_ms, json FROM plants WHERE job = ?1{of_class}");
    let rows = match bounds(within) {
        None => list(
            db,
            &format!("{query} ORDER BY robot, boot, plant LIMIT ?2"),
            params![job.to_string(), most],
            raw_plant,
        ),
        Some([west, east, south, north]) => {
            let query = format!("{query} AND {IN_CELLS} ORDER BY robot, boot, plant LIMIT ?2");
            list(db, &query, params![job.to_string(), most, west, east, south, north], raw_plant)
        }
    };
    rows.map_err(sql("read plants"))?.into_iter().map(plant_view).collect()
}

pub(super) fn plant(
    db: &Connection,
    job: &MissionKey,
    robot: &str,
    boot: &str,
    plant: u64,
) -> Result<Option<PlantView>, StoreError> {
    let query = "SELECT robot, boot, decided_wall_ms, json FROM plants
        WHERE job = ?1 AND robot = ?2 AND boot = ?3 AND plant = ?4";
    let row = db.query_row(query, params![job.to_string(), robot, boot, plant], raw_plant).optional();
    row.map_err(sql("read a plant"))?.map(plant_view).transpose()
}

pub(super) fn openings(
    db: &Connection,
    job: &MissionKey,
    within: Option<CellRange>,
    most: usize,
) -> Result<Vec<OpeningView>, StoreError> {
    const ORDER: &str = "ORDER BY robot, boot, seq, place LIMIT ?2";
    let read = |r: &Row<'_>| Ok((raw_plant(r)?, r.get(4)?, r.get(5)?));
    let columns = "SELECT robot, boot, opened_wall_ms, json, product";
    let rows = match bounds(within) {
        None => {
            let query = format!("{columns}, NULL FROM openings WHERE job = ?1 {ORDER}");
            list(db, &query, params![job.to_string(), most], read)
        }
        Some([west, east, south, north]) => {
            let query = format!(
                "{columns}, sum(volume_ul) FROM sprayed JOIN openings USING (job, robot, boot, seq, place)
                 WHERE job = ?1 AND {IN_CELLS} GROUP BY robot, boot, seq, place {ORDER}"
            );
            list(db, &query, params![job.to_string(), most, west, east, south, north], read)
        }
    };
    let view = |((robot, boot, opened_wall_ms, json), product, here_ul): (RawPlant, _, Option<u64>)| {
        let opening: NozzleOpening = parse("opening", &json)?;
        let here_ml = here_ul.map_or(opening.volume_ml, |here_ul| here_ul as f64 * 1e-3);
        Ok(OpeningView { robot, boot, opened_wall_ms, product, here_ml, opening })
    };
    rows.map_err(sql("read openings"))?.into_iter().map(view).collect()
}

pub(super) fn track(db: &Connection, job: &MissionKey) -> Rows<TrackView> {
    let query = "SELECT boot, at_ns, x_m, y_m, heading_deg, sigma_m FROM track WHERE job = ?1
        ORDER BY robot, boot, at_ns";
    list(db, query, [job.to_string()], |r| {
        Ok(TrackView {
            boot: r.get(0)?,
            at_ns: r.get(1)?,
            position: Point2::new(r.get(2)?, r.get(3)?),
            heading_deg: r.get(4)?,
            sigma_m: r.get(5)?,
        })
    })
}

const INCIDENTS: &str = "SELECT robot, boot, at_wall_ms, json, farm, seq FROM incidents i";
const WANTED: &str = "(?2 IS NULL OR kind IN (SELECT value FROM json_each(?2)))
    AND (?9 IS NULL OR because IN (SELECT value FROM json_each(?9)))
    AND (?3 IS NULL OR (at_wall_ms, farm, robot, boot, seq) < (?3, ?4, ?5, ?6, ?7))";
const LATEST: &str = "ORDER BY at_wall_ms DESC, farm DESC, robot DESC, boot DESC, seq DESC LIMIT ?8";
/// One that names no mission is of the one that its robot was in.
const IN_PASSING: &str = "job IS NULL AND EXISTS (SELECT 1 FROM missions m WHERE m.job = ?1
    AND m.farm = i.farm AND m.robot = i.robot AND i.at_wall_ms BETWEEN m.first_wall_ms AND m.last_wall_ms)";

/// Of one mission, through its index, or of all.
fn incidents_query(of_one: bool) -> String {
    if of_one {
        format!(
            "{INCIDENTS} WHERE job = ?1 AND {WANTED} UNION ALL {INCIDENTS} WHERE {IN_PASSING} AND {WANTED} {LATEST}"
        )
    } else {
        format!("{INCIDENTS} WHERE ?1 IS NULL AND {WANTED} {LATEST}")
    }
}

pub(super) fn incidents(db: &Connection, choice: &IncidentChoice) -> Result<Vec<IncidentView>, StoreError> {
    let IncidentChoice { mission, kinds, because, before, most } = choice;
    let any_of = |words: &[String]| (!words.is_empty()).then(|| serde_json::json!(words).to_string());
    let before = before.as_ref();
    let with = params![
        mission.as_ref().map(ToString::to_string),
        any_of(kinds),
        before.map(|at| at.at_wall_ms),
        before.map(|at| at.farm.as_str()),
        before.map(|at| at.robot.as_str()),
        before.map(|at| at.boot.as_str()),
        before.and_then(|at| i64::try_from(at.seq).ok()),
        most,
        any_of(because)
    ];
    let query = incidents_query(mission.is_some());
    let rows = list(db, &query, with, |r| Ok((raw_plant(r)?, r.get(4)?, r.get(5)?)));
    let view = |((robot, boot, at_wall_ms, json), farm, seq): (RawPlant, String, u64)| {
        let cursor = format!("{at_wall_ms},{farm},{robot},{boot},{seq}");
        Ok(IncidentView { farm, robot, boot, at_wall_ms, cursor, incident: parse("incident", &json)? })
    };
    rows.map_err(sql("read incidents"))?.into_iter().map(view).collect()
}

pub(super) fn quarantine(db: &Connection, most: u32) -> Rows<QuarantineView> {
    let query = "SELECT id, topic, why, detail, t_received_ms, length(wire) FROM quarantine ORDER BY id DESC LIMIT ?1";
    list(db, query, [most], |r| {
        Ok(QuarantineView {
            id: r.get(0)?,
            topic: r.get(1)?,
            why: r.get(2)?,
            detail: r.get(3)?,
            received_ms: r.get(4)?,
            bytes: r.get(5)?,
        })
    })
}
