//! Records as they arrive, made from a small season, and a store to take them into.

use super::season::Season;
use kompas_cloud_sync::ingest::{Arrival, Taken};
use kompas_cloud_sync::outbox::{Origin, Outbox, OutboxLimits};
use kompas_cloud_sync::store::sqlite::SqliteFile;
use kompas_cloud_sync::store::{IncidentChoice, MissionChoice, MissionKey, Store, Stores};
use kompas_cloud_sync::wire::Outcome;
use kompas_field::ids::{BootId, FarmId, MissionId, RobotId};
use kompas_field::{ClockQuality, Datum, Digest, RobotInstant, WallTime};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const TOPIC: &str = "v1/valthermond/kompas-01/records";

/// The records of a small season as they travel.
pub(crate) fn season(seed: u64) -> Vec<Arrival> {
    let directory = TempDir::new().unwrap();
    let robot = RobotId::new("kompas-01").unwrap();
    let mut outbox = Outbox::open(&directory.path().join("o"), &robot, OutboxLimits::default()).unwrap();
    let boot = BootId::new("b-1").unwrap();
    let origin = Origin { boot, clock_quality: ClockQuality::Gnss, datum: Datum::Etrs89 };
    outbox.append(&origin, &Season { size_m: (30.0, 18.0), ..Season::small(seed) }.drafts()).unwrap();
    let mut lent = outbox.lend(MANY, RobotInstant::START, RobotInstant::START).unwrap();
    lent.sort_by_key(|record| record.key.seq);
    lent.into_iter().map(|record| arrival(record.wire)).collect()
}

pub(crate) fn arrival(bytes: Vec<u8>) -> Arrival {
    Arrival { topic: TOPIC.to_owned(), bytes, received: WallTime::from_unix_ms(1_800_000_000_000) }
}

/// More than any season has.
pub(crate) const MANY: usize = 1_000_000;

pub(crate) fn farm() -> FarmId {
    FarmId::new("valthermond").unwrap()
}

pub(crate) fn named(mission: &str) -> MissionKey {
    MissionKey { farm: farm(), mission: MissionId::new(mission).unwrap() }
}

pub(crate) fn mission() -> MissionKey {
    named("m-small")
}

pub(crate) fn all() -> MissionChoice {
    MissionChoice { farm: None, field: None, before: None, most: 500 }
}

pub(crate) fn incidents(mission: Option<&MissionKey>) -> IncidentChoice {
    IncidentChoice {
        mission: mission.cloned(),
        kinds: Vec::new(),
        because: Vec::new(),
        before: None,
        most: 500,
    }
}

/// Everything that readers can see, but for when it came.
pub(crate) fn everything(store: &dyn Store) -> Value {
    let mission = mission();
    json!({
        "counts": store.counts().unwrap(),
        "fields": store.fields().unwrap(),
        "missions": store.missions(&all()).unwrap().into_iter().map(|mut m| { m.version = 0; m }).collect::<Vec<_>>(),
        "cells": store.cells(&mission).unwrap(),
        "plants": store.plants(&mission, None, &[], MANY).unwrap(),
        "openings": store.openings(&mission, None, MANY).unwrap(),
        "incidents": store.incidents(&incidents(Some(&mission))).unwrap(),
        "track": store.track(&mission).unwrap().iter().map(|p| json!([p.boot, p.at_ns, p.position])).collect::<Vec<_>>(),
        "robots": store.robots().unwrap(),
    })
}

pub(crate) fn with_store(test: impl FnOnce(&mut dyn Store)) {
    let directory = TempDir::new().unwrap();
    test(SqliteFile::at(directory.path().join("cloud.sqlite")).open().unwrap().as_mut());
}

/// A record with another payload, schema or number than it had; hashes fit again.
pub(crate) fn changed(original: &Arrival, change: impl FnOnce(&mut Value)) -> Arrival {
    let mut value: Value = serde_json::from_slice(&original.bytes).unwrap();
    change(&mut value);
    let payload = serde_json::to_string(&value["payload"]).unwrap();
    value["payload_sha256"] = json!(Digest::of_bytes(payload.as_bytes()));
    arrival(serde_json::to_vec(&value).unwrap())
}

pub(crate) fn outcomes(taken: &Taken) -> Vec<Outcome> {
    taken.acks.iter().flat_map(|(_, ack)| ack.records.iter().map(|receipt| receipt.outcome)).collect()
}
