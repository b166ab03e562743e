//! Missions with their totals.

use super::{list, parse};
use crate::store::sqlite::sql;
use crate::store::{MissionChoice, MissionKey, MissionView, StoreError};
use kompas_field::ids::{FarmId, FieldId, MissionId};
use kompas_field::{FieldCrop, PlantClass, PlantRole};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// As `COUNTS`: every open page asks; totals are kept with the mission.
const MISSION: &str = "SELECT mission, robot, field, plan, rig, segmenter,
    (SELECT json_group_array(nullif(p.product, '')) FROM products p WHERE p.job = m.job),
    first_wall_ms, last_wall_ms, finished, treated, weeds, beets, potatoes, others, openings, volume_ul, wetted_mm2,
    version, crop, cells_treated, cells_seen, last_received_ms, records, area_m2, farm
    FROM missions m";

const LISTED: &str = "(?1 IS NULL OR field = ?1) AND (?2 IS NULL OR farm = ?2) AND (?3 IS NULL OR arrived <
    (SELECT arrived FROM missions WHERE job = ?3)) ORDER BY arrived DESC LIMIT ?4";

pub(in super::super) fn missions(
    db: &Connection,
    choice: &MissionChoice,
) -> Result<Vec<MissionView>, StoreError> {
    let MissionChoice { farm, field, before, most } = choice;
    let with = params![
        field.as_ref().map(FieldId::as_str),
        farm.as_ref().map(FarmId::as_str),
        before.as_ref().map(ToString::to_string),
        most
    ];
    let rows = list(db, &format!("{MISSION} WHERE {LISTED}"), with, raw_mission);
    rows.map_err(sql("read missions"))?.into_iter().map(mission_view).collect()
}

pub(in super::super) fn mission(
    db: &Connection,
    job: &MissionKey,
) -> Result<Option<MissionView>, StoreError> {
    let query = format!("{MISSION} WHERE job = ?1");
    let row = db.query_row(&query, [job.to_string()], raw_mission).optional();
    row.map_err(sql("read a mission"))?.map(mission_view).transpose()
}

/// The farms that have a mission of this name.
pub(in super::super) fn farms_with(db: &Connection, mission: &MissionId) -> Result<Vec<FarmId>, StoreError> {
    let query = "SELECT json_quote(farm) FROM missions WHERE mission = ?1 ORDER BY farm";
    let farms: Vec<String> =
        list(db, query, [mission.as_str()], |r| r.get(0)).map_err(sql("read a mission's farm"))?;
    farms.iter().map(|farm| parse("farm", farm)).collect()
}

/// A mission with what is still to be parsed.
struct RawMission {
    view: MissionView,
    tally: Tally,
    finished: Option<String>,
    crop: Option<String>,
    products: String,
}

fn raw_mission(r: &Row<'_>) -> rusqlite::Result<RawMission> {
    let tally = Tally::read(r, 11)?;
    let (volume_ul, wetted_mm2): (u64, u64) = (r.get(16)?, r.get(17)?);
    let view = MissionView {
        farm: r.get(25)?,
        mission: r.get(0)?,
        robot: r.get(1)?,
        field: r.get(2)?,
        crop: None,
        area_m2: r.get(24)?,
        plan: r.get(3)?,
        rig: r.get(4)?,
        segmenter: r.get(5)?,
        products: Vec::new(),
        first_wall_ms: r.get(7)?,
        last_wall_ms: r.get(8)?,
        last_received_ms: r.get(22)?,
        records: r.get(23)?,
        finished: None,
        plants: tally.all().into(),
        treated: r.get(10)?,
        unwanted: 0,
        openings: r.get(15)?,
        volume_l: volume_ul as f64 * 1e-6,
        wetted_m2: wetted_mm2 as f64 * 1e-6,
        cells_treated: r.get(20)?,
        cells_seen: r.get(21)?,
        version: r.get(18)?,
    };
    Ok(RawMission { view, tally, finished: r.get(9)?, crop: r.get(19)?, products: r.get(6)? })
}

fn mission_view(raw: RawMission) -> Result<MissionView, StoreError> {
    let RawMission { mut view, tally, finished, crop, products } = raw;
    view.products = parse("list of products", &products)?;
    view.finished = finished.map(|text| parse("mission's end", &text)).transpose()?;
    view.crop = crop.map(|crop| parse("crop", &format!("\"{crop}\""))).transpose()?;
    view.unwanted = tally.unwanted(view.crop).into();
    Ok(view)
}

/// Plants per class, in the order in which the tables have them.
pub(super) struct Tally([u32; 4]);

impl Tally {
    pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        Ok(Self([row.get(first)?, row.get(first + 1)?, row.get(first + 2)?, row.get(first + 3)?]))
    }

    pub(super) fn all(&self) -> u32 {
        self.0.iter().sum()
    }

    /// Weeds and volunteers.
    pub(super) fn unwanted(&self, crop: Option<FieldCrop>) -> u32 {
        let classes = [PlantClass::Weed, PlantClass::SugarBeet, PlantClass::Potato, PlantClass::OtherCrop];
        let role = |class| match crop {
            Some(crop) => crop.role_of(class),
            None if class == PlantClass::Weed => Some(PlantRole::Weed),
            None => None,
        };
        let is_unwanted = |class| matches!(role(class), Some(PlantRole::Weed | PlantRole::Volunteer));
        classes.into_iter().zip(self.0).filter(|(class, _)| is_unwanted(*class)).map(|(_, n)| n).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{COUNTS, incidents_query};
    use super::{LISTED, MISSION};
    use crate::store::sqlite::{PROJECTIONS, TRUTH};
    use rusqlite::Connection;

    #[test]
    fn what_every_page_asks_again_and_again_reads_no_history() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(TRUTH).unwrap();
        db.execute_batch(PROJECTIONS).unwrap();
        for query in
            [COUNTS, &format!("{MISSION} WHERE {LISTED}"), &incidents_query(true), &incidents_query(false)]
        {
            let mut explained = db.prepare(&format!("EXPLAIN QUERY PLAN {query}")).unwrap();
            let values = vec![rusqlite::types::Null; explained.parameter_count()];
            let steps = explained.query_map(rusqlite::params_from_iter(values), |r| r.get::<_, String>(3));
            for step in steps.unwrap().map(Result::unwrap) {
                let long = ["SCAN records", "SCAN cells", "SCAN plants", "SCAN openings", "TEMP B-TREE"];
                assert!(!query.contains("job = ?1") || !step.contains("SCAN i"), "of one mission: {step}");
                let flagged = step.contains("records_flagged") || step.contains("records_disputed");
                assert!(flagged || !long.iter().any(|table| step.contains(table)), "{step}");
            }
        }
    }
}
