//! The contract of every store, and ingest in front of it.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]
#![cfg(feature = "cloud")]

mod support;

use kompas_cloud_sync::ingest::{Arrival, Taken, take};
use kompas_cloud_sync::outbox::{Origin, Outbox, OutboxLimits};
use kompas_cloud_sync::store::sqlite::SqliteFile;
use kompas_cloud_sync::store::{Store, Stores};
use kompas_cloud_sync::wire::Outcome;
use kompas_field::ids::{BootId, FieldId, MissionId, RobotId};
use kompas_field::record::MissionFinished;
use kompas_field::{
    CellIndex, ClockQuality, Datum, Digest, Envelope, FieldCrop, Payload, RobotInstant, WallTime,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use support::season::Season;
use tempfile::TempDir;

const TOPIC: &str = "v1/valthermond/kompas-01/records";

/// The records of a small season as they travel.
fn season(seed: u64) -> Vec<Arrival> {
    let directory = TempDir::new().unwrap();
    let robot = RobotId::new("kompas-01").unwrap();
    let mut outbox = Outbox::open(&directory.path().join("o"), &robot, OutboxLimits::default()).unwrap();
    let boot = BootId::new("b-1").unwrap();
    let origin = Origin { boot, clock_quality: ClockQuality::Gnss, datum: Datum::Etrs89 };
    outbox.append(&origin, &Season { size_m: (30.0, 18.0), ..Season::small(seed) }.drafts()).unwrap();
    let mut lent = outbox.lend(usize::MAX, RobotInstant::START, RobotInstant::START).unwrap();
    lent.sort_by_key(|record| record.key.seq);
    lent.into_iter().map(|record| arrival(record.wire)).collect()
}

fn arrival(bytes: Vec<u8>) -> Arrival {
    Arrival { topic: TOPIC.to_owned(), bytes, received: WallTime::from_unix_ms(1_800_000_000_000) }
}

fn mission() -> MissionId {
    MissionId::new("m-small").unwrap()
}

/// Everything that readers can see, but for when it came.
fn everything(store: &dyn Store) -> Value {
    let mission = mission();
    json!({
        "counts": store.counts().unwrap(),
        "fields": store.fields().unwrap(),
        "missions": store.missions(None).unwrap().into_iter().map(|mut m| { m.version = 0; m }).collect::<Vec<_>>(),
        "cells": store.cells(&mission).unwrap(),
        "plants": store.plants(&mission, None, &[]).unwrap(),
        "openings": store.openings(&mission, None).unwrap(),
        "incidents": store.incidents(Some(&mission), 100).unwrap(),
        "track": store.track(&mission).unwrap().iter().map(|p| json!([p.boot, p.at_ns, p.position])).collect::<Vec<_>>(),
        "robots": store.robots().unwrap(),
    })
}

/// Every `Store` passes this; each backend's test calls it with a way to make an empty one.
fn store_contract(empty: &dyn Fn() -> Box<dyn Store>) {
    an_empty_store_answers(empty().as_ref());
    a_second_ingest_changes_nothing(empty().as_mut());
    order_and_repetition_do_not_show(empty);
    views_agree_with_the_robots_totals(empty().as_mut());
    a_rebuild_gives_the_same(empty().as_mut());
    ranges_hold_what_lies_in_them(empty().as_mut());
}

fn an_empty_store_answers(store: &dyn Store) {
    let id = mission();
    assert!(store.missions(None).unwrap().is_empty() && store.fields().unwrap().is_empty());
    assert!(store.mission(&id).unwrap().is_none() && store.cells(&id).unwrap().is_empty());
    assert!(store.field(&FieldId::new("f").unwrap()).unwrap().is_none());
    assert_eq!(store.counts().unwrap(), kompas_cloud_sync::store::StoreCounts::default());
}

fn a_second_ingest_changes_nothing(store: &mut dyn Store) {
    let arrivals = season(1);
    let first = take(store, &arrivals).unwrap();
    let (before, count) = (everything(store), arrivals.len() as u64);
    assert_eq!((first.new, first.again), (count, 0));
    let second = take(store, &arrivals).unwrap();
    assert_eq!((second.new, second.again), (0, count));
    assert_eq!(second.acks, first.acks, "receipted again");
    assert_eq!(everything(store), before);
}

fn order_and_repetition_do_not_show(empty: &dyn Fn() -> Box<dyn Store>) {
    let arrivals = season(2);
    let mut straight = empty();
    take(straight.as_mut(), &arrivals).unwrap();
    let wanted = everything(straight.as_ref());
    for seed in 0..4 {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut store = empty();
        let mut left: Vec<Arrival> =
            arrivals.iter().chain(&arrivals[..arrivals.len() / 2]).cloned().collect();
        while !left.is_empty() {
            let batch = dice.random_range(1..=left.len().min(9));
            let some: Vec<Arrival> =
                (0..batch).map(|_| left.swap_remove(dice.random_range(0..left.len()))).collect();
            take(store.as_mut(), &some).unwrap();
        }
        assert_eq!(everything(store.as_ref()), wanted, "seed {seed}");
    }
}

fn views_agree_with_the_robots_totals(store: &mut dyn Store) {
    take(store, &season(3)).unwrap();
    let view = store.mission(&mission()).unwrap().unwrap();
    let MissionFinished { plants, plants_treated, volume_l, .. } = view.finished.clone().unwrap();
    assert!(plants > 500 && plants_treated > 10, "{plants} plants, {plants_treated} treated");
    assert_eq!((view.plants, view.treated), (plants, plants_treated));
    assert!((view.volume_l - volume_l).abs() < 1e-6, "{} {volume_l}", view.volume_l);
    let cells = store.cells(&mission()).unwrap();
    assert_eq!(cells.iter().map(|c| u64::from(c.unwanted + c.protected)).sum::<u64>(), plants);
    assert_eq!(cells.iter().map(|c| u64::from(c.unwanted)).sum::<u64>(), view.unwanted);
    assert_eq!(cells.iter().map(|c| u64::from(c.openings)).sum::<u64>(), view.openings);
    assert_eq!(cells.iter().filter(|c| c.openings > 0).count() as u64, view.cells_treated);
    assert_eq!(store.fields().unwrap()[0].missions, 1);
}

fn a_rebuild_gives_the_same(store: &mut dyn Store) {
    let arrivals = season(4);
    take(store, &arrivals).unwrap();
    let before = everything(store);
    assert_eq!(store.rebuild().unwrap(), arrivals.len() as u64);
    assert_eq!(everything(store), before);
}

fn ranges_hold_what_lies_in_them(store: &mut dyn Store) {
    take(store, &season(5)).unwrap();
    let (id, cell) = (mission(), CellIndex { col: 11, row: 7 });
    let all = store.plants(&id, None, &[]).unwrap();
    let here = store.plants(&id, Some(cell.into()), &[]).unwrap();
    let wanted: Vec<_> = all.iter().filter(|plant| plant.decision.cell == Some(cell)).cloned().collect();
    assert!(!here.is_empty());
    assert_eq!(here, wanted);
    let weeds = store.plants(&id, None, &[kompas_field::PlantClass::Weed]).unwrap();
    assert!(!weeds.is_empty() && weeds.iter().all(|p| p.decision.class == kompas_field::PlantClass::Weed));
    let one = &weeds[0];
    let found = store.plant(&id, &one.robot, &one.boot, one.decision.plant.0).unwrap();
    assert_eq!(found.as_ref(), Some(one));
}

#[test]
fn sqlite_keeps_the_contract() {
    let directory = TempDir::new().unwrap();
    let made = std::cell::Cell::new(0);
    store_contract(&|| {
        made.set(made.get() + 1);
        SqliteFile::at(directory.path().join(format!("{}.sqlite", made.get()))).open().unwrap()
    });
}

#[test]
fn a_store_of_an_older_format_is_made_again_when_it_is_opened() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("cloud.sqlite");
    let before = {
        let mut store = SqliteFile::at(&path).open().unwrap();
        take(store.as_mut(), &season(4)).unwrap();
        everything(store.as_ref())
    };
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch("DROP TABLE missions; CREATE TABLE missions(mission TEXT); PRAGMA user_version = 1")
        .unwrap();
    drop(old);
    for _ in 0..2 {
        assert_eq!(everything(SqliteFile::at(&path).open().unwrap().as_ref()), before);
    }
}

