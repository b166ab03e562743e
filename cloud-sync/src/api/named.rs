//! Which mission or field is meant: a name is its own on one farm only, and `?farm=` tells two farms' apart.

use super::respond::{ApiError, Read};
use crate::store::{MissionKey, MissionView, Store};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use kompas_field::Field;
use kompas_field::ids::{FarmId, FieldId, MissionId};
use serde::Deserialize;

/// The farm of a query, where it names one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfFarm {
    pub(super) farm: Option<FarmId>,
}

/// The mission of a path, and the farm of a query that has no other key.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) farm: Option<FarmId>,
    pub(super) mission: MissionId,
}

/// For a query with more keys than the farm.
#[derive(Deserialize)]
pub(super) struct MissionPath {
    mission: MissionId,
}

impl MissionPath {
    pub(super) fn of(self, farm: Option<FarmId>) -> Named {
        Named { farm, mission: self.mission }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Read(Path(path)) = Read::<Path<MissionPath>>::from_request_parts(parts, state).await?;
        let Read(Query(OfFarm { farm })) = Read::<Query<OfFarm>>::from_request_parts(parts, state).await?;
        Ok(path.of(farm))
    }
}

/// The one farm that is meant.
fn one_farm(what: &'static str, name: &str, mut farms: Vec<FarmId>) -> Result<FarmId, ApiError> {
    let last = farms.pop().ok_or_else(|| ApiError::NotFound { what, name: name.to_owned() })?;
    if farms.is_empty() {
        return Ok(last);
    }
    farms.push(last);
    Err(ApiError::OnSeveralFarms { what, name: name.to_owned(), farms })
}

impl Named {
    pub(super) fn key(&self, store: &dyn Store) -> Result<MissionKey, ApiError> {
        let farms = store.farms_with(&self.mission)?;
        let wanted = |farm: &FarmId| self.farm.as_ref().is_none_or(|wanted| wanted == farm);
        let farm = one_farm("mission", self.mission.as_str(), farms.into_iter().filter(wanted).collect())?;
        Ok(MissionKey { farm, mission: self.mission.clone() })
    }

    pub(super) fn find(&self, store: &dyn Store) -> Result<(MissionKey, MissionView), ApiError> {
        let key = self.key(store)?;
        let view = store.mission(&key)?;
        let view = view.ok_or_else(|| ApiError::NotFound { what: "mission", name: key.to_string() })?;
        Ok((key, view))
    }

    /// The mission and the field as it was then; no map without one.
    pub(super) fn on_field(&self, store: &dyn Store) -> Result<(MissionKey, MissionView, Field), ApiError> {
        let (key, view) = self.find(store)?;
        let field = store.field_of(&key)?;
        let none = || ApiError::NotFound { what: "field yet for mission", name: key.to_string() };
        let field = field.ok_or_else(none)?;
        Ok((key, view, field))
    }
}

pub(super) fn find_field(store: &dyn Store, farm: Option<&FarmId>, id: &FieldId) -> Result<Field, ApiError> {
    let here = store.fields()?.into_iter().filter(|one| one.field == id.as_str());
    let farms = here.filter_map(|one| FarmId::new(one.farm).ok());
    let farms = farms.filter(|one| farm.is_none_or(|wanted| wanted == one)).collect();
    let farm = one_farm("field", id.as_str(), farms)?;
    store.field(&farm, id)?.ok_or_else(|| ApiError::NotFound { what: "field", name: id.to_string() })
}
