//! The README's table of routes is the router's, and so are the queries that it names.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]
#![cfg(feature = "cloud")]

mod support;

use kompas_cloud_sync::SystemClock;
use kompas_cloud_sync::api::{self, Api};
use kompas_cloud_sync::store::sqlite::SqliteFile;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use support::http::get;
use tempfile::TempDir;

/// What stands between backticks.
fn quoted(text: &'static str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Route and keys of its query, as the README has them.
fn table() -> BTreeMap<&'static str, BTreeSet<String>> {
    let rows = include_str!("../README.md").lines().filter_map(|line| {
        let (route, rest) = line.strip_prefix("| `/api/")?.split_once("` |")?;
        Some((route, quoted(rest.split(" | ").next()?)))
    });
    let rows: Vec<_> = rows.collect();
    let table: BTreeMap<_, _> = rows.iter().cloned().collect();
    assert_eq!(table.len(), rows.len(), "a route stands twice");
    table
}

#[test]
fn the_table_of_routes_is_whole() {
    let routed = include_str!("../src/api.rs").lines().filter_map(|line| {
        let (route, _) = line.trim().strip_prefix(".route(\"/api/")?.split_once('"')?;
        // What no route has.
        (!route.starts_with("{*")).then_some(route)
    });
    let routed: BTreeSet<_> = routed.collect();
    assert!(routed.len() > 10, "the router is written otherwise now");
    assert_eq!(table().into_keys().collect::<BTreeSet<_>>(), routed);
}

/// A refusal of a key that nobody knows lists those that are known.
#[test]
fn the_keys_of_each_query_are_told() {
    let data = TempDir::new().unwrap();
    let stores = Arc::new(SqliteFile::at(data.path().join("cloud.sqlite")));
    let api = Api::new(stores, None, Arc::new(SystemClock::start()), Api::MOST_FEATURES);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    runtime.spawn(async { axum::serve(listener, api::routes(api)).await });
    for (route, told) in table() {
        // Ids and numbers read as `1`.
        let path: Vec<_> =
            route.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect();
        let path = format!("/api/{}?nobody-knows=1", path.join("/"));
        let (head, body) = get(&url, &path, "");
        assert!(head.starts_with("HTTP/1.0 400"), "{path}: {head}");
        let said = serde_json::from_str::<Value>(&body).unwrap()["error"].as_str().unwrap().to_owned();
        let known = said.split_once("expected").map_or("", |(_, known)| known);
        let mut known: BTreeSet<String> = known.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        if route == "incidents" {
            known.remove("farm"); // read only to say where those of one farm are
        }
        assert_eq!(told, known, "{route}: {said}");
    }
}