#[test]
fn an_edited_field_does_not_change_what_was_done_on_it_before() {
    let arrivals = season(3);
    let began = WallTime::from_unix_ms(1_800_000_000_000);
    // Next year: the same name, potatoes, a corner sold.
    let later = changed(&arrivals[0], |value| {
        value["seq"] = json!(9_999);
        value["t_wall"] = json!(began);
        value["payload"]["mission"] = json!("m-later");
        value["payload"]["field"]["crop"] = json!("potato");
        value["payload"]["field"]["boundary"]["exclusions"] = json!([]);
    });
    for late_is_first in [false, true] {
        with_store(|store| {
            let rest: Vec<Arrival> = arrivals.iter().chain([&later]).cloned().collect();
            let order = if late_is_first { rest.iter().rev().cloned().collect() } else { rest };
            take(store, &order).unwrap();
            let of = |id: &str| {
                let id = MissionId::new(id).unwrap();
                (store.mission(&id).unwrap().unwrap(), store.field_of(&id).unwrap().unwrap())
            };
            let ((old, old_field), (new, new_field)) = (of("m-small"), of("m-later"));
            assert_eq!((old.crop, new.crop), (Some(FieldCrop::SugarBeet), Some(FieldCrop::Potato)));
            assert!(old.area_m2 < new.area_m2 && old_field.digest() != new_field.digest());
            assert_eq!(store.field(&new_field.id).unwrap(), Some(new_field), "the list has the latest");
            assert_eq!(store.fields().unwrap()[0].crop, "potato");
        });
    }
}

