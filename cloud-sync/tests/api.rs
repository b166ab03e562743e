//! What the API answers, refuses, and says why.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]
#![cfg(feature = "cloud")]

mod support;

use kompas_cloud_sync::api::Api;
use kompas_cloud_sync::ingest::Arrival;
use kompas_cloud_sync::store::sqlite::SqliteFile;
use kompas_cloud_sync::store::{Store, StoreError, Stores};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use support::arrivals::{changed, season};
use support::http::{get, json};
use support::served::{refused, serve, serve_from};
use tempfile::TempDir;

#[test]
fn a_layer_that_is_too_long_is_refused_and_says_how_to_ask() {
    let served = serve(&season(3), 300);
    for (layer, how) in [("plants", "within="), ("cells", "form=table")] {
        let (code, reason) = refused(&served, &format!("/api/missions/m-small/{layer}"));
        assert!(
            code == 413 && reason.contains("more than 300") && reason.contains(how),
            "{layer}: {code} {reason}"
        );
    }
    let cells = json(&served.url, "/api/missions/m-small/cells?form=table");
    assert!(cells["rows"].as_array().unwrap().len() > 300);
    let sprayed = cells["rows"].as_array().unwrap().iter().find(|row| row[5].as_u64() > Some(0)).unwrap();
    let why = json(&served.url, &format!("/api/missions/m-small/cells/{}/{}/why", sprayed[0], sprayed[1]));
    let [east, north] = [0, 1].map(|axis| why["plants"][0]["lon_lat"][axis].as_f64().unwrap());
    let near = |d: f64| format!("within={},{},{},{}", east - d, north - d, east + d, north + d);
    for layer in ["plants", "openings"] {
        let some = json(&served.url, &format!("/api/missions/m-small/{layer}?{}", near(1e-5)));
        let some = some["features"].as_array().unwrap().len();
        assert!(some > 0 && some < 300, "{layer}: {some}");
    }
}

#[test]
fn an_answer_says_whether_it_is_geojson() {
    let served = serve(&season(3), Api::MOST_FEATURES);
    let kind = |path: &str| {
        let (head, _) = get(&served.url, path, "");
        head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap().to_owned()
    };
    for layer in ["field", "cells", "plants", "track", "openings"] {
        assert_eq!(kind(&format!("/api/missions/m-small/{layer}")), "application/geo+json", "{layer}");
    }
    for other in ["/api/missions/m-small/cells?form=table", "/api/missions", "/api/nothing"] {
        assert_eq!(kind(other), "application/json", "{other}");
    }
}

