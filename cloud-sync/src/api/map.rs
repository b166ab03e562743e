//! Fields, missions, and what lies on the ground.

use super::Api;
use super::geo::{self, GeoJson, Geometry, OnEarth};
use super::named::{Named, OfFarm, find_field};
use super::respond::{ApiError, MOST, NoChoice, Read, ask, json};
use crate::store::{MissionChoice, MissionKey, NoMissionKey, Store};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use kompas_field::boundary::RawBoundary;
use kompas_field::ids::{FarmId, FieldId};
use kompas_field::{Datum, Field, Grid};
use serde::{Deserialize, Serialize};

type Answer = Result<Response, ApiError>;

pub(super) async fn fields(State(api): State<Api>, _: Read<Query<NoChoice>>, asked: HeaderMap) -> Answer {
    json(&asked, &ask(&api, |store| Ok(store.fields()?)).await?)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    farm: Option<FarmId>,
    field: Option<FieldId>,
    /// Continues a list after this mission, its last one: `FARM/MISSION`, or `MISSION` where that is on one farm only,
    /// or on `farm`.
    before: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn missions(
    State(api): State<Api>,
    Read(Query(of)): Read<Query<Listed>>,
    asked: HeaderMap,
) -> Answer {
    let missions = ask(&api, move |store| {
        let Listed { farm, field, before, limit } = of;
        let before = before.map(|name| last_listed(store, farm.as_ref(), &name)).transpose()?;
        let most = limit.unwrap_or(MOST).min(MOST);
        Ok(store.missions(&MissionChoice { farm, field, before, most })?)
    });
    json(&asked, &missions.await?)
}

/// The mission that a list goes on after.
fn last_listed(store: &dyn Store, farm: Option<&FarmId>, name: &str) -> Result<MissionKey, ApiError> {
    let wrong = |error: &dyn std::error::Error| ApiError::Wrong {
        key: "before",
        why: format!("{error}: give FARM/MISSION of the last mission that you have"),
    };
    let named = if name.contains('/') {
        let MissionKey { farm, mission } = name.parse().map_err(|error: NoMissionKey| wrong(&error))?;
        Named { farm: Some(farm), mission }
    } else {
        let mission = name.parse().map_err(|error: kompas_field::ids::InvalidId| wrong(&error))?;
        Named { farm: farm.cloned(), mission }
    };
    match named.key(store) {
        // Here `?farm=` would leave the other farms out of the list.
        Err(ApiError::OnSeveralFarms { name, farms, .. }) => {
            Err(ApiError::LastOnSeveralFarms { name, farms })
        }
        found => found,
    }
}

pub(super) async fn mission(State(api): State<Api>, of: Named, asked: HeaderMap) -> Answer {
    json(&asked, &ask(&api, move |store| Ok(of.find(store)?.1)).await?)
}

#[derive(Debug, Serialize)]
pub(super) struct FieldProperties {
    field: FieldId,
    crop: kompas_field::FieldCrop,
    area_m2: f64,
    datum: Datum,
    grid: Grid,
}

pub(super) async fn field(
    State(api): State<Api>,
    Read(Path(id)): Read<Path<FieldId>>,
    Read(Query(of)): Read<Query<OfFarm>>,
    asked: HeaderMap,
) -> Answer {
    let field = ask(&api, move |store| find_field(store, of.farm.as_ref(), &id)).await?;
    json(&asked, &OnEarth::new(&field, feature(field.clone())))
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
