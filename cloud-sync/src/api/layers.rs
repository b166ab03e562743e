//! What lies on the ground of a mission: grid cells, plants, track and nozzle openings.

use super::Api;
use super::geo::{self, GeoJson, Geometry, OnEarth, Position};
use super::map::feature;
use super::named::{MissionPath, Named};
use super::respond::{ApiError, GEOJSON, JSON, Read, ask, unchanged, versioned};
use super::within::Sight;
use crate::store::{CellView, MissionKey, OpeningView, PlantView, Store, TrackView};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use kompas_field::ids::FarmId;
use kompas_field::{Field, FieldCrop, Grid, PlantClass, PlantRole, Point2, Verdict};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

type Answer = Result<Response, ApiError>;

/// Poses nearer than this to the last one drawn are left out of the line: two pixels at the closest look.
const TRACK_STEP_M: f64 = 0.2;

/// How long a reader waits for its turn. Longer, and it takes the server for gone.
const PATIENCE: Duration = Duration::from_secs(5);

/// A layer of a mission as GeoJSON.
async fn layer<T: Serialize>(
    api: &Api,
    of: Named,
    asked: &HeaderMap,
    make: impl FnOnce(&dyn Store, &MissionKey, &Field) -> Result<T, ApiError> + Send + 'static,
) -> Answer {
    layer_as(GEOJSON, api, of, asked, make).await
}

/// A layer of a mission; who has this version already need not wait for a turn.
async fn layer_as<T: Serialize>(
    kind: &'static str,
    api: &Api,
    of: Named,
    asked: &HeaderMap,
    make: impl FnOnce(&dyn Store, &MissionKey, &Field) -> Result<T, ApiError> + Send + 'static,
) -> Answer {
    let headers = asked.clone();
    if headers.contains_key(header::IF_NONE_MATCH) {
        let (of, headers) = (of.clone(), headers.clone());
        let same = ask(api, move |store| Ok(unchanged(&headers, of.on_field(store)?.1.version))).await?;
        if let Some(same) = same {
            return Ok(same);
        }
    }
    let turn = timeout(PATIENCE, Arc::clone(&api.layers).acquire_owned()).await;
    // Held until the layer is made, also when nobody waits for it any more. Never closed, so never an error.
    let turn = turn.map_err(|_elapsed| ApiError::Busy)?.ok();
    ask(api, move |store| {
        let _turn = turn;
        let (id, mission, field) = of.on_field(store)?;
        versioned(&headers, kind, mission.version, &OnEarth::new(&field, make(store, &id, &field)?))
    })
    .await
}

/// The field as the mission had it.
pub(super) async fn field(State(api): State<Api>, of: Named, asked: HeaderMap) -> Answer {
    layer(&api, of, &asked, |_, _, field| Ok(feature(field.clone()))).await
}

/// As many as a layer may have; `instead` says how to ask for fewer.
fn few_enough<T>(
    what: &'static str,
    all: Vec<T>,
    most: usize,
    instead: &'static str,
) -> Result<Vec<T>, ApiError> {
    if all.len() > most { Err(ApiError::TooMuch { what, most, instead }) } else { Ok(all) }
}

const WITHIN: &str = "within=WEST,SOUTH,EAST,NORTH in degrees";

