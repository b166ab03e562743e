//! Why a plant or a grid cell was or was not treated: the rule with its numbers. Sentences are the reader's.

use super::Api;
use super::geo::{self, OnEarth, Position};
use super::named::Named;
use super::respond::{ApiError, Read, ask, json};
use crate::store::{CellRange, MissionKey, OpeningView, PlantView, Store};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use kompas_field::record::NozzleOpening;
use kompas_field::{CellIndex, Field, FieldFrame, PlantRole, Point2};
use serde::{Deserialize, Serialize};

/// More than stand or open on a square metre.
const MOST_HERE: usize = 10_000;

/// A plant's leaves reach less far from its stem. Below the edge of a square metre, so the eight around it hold all of it.
const REACH_M: f64 = 1.0;

#[derive(Debug, Serialize)]
struct Decided {
    #[serde(flatten)]
    plant: PlantView,
    role_here: Option<PlantRole>,
    lon_lat: Position,
}

#[derive(Debug, Serialize)]
struct WhyCell {
    #[serde(flatten)]
    cell: CellIndex,
    plants: Vec<Decided>,
    openings: Vec<OpeningView>,
}

#[derive(Debug, Serialize)]
struct WhyPlant {
    #[serde(flatten)]
    plant: Decided,
    /// What the nozzles told to open for it did: of each the opening nearest to its stem, within [`REACH_M`].
    openings: Vec<OpeningView>,
}

fn decided(field: &Field, plant: PlantView) -> Decided {
    Decided {
        role_here: field.crop.role_of(plant.decision.class),
        lon_lat: geo::position(&field.plane, plant.decision.position),
        plant,
    }
}

/// Leaves lie beside the stem, often in another grid cell, and the nozzle line beside the stem, too.
fn openings_for(store: &dyn Store, id: &MissionKey, plant: &PlantView) -> Result<Vec<OpeningView>, ApiError> {
    let PlantView { robot, boot, decision, .. } = plant;
    let Some(CellIndex { col, row }) = decision.cell else { return Ok(Vec::new()) };
    let around = CellRange {
        from: CellIndex { col: col.saturating_sub(1), row: row.saturating_sub(1) },
        to: CellIndex { col: col + 1, row: row + 1 },
    };
    let away_m = |one: &OpeningView| distance_m(decision.position, &one.opening);
    let mut found = store.openings(id, Some(around), MOST_HERE)?;
    // An opening that ended before was for another plant, maybe with what was in the tank then.
    found.retain(|one| {
        let of_it =
            one.robot == *robot && one.boot == *boot && decision.nozzles.contains(&one.opening.nozzle);
        of_it && one.opening.closed_at >= decision.decided_at && away_m(one) <= REACH_M
    });
    found.sort_by(|one, other| {
        one.opening.nozzle.cmp(&other.opening.nozzle).then(away_m(one).total_cmp(&away_m(other)))
    });
    found.dedup_by_key(|one| one.opening.nozzle);
    Ok(found)
}

/// From a place to the line that the nozzle drew, metres.
fn distance_m(place: Point2<FieldFrame>, opening: &NozzleOpening) -> f64 {
    let NozzleOpening { from, to, .. } = opening;
    let (east, north) = (to.x - from.x, to.y - from.y);
    let length_squared = east * east + north * north;
    let along = if length_squared > 0.0 {
        (((place.x - from.x) * east + (place.y - from.y) * north) / length_squared).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (from.x + along * east - place.x).hypot(from.y + along * north - place.y)
}

#[derive(Deserialize)]
pub(super) struct CellPath {
    col: u32,
    row: u32,
}

#[derive(Deserialize)]
pub(super) struct PlantPath {
    robot: String,
    boot: String,
    plant: u64,
}

pub(super) async fn cell(
    State(api): State<Api>,
    of: Named,
    Read(Path(CellPath { col, row })): Read<Path<CellPath>>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let why = ask(&api, move |store| {
        let (id, _, field) = of.on_field(store)?;
        let cell = CellIndex { col, row };
        if !field.grid().has(cell) {
            return Err(ApiError::NotFound { what: "grid cell", name: format!("{col}/{row}") });
        }
        let plants = store.plants(&id, Some(cell.into()), &[], MOST_HERE)?;
        let plants = plants.into_iter().map(|plant| decided(&field, plant)).collect();
        let openings = store.openings(&id, Some(cell.into()), MOST_HERE)?;
        Ok(OnEarth::new(&field, WhyCell { cell, plants, openings }))
    });
    json(&asked, &why.await?)
}

pub(super) async fn plant(
    State(api): State<Api>,
    of: Named,
    Read(Path(PlantPath { robot, boot, plant: number })): Read<Path<PlantPath>>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let why = ask(&api, move |store| {
        let (id, _, field) = of.on_field(store)?;
        let plant = store.plant(&id, &robot, &boot, number)?;
        let plant =
            plant.ok_or(ApiError::NotFound { what: "plant", name: format!("{robot}/{boot}/{number}") })?;
        let openings = openings_for(store, &id, &plant)?;
        Ok(OnEarth::new(&field, WhyPlant { plant: decided(&field, plant), openings }))
    });
    json(&asked, &why.await?)
}