#[test]
fn each_opening_keeps_what_was_in_the_tank() {
    with_store(|store| {
        let mut arrivals = season(3);
        let applied = arrivals.iter_mut().filter(|one| {
            let envelope: Envelope = serde_json::from_slice(&one.bytes).unwrap();
            envelope.open().unwrap().kind() == "as_applied"
        });
        let tanks = [json!("middel A"), json!(null), json!("middel B"), json!("middel A")];
        for (one, tank) in applied.zip(tanks.iter().cycle()) {
            *one = changed(one, |value| value["payload"]["product"] = tank.clone());
        }
        take(store, &arrivals).unwrap();
        let view = store.mission(&mission()).unwrap().unwrap();
        assert_eq!(json!(view.products), json!([null, "middel A", "middel B"]));
        let openings = store.openings(&mission(), None).unwrap();
        for tank in &tanks {
            assert!(openings.iter().any(|one| json!(one.product) == *tank), "{tank}");
        }
        let before = everything(store);
        store.rebuild().unwrap();
        assert_eq!(everything(store), before);
    });
}

#[test]
fn a_mission_knows_its_own_records_and_when_the_last_came() {
    with_store(|store| {
        let mut arrivals = season(3);
        let other = changed(&arrivals[0], |value| {
            value["seq"] = json!(9_999);
            value["payload"]["mission"] = json!("m-later");
        });
        arrivals.push(Arrival { received: WallTime::from_unix_ms(1_800_000_900_000), ..other });
        take(store, &arrivals).unwrap();
        let of = |id: &str| store.mission(&MissionId::new(id).unwrap()).unwrap().unwrap();
        let (first, later) = (of("m-small"), of("m-later"));
        assert_eq!((first.records, later.records), (arrivals.len() as u64 - 1, 1));
        assert_eq!((first.last_received_ms, later.last_received_ms), (1_800_000_000_000, 1_800_000_900_000));
    });
}

fn with_store(test: impl FnOnce(&mut dyn Store)) {
    let directory = TempDir::new().unwrap();
    test(SqliteFile::at(directory.path().join("cloud.sqlite")).open().unwrap().as_mut());
}

/// A record with another payload, schema or number than it had; hashes fit again.
fn changed(original: &Arrival, change: impl FnOnce(&mut Value)) -> Arrival {
    let mut value: Value = serde_json::from_slice(&original.bytes).unwrap();
    change(&mut value);
    let payload = serde_json::to_string(&value["payload"]).unwrap();
    value["payload_sha256"] = json!(Digest::of_bytes(payload.as_bytes()));
    arrival(serde_json::to_vec(&value).unwrap())
}

