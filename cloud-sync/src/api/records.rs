//! What has arrived, from whom, and what needs a person.

use super::Api;
use super::named::MissionPath;
use super::respond::{ApiError, MOST, NoChoice, Read, ask, json};
use crate::ingest::IngestStatus;
use crate::store::{IncidentChoice, IncidentCursor, MissionKey, RobotView, StoreCounts};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use kompas_field::decision::ClosedBecause;
use kompas_field::ids::FarmId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize)]
struct Status {
    now_ms: i64,
    version: &'static str,
    counts: StoreCounts,
    ingest: Option<IngestStatus>,
    robots: Vec<RobotView>,
}

pub(super) async fn status(
    State(api): State<Api>,
    _: Read<Query<NoChoice>>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let ingest = api.ingest.as_ref().map(|ingest| ingest.status());
    let (counts, robots) = ask(&api, |store| Ok((store.counts()?, store.robots()?))).await?;
    let now_ms = api.clock.wall().unix_ms();
    json(&asked, &Status { now_ms, version: env!("CARGO_PKG_VERSION"), counts, ingest, robots })
}

/// As records name them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Closed,
    Reopened,
    FrameUnusable,
    RecordsDropped,
    RecordsLost,
    Resumed,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Of the mission that is meant.
    farm: Option<FarmId>,
    /// With commas; none: all.
    kind: Option<String>,
    /// Only nozzles kept shut for one of these reasons, with commas; none: whatever happened.
    because: Option<String>,
    /// Continues a list after the incident of this cursor, its last one.
    before: Option<String>,
    limit: Option<u32>,
}

impl Wanted {
    fn of(self, mission: Option<MissionKey>) -> Result<IncidentChoice, ApiError> {
        let kinds = words::<Kind>("kind", self.kind.as_deref())?;
        let because = words::<ClosedBecause>("because", self.because.as_deref())?;
        let before: Option<Result<IncidentCursor, _>> = self.before.map(|text| text.parse());
        let before = before.transpose().map_err(|error| wrong("before", &error))?;
        Ok(IncidentChoice { mission, kinds, because, before, most: self.limit.unwrap_or(MOST).min(MOST) })
    }
}

fn wrong(key: &'static str, error: &dyn std::error::Error) -> ApiError {
    ApiError::Wrong { key, why: error.to_string() }
}

/// A list with commas, each of which `T` knows.
fn words<T: DeserializeOwned>(key: &'static str, list: Option<&str>) -> Result<Vec<String>, ApiError> {
    let known = |word: &str| match serde_json::from_value::<T>(word.into()) {
        Ok(_) => Ok(word.to_owned()),
        Err(error) => Err(wrong(key, &error)),
    };
    list.map_or(Ok(Vec::new()), |list| list.split(',').map(known).collect())
}

pub(super) async fn incidents(
    State(api): State<Api>,
    Read(Query(wanted)): Read<Query<Wanted>>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    if wanted.farm.is_some() {
        let why =
            "these are of all farms: ask for those of a mission, /api/missions/{mission}/incidents".into();
        return Err(ApiError::Wrong { key: "farm", why });
    }
    let choice = wanted.of(None)?;
    json(&asked, &ask(&api, move |store| Ok(store.incidents(&choice)?)).await?)
}

pub(super) async fn mission_incidents(
    State(api): State<Api>,
    Read(Path(of)): Read<Path<MissionPath>>,
    Read(Query(wanted)): Read<Query<Wanted>>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    let of = of.of(wanted.farm.clone());
    let incidents = ask(&api, move |store| Ok(store.incidents(&wanted.of(Some(of.key(store)?))?)?));
    json(&asked, &incidents.await?)
}

pub(super) async fn quarantine(
    State(api): State<Api>,
    _: Read<Query<NoChoice>>,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    json(&asked, &ask(&api, |store| Ok(store.quarantine(MOST)?)).await?)
}
