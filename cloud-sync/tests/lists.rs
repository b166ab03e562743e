//! Lists of incidents and missions: what is asked for is found, however much there is.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]
#![cfg(feature = "cloud")]

mod support;

use kompas_cloud_sync::api::Api;
use kompas_cloud_sync::ingest::Arrival;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::arrivals::{changed, season};
use support::http::json;
use support::served::{refused, serve};

/// A season in which every picture was bad after the emergency stop was pressed: all in one millisecond.
fn bad_pictures(number: u64) -> Vec<Arrival> {
    let start = season(3).remove(0);
    let incident = |seq: u64, mut what: Value| {
        changed(&start, |value| {
            what["kind"] = json!("incident");
            what["mission"] = json!("m-small");
            what["true_at"] = value["t_mono"].clone();
            value["seq"] = json!(seq);
            value["payload"] = what;
        })
    };
    let stop = json!({ "incident": "closed", "because": "emergency_stop" });
    let frames = (0..number).map(|n| {
        incident(
            10_000 + n,
            json!({ "incident": "frame_unusable", "frame": format!("f{n}"), "cause": "too dark" }),
        )
    });
    let mut all: Vec<Arrival> = frames.collect();
    all.push(incident(9_999, stop));
    all.push(start);
    all
}

#[test]
fn an_emergency_stop_is_found_behind_any_number_of_bad_pictures() {
    let served = serve(&bad_pictures(600), Api::MOST_FEATURES);
    for list in ["/api/incidents", "/api/missions/m-small/incidents"] {
        let all = |query: &str| json(&served.url, &format!("{list}?{query}")).as_array().unwrap().clone();
        assert_eq!(all("").len(), 500, "the list is limited");
        let stops = all("kind=closed,reopened");
        assert_eq!((stops.len(), &stops[0]["because"]), (1, &json!("emergency_stop")));
        let (mut seen, mut before) = (Vec::new(), String::new());
        loop {
            let part = all(&format!("limit=250{before}"));
            let Some(last) = part.last() else { break };
            before = format!("&before={}", last["cursor"].as_str().unwrap());
            seen.extend(part.into_iter().map(|one| one["cursor"].to_string()));
        }
        let once: BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), once.len()), (601, 601));
        for (query, named) in [("kind=closed,bang", "bang"), ("before=yesterday", "yesterday")] {
            let (code, reason) = refused(&served, &format!("{list}?{query}"));
            assert!(code == 400 && reason.contains(named), "{query}: {code} {reason}");
        }
    }
}

#[test]
fn an_emergency_stop_is_found_behind_any_number_of_other_closings() {
    let start = season(3).remove(0);
    let incident = |seq: u64, because: Option<&str>| {
        changed(&start, |value| {
            let what = because.map_or(
                json!({ "incident": "reopened" }),
                |because| json!({ "incident": "closed", "because": because }),
            );
            value["payload"] = what;
            value["payload"]["kind"] = json!("incident");
            value["payload"]["mission"] = json!("m-small");
            value["payload"]["true_at"] = value["t_mono"].clone();
            value["seq"] = json!(seq);
        })
    };
    let mut all = vec![start.clone(), incident(9_000, Some("emergency_stop")), incident(9_001, None)];
    all.extend((0..600).map(|n| incident(10_000 + n, (n % 2 == 0).then_some("fix_too_poor"))));
    let served = serve(&all, Api::MOST_FEATURES);
    for list in ["/api/incidents", "/api/missions/m-small/incidents"] {
        let found = |query: &str| json(&served.url, &format!("{list}?{query}")).as_array().unwrap().clone();
        assert_eq!(found("kind=closed&limit=200").len(), 200);
        let stops = found("because=emergency_stop");
        assert_eq!((stops.len(), &stops[0]["because"]), (1, &json!("emergency_stop")));
        assert_eq!(found("kind=reopened&because=emergency_stop").len(), 0, "both hold");
        assert_eq!(found("because=emergency_stop,fix_too_poor").len(), 301);
        let (code, reason) = refused(&served, &format!("{list}?because=emergency_stop,bang"));
        assert!(code == 400 && reason.contains("because") && reason.contains("bang"), "{code} {reason}");
    }
}

#[test]
fn a_list_of_all_farms_goes_on_after_a_name_that_two_farms_have() {
    let start = season(3).remove(0);
    let began = |farm: &str, number: u64| {
        let one = changed(&start, |value| {
            value["seq"] = json!(100 + number);
            value["boot_id"] = json!(farm);
            value["payload"]["mission"] = json!(format!("m-{number}"));
        });
        Arrival { topic: format!("v1/{farm}/kompas-01/records"), ..one }
    };
    let all: Vec<Arrival> =
        (1..4).flat_map(|number| ["buren", "valthermond"].map(|farm| began(farm, number))).collect();
    let served = serve(&all, Api::MOST_FEATURES);
    let page = |query: &str| -> Vec<String> {
        let list = json(&served.url, &format!("/api/missions?limit=1{query}"));
        let name =
            |one: &Value| format!("{}/{}", one["farm"].as_str().unwrap(), one["mission"].as_str().unwrap());
        list.as_array().unwrap().iter().map(name).collect()
    };
    let mut seen = page("");
    while let [next] = &page(&format!("&before={}", seen.last().unwrap()))[..] {
        seen.push(next.clone());
    }
    let wanted =
        ["valthermond/m-3", "buren/m-3", "valthermond/m-2", "buren/m-2", "valthermond/m-1", "buren/m-1"];
    assert_eq!(seen, wanted);
    assert_eq!(page("&farm=buren&before=m-3"), ["buren/m-2"], "as before");
    let (code, reason) = refused(&served, "/api/missions?before=m-1");
    assert!(code == 400 && reason.contains("FARM/m-1") && reason.contains("buren, valthermond"), "{reason}");
}
