//! Fields, missions, and what lies on the ground.

use super::Api;
use super::geo::{self, GeoJson, Geometry};
use super::respond::{ApiError, ask, geojson, json, unchanged};
use crate::store::{MissionView, Store};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use kompas_field::boundary::RawBoundary;
use kompas_field::ids::{FieldId, MissionId};
use kompas_field::{Datum, Field, Grid};
use serde::{Deserialize, Serialize};

type Answer = Result<Response, ApiError>;

pub(super) async fn fields(State(api): State<Api>, asked: HeaderMap) -> Answer {
    json(&asked, &ask(&api, |store| Ok(store.fields()?)).await?)
}

#[derive(Debug, Deserialize)]
pub(super) struct OfField {
    field: Option<FieldId>,
}

pub(super) async fn missions(State(api): State<Api>, Query(of): Query<OfField>, asked: HeaderMap) -> Answer {
    json(&asked, &ask(&api, move |store| Ok(store.missions(of.field.as_ref())?)).await?)
}

pub(super) async fn mission(State(api): State<Api>, Path(id): Path<MissionId>, asked: HeaderMap) -> Answer {
    json(&asked, &ask(&api, move |store| find_mission(store, &id)).await?)
}

pub(super) fn find_mission(store: &dyn Store, id: &MissionId) -> Result<MissionView, ApiError> {
    store.mission(id)?.ok_or(ApiError::NotFound { what: "mission", name: id.to_string() })
}

fn find_field(store: &dyn Store, id: &FieldId) -> Result<Field, ApiError> {
    store.field(id)?.ok_or(ApiError::NotFound { what: "field", name: id.to_string() })
}

/// The mission and its field; no map without one.
pub(super) fn on_field(store: &dyn Store, id: &MissionId) -> Result<(MissionView, Field), ApiError> {
    let mission = find_mission(store, id)?;
    let field = mission.field.as_deref().and_then(|field| FieldId::new(field).ok());
    let Some(field) = field else {
        return Err(ApiError::NotFound { what: "field yet for mission", name: id.to_string() });
    };
    let field = find_field(store, &field)?;
    Ok((mission, field))
}

#[derive(Debug, Serialize)]
struct FieldProperties {
    field: FieldId,
    crop: kompas_field::FieldCrop,
    area_m2: f64,
    datum: Datum,
    grid: Grid,
}

pub(super) async fn field(State(api): State<Api>, Path(id): Path<FieldId>, asked: HeaderMap) -> Answer {
    let field = ask(&api, move |store| find_field(store, &id)).await?;
    let rings = RawBoundary::from(field.boundary.clone());
    let rings = std::iter::once(rings.outer).chain(rings.exclusions);
    let properties = FieldProperties {
        grid: field.grid(),
        area_m2: field.boundary.area().get(),
        datum: field.plane.origin().datum,
        crop: field.crop,
        field: field.id,
    };
    let geometry = Geometry::Polygon(rings.map(|points| geo::ring(&field.plane, points)).collect());
    json(&asked, &GeoJson::Feature { geometry, properties })
}

/// A layer of a mission: its features, unless the reader has this version already.
async fn layer<P: Serialize + Send + 'static>(
    api: &Api,
    id: MissionId,
    asked: &HeaderMap,
    features: impl FnOnce(&dyn Store, &MissionId, &Field) -> Result<Vec<GeoJson<P>>, ApiError> + Send + 'static,
) -> Answer {
    let headers = asked.clone();
    ask(api, move |store| {
        let (mission, field) = on_field(store, &id)?;
        if let Some(same) = unchanged(&headers, mission.version) {
            return Ok(same);
        }
        let features = features(store, &id, &field)?;
        geojson(&headers, mission.version, &GeoJson::FeatureCollection { features })
    })
    .await
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

pub(super) async fn cells(State(api): State<Api>, Path(id): Path<MissionId>, asked: HeaderMap) -> Answer {
    layer(&api, id, &asked, |store, id, field| {
        let grid = field.grid();
        let feature = |seen: crate::store::CellView| GeoJson::Feature {
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
        Ok(store.cells(id)?.into_iter().map(feature).collect())
    })
    .await
}

#[derive(Debug, Serialize)]
struct PlantProperties {
    robot: String,
    boot: String,
    plant: u64,
    class: kompas_field::PlantClass,
    role: Option<kompas_field::PlantRole>,
    verdict: kompas_field::Verdict,
    area_cm2: f64,
}

pub(super) async fn plants(State(api): State<Api>, Path(id): Path<MissionId>, asked: HeaderMap) -> Answer {
    layer(&api, id, &asked, |store, id, field| {
        let feature = |seen: crate::store::PlantView| GeoJson::Feature {
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
        Ok(store.plants(id, None)?.into_iter().map(feature).collect())
    })
    .await
}

#[derive(Debug, Serialize)]
struct TrackProperties {
    boot: String,
    points: usize,
    worst_sigma_m: f64,
}

/// One line per boot of the robot.
pub(super) async fn track(State(api): State<Api>, Path(id): Path<MissionId>, asked: HeaderMap) -> Answer {
    layer(&api, id, &asked, |store, id, field| {
        let points = store.track(id)?;
        let lines = points.chunk_by(|one, next| one.boot == next.boot).filter(|line| line.len() > 1);
        let feature = |line: &[crate::store::TrackView]| GeoJson::Feature {
            geometry: Geometry::LineString(geo::ring(&field.plane, line.iter().map(|p| p.position))),
            properties: TrackProperties {
                boot: line.first().map(|point| point.boot.clone()).unwrap_or_default(),
                points: line.len(),
                worst_sigma_m: line.iter().map(|point| point.sigma_m).fold(0.0, f64::max),
            },
        };
        Ok(lines.map(feature).collect())
    })
    .await
}

#[derive(Debug, Serialize)]
struct OpeningProperties {
    nozzle: u16,
    volume_ml: f64,
    area_m2: f64,
    opened_wall_ms: i64,
}

pub(super) async fn openings(State(api): State<Api>, Path(id): Path<MissionId>, asked: HeaderMap) -> Answer {
    layer(&api, id, &asked, |store, id, field| {
        let feature = |seen: crate::store::OpeningView| GeoJson::Feature {
            geometry: Geometry::LineString(geo::ring(&field.plane, [seen.opening.from, seen.opening.to])),
            properties: OpeningProperties {
                nozzle: seen.opening.nozzle,
                volume_ml: seen.opening.volume_ml,
                area_m2: seen.opening.area_m2,
                opened_wall_ms: seen.opened_wall_ms,
            },
        };
        Ok(store.openings(id, None)?.into_iter().map(feature).collect())
    })
    .await
}
