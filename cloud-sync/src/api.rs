//! What the cloud tells browsers and programs: JSON, and GeoJSON for what lies on the ground.
//!
//! Lists carry no geometry. Lengths, areas and times have their unit in the key; times are milliseconds since
//! 1970-01-01 UTC. Positions are longitude and latitude in the `datum` that the answer names. A key or a value that is
//! not understood is refused (400) with the reason, what does not exist is not found (404), and a layer whose turn does
//! not come is for later (503).

mod geo;
mod layers;
mod map;
mod named;
mod records;
mod respond;
mod why;
mod within;

pub(crate) use respond::{gzip, takes_gzip};

use crate::ingest::IngestHandle;
use crate::store::Stores;
use axum::Router;
use axum::routing::get;
use kompas_field::Clock;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Layers made at a time. Each may be large, and ingest lives in the same process.
const LAYERS_AT_A_TIME: usize = 2;

/// What every answer may need.
#[derive(Clone)]
pub struct Api {
    stores: Arc<dyn Stores>,
    ingest: Option<Arc<IngestHandle>>,
    clock: Arc<dyn Clock>,
    most_features: usize,
    layers: Arc<Semaphore>,
}

impl Api {
    /// Of 300 bytes each: what a map draws at once, and memory that a small machine has.
    pub const MOST_FEATURES: usize = 100_000;

    /// Answers from `stores`, about `ingest` where anything is taken in; ages by `clock`. No layer has more than
    /// `most_features`.
    pub fn new(
        stores: Arc<dyn Stores>,
        ingest: Option<Arc<IngestHandle>>,
        clock: Arc<dyn Clock>,
        most_features: usize,
    ) -> Self {
        let layers = Arc::new(Semaphore::new(LAYERS_AT_A_TIME));
        Self { stores, ingest, clock, most_features, layers }
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

/// Every route under `/api`.
pub fn routes(api: Api) -> Router {
    Router::new()
        .route("/api/status", get(records::status))
        .route("/api/incidents", get(records::incidents))
        .route("/api/quarantine", get(records::quarantine))
        .route("/api/fields", get(map::fields))
        .route("/api/fields/{field}", get(map::field))
        .route("/api/missions", get(map::missions))
        .route("/api/missions/{mission}", get(map::mission))
        .route("/api/missions/{mission}/field", get(layers::field))
        .route("/api/missions/{mission}/cells", get(layers::cells))
        .route("/api/missions/{mission}/plants", get(layers::plants))
        .route("/api/missions/{mission}/track", get(layers::track))
        .route("/api/missions/{mission}/openings", get(layers::openings))
        .route("/api/missions/{mission}/incidents", get(records::mission_incidents))
        .route("/api/missions/{mission}/cells/{col}/{row}/why", get(why::cell))
        .route("/api/missions/{mission}/plants/{robot}/{boot}/{plant}/why", get(why::plant))
        .route("/api/{*rest}", get(respond::no_such_answer))
        .with_state(api)
}