#[test]
fn a_plant_tells_what_its_own_nozzles_gave_it_also_from_the_square_beside() {
    let seasons = season(3);
    let of_kind = |kind: &str| {
        let is_it = |one: &&Arrival| {
            serde_json::from_slice::<Value>(&one.bytes).unwrap()["payload"]["kind"] == json!(kind)
        };
        seasons.iter().find(is_it).unwrap()
    };
    let at = 40_000_000_000_u64;
    // The stem is on one side of the line between two square metres, its nozzle passes on the other.
    let plants = changed(of_kind("plants"), |value| {
        let mut one = value["payload"]["decisions"][0].clone();
        one["plant"] = json!(7);
        (one["position"], one["cell"]) = (json!([10.5, 5.01]), json!({ "col": 10, "row": 5 }));
        (one["verdict"], one["rule"], one["role"]) = (json!("treat"), json!("treat_unwanted"), json!("weed"));
        (one["nozzles"], one["decided_at"]) = (json!([3, 4]), json!(at));
        value["payload"]["decisions"] = json!([one]);
    });
    let template = of_kind("as_applied");
    let opening = |nozzle: u16, x: f64, y: f64, later_ms: u64| {
        let mut one =
            serde_json::from_slice::<Value>(&template.bytes).unwrap()["payload"]["openings"][0].clone();
        (one["nozzle"], one["from"], one["to"]) = (json!(nozzle), json!([x - 0.05, y]), json!([x + 0.05, y]));
        let whole = |metres: f64| metres.floor().to_string().parse::<u32>().unwrap();
        one["cell"] = json!({ "col": whole(x), "row": whole(y) });
        (one["opened_at"], one["closed_at"]) =
            (json!(at + later_ms * 1_000_000), json!(at + (later_ms + 50) * 1_000_000));
        one
    };
    let applied = |seq: u64, boot: &str, product: &str, openings: &[Value]| {
        changed(template, |value| {
            (value["seq"], value["boot_id"]) = (json!(seq), json!(boot));
            (value["payload"]["product"], value["payload"]["openings"]) = (json!(product), json!(openings));
        })
    };
    let arrivals = [
        seasons[0].clone(),
        plants,
        applied(
            9_001,
            "b-1",
            "before",
            &[opening(3, 10.4, 4.99, 0), opening(3, 10.5, 4.99, 0)].map(|mut one| {
                (one["opened_at"], one["closed_at"]) = (json!(at - 900_000_000), json!(at - 800_000_000));
                one
            }),
        ),
        applied(9_002, "b-1", "for the plant before", &[opening(3, 9.8, 4.99, 200)]),
        applied(9_003, "b-1", "own", &[opening(3, 10.5, 4.99, 900), opening(4, 10.45, 5.05, 900)]),
        applied(9_004, "b-1", "another nozzle", &[opening(9, 10.5, 5.0, 900)]),
        applied(9_005, "b-1", "too far", &[opening(4, 11.7, 5.05, 2_000)]),
        applied(9_006, "b-2", "another run", &[opening(3, 10.5, 5.0, 900)]),
    ];
    let served = serve(&arrivals, Api::MOST_FEATURES);
    let why = json(&served.url, "/api/missions/m-small/plants/kompas-01/b-1/7/why");
    let told: Vec<_> = why["openings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["nozzle"].as_u64().unwrap(), one["product"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [(3, "own"), (4, "own")]);
}

/// Counts how many readers come at a time.
struct Counted {
    stores: SqliteFile,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Stores for Counted {
    fn open(&self) -> Result<Box<dyn Store>, StoreError> {
        self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        self.now.fetch_sub(1, Ordering::SeqCst);
        self.stores.open()
    }
}

#[test]
fn a_crowd_that_asks_for_layers_waits_in_line() {
    let data = TempDir::new().unwrap();
    let stores = SqliteFile::at(data.path().join("cloud.sqlite"));
    let counted = Arc::new(Counted { stores, now: AtomicUsize::new(0), most: AtomicUsize::new(0) });
    let served = serve_from(Arc::clone(&counted) as Arc<dyn Stores>, data, &season(3), Api::MOST_FEATURES);
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| assert!(json(&served.url, "/api/missions/m-small/track")["features"].is_array()));
        }
    });
    assert_eq!(counted.most.load(Ordering::SeqCst), 2);
}

/// Its first readers, as many as layers are made at a time, come no further until they may.
struct Stuck {
    stores: SqliteFile,
    readers: AtomicUsize,
    free: AtomicBool,
}

impl Stores for Stuck {
    fn open(&self) -> Result<Box<dyn Store>, StoreError> {
        // The test's own opening and that of who learns the version come before.
        let stuck = (2..4).contains(&self.readers.fetch_add(1, Ordering::SeqCst));
        while stuck && !self.free.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(10));
        }
        self.stores.open()
    }
}

#[test]
fn who_has_a_layer_need_not_wait_and_who_waits_is_told_when_to_ask_again() {
    const TRACK: &str = "/api/missions/m-small/track";
    let data = TempDir::new().unwrap();
    let stores = SqliteFile::at(data.path().join("cloud.sqlite"));
    let stuck = Arc::new(Stuck { stores, readers: AtomicUsize::new(0), free: AtomicBool::new(false) });
    let served = serve_from(Arc::clone(&stuck) as Arc<dyn Stores>, data, &season(3), Api::MOST_FEATURES);
    let (head, _) = get(&served.url, TRACK, "");
    let etag = head.lines().find(|line| line.starts_with("etag: ")).unwrap();
    let same = format!("{}\r\n", etag.replace("etag", "If-None-Match"));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert!(json(&served.url, TRACK)["features"].is_array()));
        }
        while stuck.readers.load(Ordering::SeqCst) < 4 {
            std::thread::sleep(Duration::from_millis(10));
        }
        let (unchanged, _) = get(&served.url, TRACK, &same);
        let (busy, why) = get(&served.url, TRACK, "");
        stuck.free.store(true, Ordering::SeqCst);
        assert!(unchanged.starts_with("HTTP/1.0 304"), "{unchanged}");
        assert!(busy.starts_with("HTTP/1.0 503") && busy.contains("retry-after: 5"), "{busy}");
        assert!(why.contains("ask again in 5 s"), "{why}");
    });
}