fn collection<P>(features: impl IntoIterator<Item = GeoJson<P>>) -> GeoJson<P> {
    GeoJson::FeatureCollection { features: features.into_iter().collect() }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CellForm {
    farm: Option<FarmId>,
    form: Option<Form>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// Numbers only, a tenth of the bytes; for painting.
    Table,
}

#[derive(Debug, Serialize)]
struct CellProperties {
    col: u32,
    row: u32,
    unwanted: u32,
    protected: u32,
    treated: u32,
    openings: u32,
    volume_ml: f64,
}

#[derive(Debug, Serialize)]
struct CellTable {
    grid: Grid,
    /// Of the whole grid: north-west, north-east, south-east, south-west.
    corners: [Position; 4],
    columns: [&'static str; 7],
    rows: Vec<(u32, u32, u32, u32, u32, u32, u64)>,
}

pub(super) async fn cells(
    State(api): State<Api>,
    Read(Path(of)): Read<Path<MissionPath>>,
    Read(Query(how)): Read<Query<CellForm>>,
    asked: HeaderMap,
) -> Answer {
    let of = of.of(how.farm);
    if let Some(Form::Table) = how.form {
        let make =
            |store: &dyn Store, id: &MissionKey, field: &Field| Ok(cell_table(field, &store.cells(id)?));
        return layer_as(JSON, &api, of, &asked, make).await;
    }
    let most = api.most_features;
    layer(&api, of, &asked, move |store, id, field| {
        let cells = few_enough("grid cells", store.cells(id)?, most, "form=table")?;
        let grid = field.grid();
        let feature = |seen: CellView| GeoJson::Feature {
            geometry: geo::cell(&field.plane, &grid, seen.cell),
            properties: CellProperties {
                col: seen.cell.col,
                row: seen.cell.row,
                unwanted: seen.unwanted,
                protected: seen.protected,
                treated: seen.treated,
                openings: seen.openings,
                volume_ml: seen.volume_ul as f64 * 1e-3,
            },
        };
        Ok(collection(cells.into_iter().map(feature)))
    })
    .await
}

fn cell_table(field: &Field, cells: &[CellView]) -> CellTable {
    let grid = field.grid();
    let (west, south) = (f64::from(grid.west_m), f64::from(grid.south_m));
    let (east, north) = (west + f64::from(grid.cols), south + f64::from(grid.rows));
    let corner = |x, y| geo::position(&field.plane, Point2::new(x, y));
    let row =
        |c: &CellView| (c.cell.col, c.cell.row, c.unwanted, c.protected, c.treated, c.openings, c.volume_ul);
    CellTable {
        grid,
        corners: [corner(west, north), corner(east, north), corner(east, south), corner(west, south)],
        columns: ["col", "row", "unwanted", "protected", "treated", "openings", "volume_ul"],
        rows: cells.iter().map(row).collect(),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlantChoice {
    farm: Option<FarmId>,
    /// West, south, east, north in degrees, with commas.
    within: Option<String>,
    only: Option<Only>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Only {
    /// Weeds and volunteers.
    Unwanted,
}

fn unwanted(crop: FieldCrop) -> Vec<PlantClass> {
    let is_unwanted =
        |class: &PlantClass| matches!(crop.role_of(*class), Some(PlantRole::Weed | PlantRole::Volunteer));
    PlantClass::ALL.into_iter().filter(is_unwanted).collect()
}

#[derive(Debug, Serialize)]
struct PlantProperties {
    robot: String,
    boot: String,
    plant: u64,
    class: PlantClass,
    role: Option<PlantRole>,
    verdict: Verdict,
    area_cm2: f64,
}

pub(super) async fn plants(
    State(api): State<Api>,
    Read(Path(of)): Read<Path<MissionPath>>,
    Read(Query(choice)): Read<Query<PlantChoice>>,
    asked: HeaderMap,
) -> Answer {
    let of = of.of(choice.farm);
    let most = api.most_features;
    layer(&api, of, &asked, move |store, id, field| {
        let sight = Sight::of(field, choice.within.as_deref())?;
        let classes = match choice.only {
            Some(Only::Unwanted) => unwanted(field.crop),
            None => Vec::new(),
        };
        let feature = |seen: PlantView| GeoJson::Feature {
            geometry: Geometry::Point(geo::position(&field.plane, seen.decision.position)),
            properties: PlantProperties {
                robot: seen.robot,
                boot: seen.boot,
                plant: seen.decision.plant.0,
                class: seen.decision.class,
                role: field.crop.role_of(seen.decision.class),
                verdict: seen.decision.verdict,
                area_cm2: (seen.decision.area_cm2 * 10.0).round() / 10.0,
            },
        };
        let found = sight.look(|within| store.plants(id, within, &classes, most + 1))?;
        let found = few_enough("plants", found, most, WITHIN)?;
        Ok(collection(found.into_iter().map(feature)))
    })
    .await
}

#[derive(Debug, Serialize)]
struct TrackProperties {
    boot: String,
    poses: usize,
    worst_sigma_m: f64,
}

/// One line per run of the robot's program.
pub(super) async fn track(State(api): State<Api>, of: Named, asked: HeaderMap) -> Answer {
    layer(&api, of, &asked, |store, id, field| {
        let points = store.track(id)?;
        let lines = points.chunk_by(|one, next| one.boot == next.boot).filter(|line| line.len() > 1);
        let feature = |line: &[TrackView]| GeoJson::Feature {
            geometry: Geometry::LineString(geo::ring(&field.plane, thinned(line))),
            properties: TrackProperties {
                boot: line.first().map(|point| point.boot.clone()).unwrap_or_default(),
                poses: line.len(),
                worst_sigma_m: line.iter().map(|point| point.sigma_m).fold(0.0, f64::max),
            },
        };
        Ok(collection(lines.map(feature)))
    })
    .await
}

fn thinned(line: &[TrackView]) -> Vec<Point2<kompas_field::FieldFrame>> {
    let mut kept: Vec<Point2<_>> = Vec::new();
    for (index, point) in line.iter().enumerate() {
        let far = kept
            .last()
            .is_none_or(|last| (last.x - point.position.x).hypot(last.y - point.position.y) >= TRACK_STEP_M);
        if far || index + 1 == line.len() {
            kept.push(point.position);
        }
    }
    kept
}

#[derive(Debug, Serialize)]
struct OpeningProperties {
    nozzle: u16,
    product: Option<String>,
    volume_ml: f64,
    area_m2: f64,
    opened_wall_ms: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OpeningChoice {
    farm: Option<FarmId>,
    /// As [`PlantChoice::within`].
    within: Option<String>,
}

pub(super) async fn openings(
    State(api): State<Api>,
    Read(Path(of)): Read<Path<MissionPath>>,
    Read(Query(choice)): Read<Query<OpeningChoice>>,
    asked: HeaderMap,
) -> Answer {
    let of = of.of(choice.farm);
    let most = api.most_features;
    layer(&api, of, &asked, move |store, id, field| {
        let sight = Sight::of(field, choice.within.as_deref())?;
        let feature = |seen: OpeningView| GeoJson::Feature {
            geometry: Geometry::LineString(geo::ring(&field.plane, [seen.opening.from, seen.opening.to])),
            properties: OpeningProperties {
                nozzle: seen.opening.nozzle,
                product: seen.product,
                volume_ml: seen.opening.volume_ml,
                area_m2: seen.opening.area_m2,
                opened_wall_ms: seen.opened_wall_ms,
            },
        };
        let found = sight.look(|within| store.openings(id, within, most + 1))?;
        let found = few_enough("nozzle openings", found, most, WITHIN)?;
        Ok(collection(found.into_iter().map(feature)))
    })
    .await
}
