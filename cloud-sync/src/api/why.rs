//! Why a plant or a grid cell was or was not treated: the rule with its numbers. Sentences are the reader's.

use super::Api;
use super::geo::{self, OnEarth, Position};
use super::named::Named;
use super::respond::{ApiError, Read, ask, json};
use crate::store::{OpeningView, PlantView};
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use kompas_field::{CellIndex, Field, PlantRole};
use serde::{Deserialize, Serialize};

/// More than stand or open on a square metre.
const MOST_HERE: usize = 10_000;

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
    /// Openings in the plant's grid cell.
    openings: Vec<OpeningView>,
}

fn decided(field: &Field, plant: PlantView) -> Decided {
    Decided {
        role_here: field.crop.role_of(plant.decision.class),
        lon_lat: geo::position(&field.plane, plant.decision.position),
        plant,
    }
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
        let openings = match plant.decision.cell {
            Some(cell) => store.openings(&id, Some(cell.into()), MOST_HERE)?,
            None => Vec::new(),
        };
        Ok(OnEarth::new(&field, WhyPlant { plant: decided(&field, plant), openings }))
    });
    json(&asked, &why.await?)
}
