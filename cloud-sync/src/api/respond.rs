//! From values to HTTP: errors that say what to do, compression, and "you have this already".

use super::Api;
use crate::store::{FORMAT, Store, StoreError};
use axum::Json;
use axum::extract::FromRequestParts;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::{Compression, write::GzEncoder};
use kompas_field::ids::FarmId;
use serde::{Deserialize, Serialize};
use std::io::Write;

/// Below this, compression costs more than it saves.
const WORTH_COMPRESSING: usize = 1024;

/// The most lines that a list has; those after them are asked for with `before`.
pub(super) const MOST: u32 = 500;

/// After a turn that did not come.
const RETRY_AFTER_S: u16 = 5;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("there is no {what} {name:?}")]
    NotFound { what: &'static str, name: String },
    #[error("there is a {what} {name:?} on several farms: add ?farm= with one of {}", listed(farms))]
    OnSeveralFarms { what: &'static str, name: String, farms: Vec<FarmId> },
    #[error(
        "before: there is a mission {name:?} on several farms: give FARM/{name} with one of {}",
        listed(farms)
    )]
    LastOnSeveralFarms { name: String, farms: Vec<FarmId> },
    #[error("{key}: {why}")]
    Wrong { key: &'static str, why: String },
    #[error("there are more than {most} {what} here: ask for less, with {instead}")]
    TooMuch { what: &'static str, most: usize, instead: &'static str },
    #[error("others are being answered: ask again in {RETRY_AFTER_S} s")]
    Busy,
    #[error("the store does not answer: see the server's log")]
    Store(#[from] StoreError),
    #[error("the answer was interrupted")]
    Interrupted(#[from] tokio::task::JoinError),
    #[error("the answer has no JSON form")]
    Json(#[from] serde_json::Error),
}

fn listed(farms: &[FarmId]) -> String {
    farms.iter().map(FarmId::as_str).collect::<Vec<_>>().join(", ")
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::OnSeveralFarms { .. } | Self::LastOnSeveralFarms { .. } | Self::Wrong { .. } => {
                StatusCode::BAD_REQUEST
            }
            Self::TooMuch { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Interrupted(_) | Self::Json(_) => {
                tracing::error!(error = &self as &dyn std::error::Error, "no answer");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        let mut response = (status, Json(serde_json::json!({ "error": self.to_string() }))).into_response();
        if matches!(self, Self::Busy) {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_S.into());
        }
        response
    }
}

/// What an extractor of axum's reads; its refusal is said as every other.
pub(super) struct Read<E>(pub(super) E);

impl<S: Send + Sync, E: FromRequestParts<S, Rejection: Into<ApiError>>> FromRequestParts<S> for Read<E> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        E::from_request_parts(parts, state).await.map(Self).map_err(Into::into)
    }
}

impl From<PathRejection> for ApiError {
    fn from(refused: PathRejection) -> Self {
        Self::Wrong { key: "path", why: refused.body_text() }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(refused: QueryRejection) -> Self {
        Self::Wrong { key: "query", why: refused.body_text() }
    }
}

/// The query of a question that has no choices.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoChoice {}

/// Runs `question` on a connection of its own, off the async threads.
pub(super) async fn ask<T: Send + 'static>(
    api: &Api,
    question: impl FnOnce(&dyn Store) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let stores = api.stores.clone();
    tokio::task::spawn_blocking(move || question(stores.open()?.as_ref())).await?
}

/// JSON, compressed when the reader takes it.
pub(super) fn json<T: Serialize>(asked: &HeaderMap, value: &T) -> Result<Response, ApiError> {
    Ok(body(asked, JSON, &serde_json::to_vec(value)?))
}

/// What lies on the ground.
pub(super) const GEOJSON: &str = "application/geo+json";

/// What is no GeoJSON.
pub(super) const JSON: &str = "application/json";

/// An answer of this kind that changes only with `version`.
pub(super) fn versioned<T: Serialize>(
    asked: &HeaderMap,
    kind: &'static str,
    version: u64,
    value: &T,
) -> Result<Response, ApiError> {
    let mut response = body(asked, kind, &serde_json::to_vec(value)?);
    response.headers_mut().insert(header::ETAG, etag(version));
    Ok(response)
}

/// Whether the reader has `version` already, and the answer that says so.
pub(super) fn unchanged(asked: &HeaderMap, version: u64) -> Option<Response> {
    (asked.get(header::IF_NONE_MATCH) == Some(&etag(version)))
        .then(|| (StatusCode::NOT_MODIFIED, [(header::ETAG, etag(version))]).into_response())
}

fn etag(version: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("W/\"{FORMAT}-{version}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

fn body(asked: &HeaderMap, kind: &'static str, bytes: &[u8]) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    if bytes.len() >= WORTH_COMPRESSING
        && takes_gzip(asked)
        && let Some(packed) = gzip(bytes, Compression::fast())
    {
        return (headers, [(header::CONTENT_ENCODING, "gzip")], packed).into_response();
    }
    (headers, bytes.to_vec()).into_response()
}

/// Whether the reader takes gzip.
pub(crate) fn takes_gzip(asked: &HeaderMap) -> bool {
    asked.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("gzip"))
}

/// `None` if memory for it cannot be written: then it goes as it is.
pub(crate) fn gzip(bytes: &[u8], how: Compression) -> Option<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), how);
    packer.write_all(bytes).ok()?;
    packer.finish().ok()
}

pub(super) async fn no_such_answer(uri: axum::http::Uri) -> ApiError {
    ApiError::NotFound { what: "answer at", name: uri.path().to_owned() }
}
