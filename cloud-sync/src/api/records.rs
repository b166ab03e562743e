//! What has arrived, from whom, and what needs a person.

use super::Api;
use super::named::Named;
use super::respond::{ApiError, MOST, ask, json};
use crate::ingest::IngestStatus;
use crate::store::{RobotView, StoreCounts};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Status {
    now_ms: i64,
    version: &'static str,
    counts: StoreCounts,
    ingest: Option<IngestStatus>,
    robots: Vec<RobotView>,
}

pub(super) async fn status(State(api): State<Api>, asked: HeaderMap) -> Result<Response, ApiError> {
    let ingest = api.ingest.as_ref().map(|ingest| ingest.status());
    let (counts, robots) = ask(&api, |store| Ok((store.counts()?, store.robots()?))).await?;
    let now_ms = api.clock.wall().unix_ms();
    json(&asked, &Status { now_ms, version: env!("CARGO_PKG_VERSION"), counts, ingest, robots })
}

pub(super) async fn incidents(State(api): State<Api>, asked: HeaderMap) -> Result<Response, ApiError> {
    json(&asked, &ask(&api, |store| Ok(store.incidents(None, MOST)?)).await?)
}

pub(super) async fn mission_incidents(
    State(api): State<Api>,
    of: Named,
    asked: HeaderMap,
) -> Result<Response, ApiError> {
    json(&asked, &ask(&api, move |store| Ok(store.incidents(Some(&of.key(store)?), MOST)?)).await?)
}

pub(super) async fn quarantine(State(api): State<Api>, asked: HeaderMap) -> Result<Response, ApiError> {
    json(&asked, &ask(&api, |store| Ok(store.quarantine(MOST)?)).await?)
}