fn outcomes(taken: &Taken) -> Vec<Outcome> {
    taken.acks.iter().flat_map(|(_, ack)| ack.records.iter().map(|receipt| receipt.outcome)).collect()
}

#[test]
fn two_records_with_one_key_are_both_set_apart() {
    with_store(|store| {
        let first = season(6).remove(0);
        let second = changed(&first, |value| value["payload"]["rig"] = json!("another robot's rig"));
        assert_eq!(outcomes(&take(store, std::slice::from_ref(&first)).unwrap()), [Outcome::Committed]);
        for _ in 0..3 {
            let taken = take(store, std::slice::from_ref(&second)).unwrap();
            assert_eq!(outcomes(&taken), [Outcome::Quarantined]);
            assert_eq!(taken.quarantined["same_key"], 1);
        }
        assert_eq!(outcomes(&take(store, &[first]).unwrap()), [Outcome::Committed]);
        let counts = store.counts().unwrap();
        assert_eq!((counts.records, counts.disputed, counts.quarantined), (1, 1, 2));
        assert!(store.quarantine(9).unwrap().iter().all(|one| one.why == "same_key"));
    });
}

#[test]
fn an_unknown_schema_is_stored_and_flagged_and_survives_a_rebuild() {
    with_store(|store| {
        let future = changed(&season(7)[1], |value| {
            value["schema"] = json!("kompas.record/9");
            value["payload"] = json!({ "kind": "sampled_soil", "depth_cm": 30 });
        });
        assert_eq!(outcomes(&take(store, &[future]).unwrap()), [Outcome::Committed]);
        store.rebuild().unwrap();
        let counts = store.counts().unwrap();
        assert_eq!((counts.records, counts.unknown_schema, counts.quarantined), (1, 1, 0));
    });
}

#[test]
fn a_later_version_may_add_keys() {
    with_store(|store| {
        let richer = changed(&season(7)[0], |value| {
            value["battery_percent"] = json!(81);
            value["payload"]["weather"] = json!({ "wind_mps": 2.5 });
        });
        assert_eq!(take(store, &[richer]).unwrap().new, 1);
        assert_eq!(store.missions(None).unwrap().len(), 1);
    });
}

#[test]
fn what_does_not_read_is_set_apart_once_and_stops_nobody() {
    with_store(|store| {
        let good = season(8);
        let mut torn = good[1].clone();
        torn.bytes.truncate(torn.bytes.len() / 2);
        let mut flipped = good[2].clone();
        let place = flipped.bytes.len() - 20;
        flipped.bytes[place] ^= 1;
        let huge = arrival(vec![b' '; 70_000]);
        let impostor = Arrival { topic: "v1/valthermond/kompas-99/records".to_owned(), ..good[3].clone() };
        let unreadable =
            changed(&good[4], |value| value["payload"] = json!({ "kind": "plants", "mission": 7 }));
        let beyond = changed(&good[5], |value| value["seq"] = json!(u64::MAX));
        let bad = [torn, flipped, huge, impostor, unreadable, beyond, arrival(Vec::new())];
        for round in 0..2 {
            let batch: Vec<Arrival> = bad.iter().chain(&good).cloned().collect();
            let taken = take(store, &batch).unwrap();
            assert_eq!(taken.new, if round == 0 { good.len() as u64 } else { 0 });
            let committed = outcomes(&taken).iter().filter(|o| **o == Outcome::Committed).count();
            assert_eq!(committed, good.len());
            // The unreadable payload and the number beyond SQL are settled; the others may come again.
            assert_eq!(outcomes(&taken).len() - committed, 2);
            assert_eq!(taken.quarantined.values().sum::<u64>(), 7, "{:?}", taken.quarantined);
        }
        let counts = store.counts().unwrap();
        assert_eq!((counts.records, counts.quarantined, counts.disputed), (good.len() as u64, 7, 0));
    });
}