#[test]
fn what_is_not_understood_is_refused_with_the_reason() {
    let served = serve(&season(3), Api::MOST_FEATURES);
    for (what, code, named) in [
        ("plants?within=rubbish", 400, "four numbers"),
        ("plants?within=6.9,52.8,7.0", 400, "four numbers"),
        ("openings?within=7.0,52.8,6.9,52.9", 400, "swapped"),
        ("plants?within=6.9,52.9,7.0,52.8", 400, "swapped"),
        ("plants?within=6.9,52.8,inf,52.9", 400, "without end"),
        ("plants?only=crop", 400, "unwanted"),
        ("cells?form=list", 400, "table"),
        ("cells?farm=no%20farm", 400, "FarmId"),
    ] {
        let (found, reason) = refused(&served, &format!("/api/missions/m-small/{what}"));
        assert!(found == code && reason.contains(named), "{what}: {found} {reason}");
    }
    for path in [
        "status",
        "quarantine",
        "fields",
        "fields/f-small",
        "incidents",
        "missions",
        "missions/m-small",
        "missions/m-small/incidents",
        "missions/m-small/field",
        "missions/m-small/cells",
        "missions/m-small/plants",
        "missions/m-small/track",
        "missions/m-small/openings",
        "missions/m-small/cells/1/1/why",
        "missions/m-small/plants/r/b/1/why",
    ] {
        let (code, reason) = refused(&served, &format!("/api/{path}?witin=6.9"));
        assert!(code == 400 && reason.contains("witin"), "{path}: {code} {reason}");
    }
    for (path, named) in [
        ("incidents?farm=a", "all farms"),
        ("missions?limit=ten", "limit"),
        ("missions/no%20name", "path"),
        ("missions/m-small/cells/one/1/why", "col"),
    ] {
        let (code, reason) = refused(&served, &format!("/api/{path}"));
        assert!(code == 400 && reason.contains(named), "{path}: {code} {reason}");
    }
    for what in ["", "/incidents", "/field", "/cells", "/plants", "/cells/1/1/why"] {
        let (code, reason) = refused(&served, &format!("/api/missions/m-none{what}"));
        assert!(code == 404 && reason.contains("m-none"), "{what}: {code} {reason}");
    }
    for before in ["m-none", "valthermond/m-none", "buren/m-small"] {
        assert_eq!(refused(&served, &format!("/api/missions?before={before}")).0, 404, "{before}");
    }
    for before in ["a%20b", "a/b/c", "/m-small", "valthermond/"] {
        let (code, reason) = refused(&served, &format!("/api/missions?before={before}"));
        assert!(code == 400 && reason.contains("give FARM/MISSION"), "{before}: {code} {reason}");
    }
}

#[test]
fn a_rectangle_shows_what_lies_in_it_and_nothing_beside() {
    let served = serve(&season(3), Api::MOST_FEATURES);
    let count = |what: &str| {
        let layer = json(&served.url, &format!("/api/missions/m-small/{what}"));
        layer["features"].as_array().unwrap().len()
    };
    for layer in ["plants", "openings"] {
        let all = count(layer);
        assert_eq!(count(&format!("{layer}?within=-190,50,190,54")), all, "{layer} of the whole world");
        // The field lies north-east of its datum, 52.8716 N, 6.9412 E, and is 30 m by 18 m.
        for beside in [
            "6.94,52.8715,6.9411,52.873",
            "6.9418,52.8715,6.95,52.873",
            "6.94,52.87,6.95,52.8715",
            "6.94,52.872,6.95,52.88",
            "5,51,5.1,51.1",
        ] {
            assert_eq!(count(&format!("{layer}?within={beside}")), 0, "{layer} in {beside}");
        }
        let some = count(&format!("{layer}?within=6.9412,52.8716,6.9413,52.8717"));
        assert!(some > 0 && some < all, "{layer}: {some} of {all}");
    }
}

#[test]
fn every_answer_with_positions_names_its_datum() {
    let served = serve(&season(3), Api::MOST_FEATURES);
    let field = json(&served.url, "/api/missions/m-small")["field"].as_str().unwrap().to_owned();
    let mut paths = vec![format!("/api/fields/{field}")];
    let layers = ["field", "cells", "cells?form=table", "plants", "track", "openings", "cells/1/1/why"];
    paths.extend(layers.map(|what| format!("/api/missions/m-small/{what}")));
    for path in paths {
        assert_eq!(json(&served.url, &path)["datum"], "etrs89", "{path}");
    }
}
