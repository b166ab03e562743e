//! No number in a record stops ingest, or a reader of what it took.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]
#![cfg(feature = "cloud")]

mod support;

use kompas_cloud_sync::ingest::{Arrival, take};
use kompas_field::Envelope;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::arrivals::{changed, everything, outcomes, season, with_store};

/// The first record of every kind.
fn kinds() -> BTreeMap<&'static str, Arrival> {
    let kind = |one: &Arrival| serde_json::from_slice::<Envelope>(&one.bytes).unwrap().open().unwrap().kind();
    season(3).into_iter().rev().map(|one| (kind(&one), one)).collect()
}

/// Places of numbers; of a list only its first two items, the others are alike.
fn numbers(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(at.to_owned()),
        Value::Array(items) => {
            items.iter().take(2).enumerate().for_each(|(i, item)| numbers(item, &format!("{at}/{i}"), found));
        }
        Value::Object(keys) => {
            keys.iter().for_each(|(key, item)| numbers(item, &format!("{at}/{key}"), found));
        }
        _ => {}
    }
}

#[test]
fn no_number_stops_ingest_or_a_reader() {
    let extremes =
        [json!(1.7e308), json!(-1.7e308), json!(5e-324), json!(u64::MAX), json!(i64::MIN), json!(u32::MAX)];
    for (kind, original) in kinds() {
        with_store(|store| {
            let mut places = Vec::new();
            numbers(&serde_json::from_slice(&original.bytes).unwrap(), "", &mut places);
            let every = places.iter().flat_map(|place| extremes.iter().map(move |one| (place, one)));
            let odd = (10_000..).zip(every).map(|(seq, (place, extreme))| {
                changed(&original, |value| {
                    value["seq"] = json!(seq);
                    *value.pointer_mut(place).unwrap() = extreme.clone();
                })
            });
            let odd: Vec<Arrival> = odd.collect();
            take(store, &odd).unwrap();
            let good = take(store, &season(3)).unwrap();
            assert_eq!(outcomes(&good).len(), season(3).len(), "{kind}");
            everything(store);
            store.rebuild().unwrap();
            everything(store);
        });
    }
}

/// Both ends are finite, the way between them is not.
#[test]
fn a_boundary_without_end_stops_nobody() {
    with_store(|store| {
        let endless = changed(&kinds()["mission_started"], |value| {
            value["payload"]["field"]["boundary"]["outer"] = json!([[-1.7e308, 0], [0, 1], [1.7e308, 0]]);
        });
        take(store, &[endless]).unwrap();
        assert_eq!(take(store, &season(4)[1..]).unwrap().new, season(4).len() as u64 - 1);
    });
}