#[test]
fn what_cannot_be_is_set_apart_and_spoils_no_total() {
    let good = season(8);
    let of_kind = |kind: &str| {
        good.iter().find(|one| {
            let envelope: Envelope = serde_json::from_slice(&one.bytes).unwrap();
            envelope.open().unwrap().kind() == kind
        })
    };
    let odd = |kind: &str, pointer: &str, number: Value| {
        let number = |value: &mut Value| *value.pointer_mut(pointer).unwrap() = number;
        (changed(of_kind(kind).unwrap(), number), pointer.rsplit('/').next().unwrap().to_owned())
    };
    for (bad, named) in [
        odd("as_applied", "/payload/openings/1/volume_ml", json!(-3.0)),
        odd("as_applied", "/payload/openings/0/volume_ml", json!(1e300)),
        odd("as_applied", "/payload/openings/0/area_m2", json!(1e18)),
        odd("as_applied", "/payload/openings/0/to/0", json!(40_000.0)),
        odd("plants", "/payload/decisions/0/rate_l_per_ha", json!(-1.0)),
        odd("plants", "/payload/decisions/0/position/1", json!(1e200)),
        odd("track", "/payload/points/0/position/0", json!(-1e7)),
        odd("mission_finished", "/payload/driven_m", json!(1e40)),
    ] {
        with_store(|store| {
            let taken = take(store, &[bad, good[0].clone()]).unwrap();
            assert_eq!(outcomes(&taken), [Outcome::Committed, Outcome::Quarantined], "{named}");
            let kept = store.quarantine(9).unwrap();
            let why = (kept[0].why.as_str(), kept[0].detail.as_str());
            assert!(why.0 == "unreadable_payload" && why.1.contains("is possible"), "{named}: {why:?}");
            assert_eq!(store.missions(None).unwrap().len(), 1);
        });
    }
}

#[test]
fn a_clock_that_no_calendar_has_is_kept_and_can_be_shown() {
    for t_wall in [i64::MIN, i64::MAX] {
        with_store(|store| {
            let odd: Vec<Arrival> =
                season(8).iter().map(|one| changed(one, |value| value["t_wall"] = json!(t_wall))).collect();
            assert_eq!(take(store, &odd).unwrap().new, odd.len() as u64);
            // What `new Date` of a browser takes.
            let calendar = -8_640_000_000_000_000..=8_640_000_000_000_000_i64;
            let view = store.mission(&mission()).unwrap().unwrap();
            let mut times =
                vec![view.first_wall_ms, view.last_wall_ms, store.robots().unwrap()[0].last_wall_ms];
            times.extend(store.openings(&mission(), None).unwrap().iter().map(|one| one.opened_wall_ms));
            times.extend(store.incidents(None, 9).unwrap().iter().map(|one| one.at_wall_ms));
            assert!(times.iter().all(|time| calendar.contains(time)), "{times:?}");
        });
    }
}

#[test]
fn one_robots_receipts_go_to_that_robot() {
    with_store(|store| {
        let one = season(9);
        let other: Vec<Arrival> = one
            .iter()
            .map(|original| {
                let renamed = changed(original, |value| value["robot_id"] = json!("drone-2"));
                Arrival { topic: "v1/buren/drone-2/records".to_owned(), ..renamed }
            })
            .collect();
        let taken = take(store, &one.iter().chain(&other).cloned().collect::<Vec<_>>()).unwrap();
        let topics: Vec<&str> = taken.acks.iter().map(|(topic, _)| topic.as_str()).collect();
        assert_eq!(topics, ["v1/buren/drone-2/ack", "v1/valthermond/kompas-01/ack"]);
        assert!(taken.acks.iter().all(|(_, ack)| ack.records.len() == one.len()));
        assert_eq!(store.robots().unwrap().len(), 2);
    });
}

#[test]
fn the_wire_form_of_every_payload_kind_is_in_the_season() {
    let mut kinds: Vec<&str> = season(1)
        .iter()
        .map(|arrival| serde_json::from_slice::<Envelope>(&arrival.bytes).unwrap().open().unwrap())
        .map(|payload: Payload| payload.kind())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["as_applied", "incident", "mission_finished", "mission_started", "plants", "track"]);
}
