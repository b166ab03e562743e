//! Fields, missions, and what lies on the ground.

use super::Api;
use super::geo::{self, GeoJson, Geometry};
use super::respond::{ApiError, MOST, ask, json};
use crate::store::{MissionChoice, MissionView, Store};
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
pub(super) struct Listed {
    field: Option<FieldId>,
    /// Continues a list after this mission, its last one.
    before: Option<MissionId>,
    limit: Option<u32>,
}

pub(super) async fn missions(State(api): State<Api>, Query(of): Query<Listed>, asked: HeaderMap) -> Answer {
    let missions = ask(&api, move |store| {
        let Listed { field, before, limit } = of;
        if let Some(before) = &before {
            find_mission(store, before)?;
        }
        let most = limit.unwrap_or(MOST).min(MOST);
        Ok(store.missions(&MissionChoice { field, before, most })?)
    });
    json(&asked, &missions.await?)
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

/// The mission and the field as it was then; no map without one.
pub(super) fn on_field(store: &dyn Store, id: &MissionId) -> Result<(MissionView, Field), ApiError> {
    let mission = find_mission(store, id)?;
    let field = store.field_of(id)?;
    let field = field.ok_or(ApiError::NotFound { what: "field yet for mission", name: id.to_string() })?;
    Ok((mission, field))
}

#[derive(Debug, Serialize)]
pub(super) struct FieldProperties {
    field: FieldId,
    crop: kompas_field::FieldCrop,
    area_m2: f64,
    datum: Datum,
    grid: Grid,
}

pub(super) async fn field(State(api): State<Api>, Path(id): Path<FieldId>, asked: HeaderMap) -> Answer {
    json(&asked, &feature(ask(&api, move |store| find_field(store, &id)).await?))
}

pub(super) fn feature(field: Field) -> GeoJson<FieldProperties> {
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
    GeoJson::Feature { geometry, properties }
}
