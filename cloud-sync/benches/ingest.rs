//! Ingest's rate as a ratio within one run: records per second committed in batches against one at a time.
//! `cargo bench -p kompas-cloud-sync` prints one line of JSON.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement, not a product"
)]

#[path = "../tests/support/season.rs"]
#[expect(dead_code, reason = "this takes a part of it")]
mod season;

use kompas_cloud_sync::ingest::{Arrival, take};
use kompas_cloud_sync::outbox::{Origin, Outbox, OutboxLimits};
use kompas_cloud_sync::store::Stores;
use kompas_cloud_sync::store::sqlite::SqliteFile;
use kompas_field::ids::{BootId, RobotId};
use kompas_field::{ClockQuality, Datum, RobotInstant, WallTime};
use season::Season;
use std::time::Instant;

/// As many as ingest takes at a time when it is behind.
const BATCH: usize = 256;

fn arrivals(directory: &std::path::Path) -> Vec<Arrival> {
    let robot = RobotId::new("kompas-01").unwrap();
    let mut outbox = Outbox::open(&directory.join("outbox"), &robot, OutboxLimits::default()).unwrap();
    let boot = BootId::new("b-1").unwrap();
    let origin = Origin { boot, clock_quality: ClockQuality::Gnss, datum: Datum::Etrs89 };
    outbox.append(&origin, &Season::half_hectare(1, 1.0).drafts()).unwrap();
    let lent = outbox.lend(usize::MAX, RobotInstant::START, RobotInstant::START).unwrap();
    let topic = "v1/valthermond/kompas-01/records".to_owned();
    let received = WallTime::from_unix_ms(0);
    lent.into_iter().map(|record| Arrival { topic: topic.clone(), bytes: record.wire, received }).collect()
}

fn records_per_second(directory: &std::path::Path, arrivals: &[Arrival], batch: usize) -> f64 {
    let stores = SqliteFile::at(directory.join(format!("cloud-{batch}.sqlite")));
    let mut store = stores.open().unwrap();
    let start = Instant::now();
    for some in arrivals.chunks(batch) {
        take(store.as_mut(), some).unwrap();
    }
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(store.counts().unwrap().records, arrivals.len() as u64);
    arrivals.len() as f64 / seconds
}

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let arrivals = arrivals(directory.path());
    let bytes: usize = arrivals.iter().map(|arrival| arrival.bytes.len()).sum();
    let (one, batched) = (
        records_per_second(directory.path(), &arrivals, 1),
        records_per_second(directory.path(), &arrivals, BATCH),
    );
    let figures = serde_json::json!({
        "records": arrivals.len(), "mean_bytes": bytes / arrivals.len(),
        "one_per_commit_records_per_second": one.round(), "batched_records_per_second": batched.round(),
        "ratio": (batched / one * 100.0).round() / 100.0,
    });
    println!("{figures}");
}
