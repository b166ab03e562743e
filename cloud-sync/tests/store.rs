//! The contract of every store, and ingest in front of it.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]
#![cfg(feature = "cloud")]

mod support;

use kompas_cloud_sync::ingest::{Arrival, take};
use kompas_cloud_sync::store::sqlite::SqliteFile;
use kompas_cloud_sync::store::{Store, Stores};
use kompas_cloud_sync::wire::Outcome;
use kompas_field::ids::FieldId;
use kompas_field::record::MissionFinished;
use kompas_field::{CellIndex, Envelope, Payload};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use support::arrivals::{
    MANY, all, arrival, changed, everything, farm, incidents, mission, outcomes, season, with_store,
};
use tempfile::TempDir;

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
    assert!(store.missions(&all()).unwrap().is_empty() && store.fields().unwrap().is_empty());
    assert!(store.mission(&id).unwrap().is_none() && store.cells(&id).unwrap().is_empty());
    assert!(store.field(&farm(), &FieldId::new("f").unwrap()).unwrap().is_none());
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
    let fallen_ul = cells.iter().map(|c| c.volume_ul).sum::<u64>();
    assert!((fallen_ul as f64 * 1e-6 - volume_l).abs() < 1e-6, "{fallen_ul} {volume_l}");
    assert!(cells.iter().map(|c| u64::from(c.openings)).sum::<u64>() >= view.openings);
    assert_eq!(cells.len() as u64, view.cells_seen);
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
    let all = store.plants(&id, None, &[], MANY).unwrap();
    let here = store.plants(&id, Some(cell.into()), &[], MANY).unwrap();
    let wanted: Vec<_> = all.iter().filter(|plant| plant.decision.cell == Some(cell)).cloned().collect();
    assert!(!here.is_empty());
    assert_eq!(here, wanted);
    let weeds = store.plants(&id, None, &[kompas_field::PlantClass::Weed], MANY).unwrap();
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
fn two_robots_of_one_name_are_noticed_and_lose_nothing() {
    with_store(|store| {
        let ours = season(6);
        // One robot in two runs: numbers go on.
        let (first, second) = ours.split_at(5);
        let of_boot = |boot: &str, some: &[Arrival]| -> Vec<Arrival> {
            some.iter().map(|one| changed(one, |value| value["boot_id"] = json!(boot))).collect()
        };
        take(store, first).unwrap();
        assert!(take(store, &of_boot("b-2", second)).unwrap().disputed.is_empty());
        assert_eq!((store.counts().unwrap().disputed, store.robots().unwrap()[0].disputed), (0, 0));
        // Another one of its name, with an outbox of its own that counts from 1, too.
        let twin = take(store, &of_boot("b-3", &first[..2])).unwrap();
        assert_eq!((twin.new, twin.disputed.values().sum::<u64>()), (2, 2));
        assert_eq!(outcomes(&twin), [Outcome::Committed; 2]);
        let told = |store: &dyn Store| {
            let counts = store.counts().unwrap();
            (counts.records, counts.disputed, counts.quarantined, store.robots().unwrap()[0].disputed)
        };
        let wanted = (ours.len() as u64 + 2, 4, 0, 4);
        assert_eq!(told(store), wanted);
        store.rebuild().unwrap();
        assert_eq!(told(store), wanted);
        // On another farm the name is another robot's.
        let far = of_boot("b-4", first).into_iter();
        let far = far.map(|one| Arrival { topic: "v1/buren/kompas-01/records".to_owned(), ..one });
        assert!(take(store, &far.collect::<Vec<_>>()).unwrap().disputed.is_empty());
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
        assert_eq!((counts.records, counts.unread, counts.quarantined), (1, 1, 0));
    });
}

#[test]
fn a_word_that_a_newer_robot_uses_waits_for_a_cloud_that_knows_it() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("cloud.sqlite");
    let mut store = SqliteFile::at(&path).open().unwrap();
    let closed = season(7)
        .into_iter()
        .find(|one| String::from_utf8_lossy(&one.bytes).contains("\"incident\":\"closed\""));
    let known = closed.unwrap();
    let newer = changed(&known, |value| value["payload"]["because"] = json!("night_frost"));
    let taken = take(store.as_mut(), std::slice::from_ref(&newer)).unwrap();
    assert_eq!(outcomes(&taken), [Outcome::Committed]);
    let (why, count) = taken.unread.first_key_value().unwrap();
    assert!(why.contains("night_frost") && *count == 1, "{why}");
    store.rebuild().unwrap();
    let told = |store: &dyn Store| {
        let counts = store.counts().unwrap();
        (counts.records, counts.unread, counts.quarantined, store.incidents(&incidents(None)).unwrap().len())
    };
    assert_eq!(told(store.as_ref()), (1, 1, 0, 0));
    // The program learns the word: here the word becomes one that it knows, and the store is of an older format.
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("UPDATE records SET wire = ?1", [&known.bytes]).unwrap();
    db.execute_batch("PRAGMA user_version = 1").unwrap();
    assert_eq!(told(SqliteFile::at(&path).open().unwrap().as_ref()), (1, 0, 0, 1));
}

#[test]
fn a_later_version_may_add_keys() {
    with_store(|store| {
        let richer = changed(&season(7)[0], |value| {
            value["battery_percent"] = json!(81);
            value["payload"]["weather"] = json!({ "wind_mps": 2.5 });
        });
        assert_eq!(take(store, &[richer]).unwrap().new, 1);
        assert_eq!(store.missions(&all()).unwrap().len(), 1);
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
        let unreadable = changed(&unreadable, |value| value["seq"] = json!(9_999));
        let of_kind = |kind: &str| good.iter().find(|one| String::from_utf8_lossy(&one.bytes).contains(kind));
        let endless = changed(of_kind("mission_finished").unwrap(), |value| {
            value["payload"]["driven_m"] = json!(1e40);
        });
        let beyond = changed(&good[5], |value| value["seq"] = json!(u64::MAX));
        let bad = [torn, flipped, huge, impostor, endless, beyond, arrival(Vec::new()), unreadable];
        for round in 0..2 {
            let batch: Vec<Arrival> = bad.iter().chain(&good).cloned().collect();
            let taken = take(store, &batch).unwrap();
            assert_eq!(taken.new, if round == 0 { good.len() as u64 + 1 } else { 0 });
            let committed = outcomes(&taken).iter().filter(|o| **o == Outcome::Committed).count();
            assert_eq!(committed, good.len() + 1, "what does not read is stored as it came");
            // The number that cannot be and the one beyond SQL are settled; the others may come again.
            assert_eq!(outcomes(&taken).len() - committed, 2);
            assert_eq!(taken.quarantined.values().sum::<u64>(), 7, "{:?}", taken.quarantined);
        }
        let counts = store.counts().unwrap();
        assert_eq!((counts.records, counts.unread), (good.len() as u64 + 1, 1));
        assert_eq!((counts.quarantined, counts.disputed), (7, 0));
    });
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

#[test]
fn a_store_has_a_name_of_its_own_and_keeps_it() {
    let directory = TempDir::new().unwrap();
    let id = |name: &str| SqliteFile::at(directory.path().join(name)).open().unwrap().id().unwrap();
    let (one, other) = (id("one.sqlite"), id("other.sqlite"));
    assert!(one != other && one.len() == 8, "{one} {other}");
    let db = rusqlite::Connection::open(directory.path().join("one.sqlite")).unwrap();
    db.execute_batch("PRAGMA user_version = 1").unwrap();
    assert_eq!(id("one.sqlite"), one);
}
