//! The API alone, asked over HTTP.

use super::http::get;
use kompas_cloud_sync::SystemClock;
use kompas_cloud_sync::api::{self, Api};
use kompas_cloud_sync::ingest::{Arrival, take};
use kompas_cloud_sync::store::Stores;
use kompas_cloud_sync::store::sqlite::SqliteFile;
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;

/// The API alone over a store of its own.
pub(crate) struct Served {
    pub(crate) url: String,
    _runtime: tokio::runtime::Runtime,
    _data: TempDir,
}

pub(crate) fn serve(arrivals: &[Arrival], most_features: usize) -> Served {
    let data = TempDir::new().unwrap();
    let stores = SqliteFile::at(data.path().join("cloud.sqlite"));
    serve_from(Arc::new(stores), data, arrivals, most_features)
}

pub(crate) fn serve_from(
    stores: Arc<dyn Stores>,
    data: TempDir,
    arrivals: &[Arrival],
    most_features: usize,
) -> Served {
    take(stores.open().unwrap().as_mut(), arrivals).unwrap();
    let api = Api::new(stores, None, Arc::new(SystemClock::start()), most_features);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    runtime.spawn(async { axum::serve(listener, api::routes(api)).await });
    Served { url, _runtime: runtime, _data: data }
}

/// The status and the reason of a refusal.
pub(crate) fn refused(served: &Served, path: &str) -> (u16, String) {
    let (head, body) = get(&served.url, path, "");
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    let said: Value = serde_json::from_str(&body).unwrap();
    (code, said["error"].as_str().unwrap().to_owned())
}
