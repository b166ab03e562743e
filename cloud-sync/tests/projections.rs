//! What readers see of missions, and what must not spoil it.
#![expect(clippy::unwrap_used, reason = "a test fails where it breaks")]
#![cfg(feature = "cloud")]

mod support;

use kompas_cloud_sync::ingest::{Arrival, take};
use kompas_cloud_sync::store::sqlite::SqliteFile;
use kompas_cloud_sync::store::{MissionChoice, MissionKey, Store, Stores};
use kompas_cloud_sync::wire::Outcome;
use kompas_field::ids::FarmId;
use kompas_field::{Envelope, FieldCrop, WallTime};
use serde_json::{Value, json};
use support::arrivals::{
    MANY, all, changed, everything, farm, incidents, mission, named, outcomes, season, with_store,
};
use tempfile::TempDir;

#[test]
fn a_long_opening_wets_every_square_that_it_crosses() {
    with_store(|store| {
        let seasons = season(3);
        let applied =
            seasons.iter().find(|one| String::from_utf8_lossy(&one.bytes).contains("as_applied")).unwrap();
        let long = changed(applied, |value| {
            let one = &mut value["payload"]["openings"][0];
            (one["from"], one["to"]) = (json!([10.5, 5.5]), json!([14.0, 5.5]));
            (one["cell"], one["volume_ml"]) = (json!({ "col": 12, "row": 5 }), json!(35.0));
            let one = one.clone();
            value["payload"]["openings"] = json!([one]);
        });
        take(store, &[seasons[0].clone(), long]).unwrap();
        let view = store.mission(&mission()).unwrap().unwrap();
        assert_eq!((view.openings, view.cells_treated, view.cells_seen), (1, 4, 4));
        let cells = store.cells(&mission()).unwrap();
        let told: Vec<_> = cells.iter().map(|c| (c.cell.col, c.cell.row, c.openings, c.volume_ul)).collect();
        assert_eq!(told, [(10, 5, 1, 5_000), (11, 5, 1, 10_000), (12, 5, 1, 10_000), (13, 5, 1, 10_000)]);
        for cell in &cells {
            let here = store.openings(&mission(), Some(cell.cell.into()), MANY).unwrap();
            assert!(here.len() == 1 && here[0].opening.volume_ml > 34.9);
            let agrees = (here[0].here_ml - cell.volume_ul as f64 * 1e-3).abs() < 1e-9;
            assert!(agrees, "why agrees with the map");
        }
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
        let of = |id: &str| store.mission(&named(id)).unwrap().unwrap();
        let (first, later) = (of("m-small"), of("m-later"));
        assert_eq!((first.records, later.records), (arrivals.len() as u64 - 1, 1));
        assert_eq!((first.last_received_ms, later.last_received_ms), (1_800_000_000_000, 1_800_000_900_000));
    });
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
                let id = named(id);
                (store.mission(&id).unwrap().unwrap(), store.field_of(&id).unwrap().unwrap())
            };
            let ((old, old_field), (new, new_field)) = (of("m-small"), of("m-later"));
            assert_eq!((old.crop, new.crop), (Some(FieldCrop::SugarBeet), Some(FieldCrop::Potato)));
            assert!(old.area_m2 < new.area_m2 && old_field.digest() != new_field.digest());
            assert_eq!(
                store.field(&farm(), &new_field.id).unwrap(),
                Some(new_field),
                "the list has the latest"
            );
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
        let openings = store.openings(&mission(), None, MANY).unwrap();
        for tank in &tanks {
            assert!(openings.iter().any(|one| json!(one.product) == *tank), "{tank}");
        }
        let before = everything(store);
        store.rebuild().unwrap();
        assert_eq!(everything(store), before);
    });
}

#[test]
fn a_wrong_clock_hides_no_mission_and_keeps_no_field() {
    let began_ms = 1_800_000_000_000_i64;
    let start = season(3).remove(0);
    let start_of = |name: &str, seq: u64, t_wall: i64, quality: &str, crop: &str, received: i64| {
        let arrival = changed(&start, |value| {
            value["seq"] = json!(seq);
            value["t_wall"] = json!(t_wall);
            value["clock_quality"] = json!(quality);
            value["payload"]["mission"] = json!(name);
            value["payload"]["field"]["crop"] = json!(crop);
        });
        Arrival { received: WallTime::from_unix_ms(received), ..arrival }
    };
    with_store(|store| {
        let in_2099 = start_of("m-2099", 1, 4_070_908_800_000, "gnss", "sugar_beet", began_ms);
        let right = start_of("m-right", 2, began_ms + 500, "gnss", "other", began_ms + 1_000);
        let in_1970 = start_of("m-1970", 3, 60_000, "none", "potato", began_ms + 2_000);
        take(store, &[in_2099, right.clone()]).unwrap();
        assert_eq!(store.fields().unwrap()[0].crop, "other", "a field is not kept until 2099");
        take(store, &[in_1970]).unwrap();
        assert_eq!(store.fields().unwrap()[0].crop, "potato", "nor by a robot without a clock for ever");
        let names: Vec<String> = store.missions(&all()).unwrap().into_iter().map(|one| one.mission).collect();
        assert_eq!(names, ["m-1970", "m-right", "m-2099"], "as they came");
    });
}

#[test]
fn a_long_list_of_missions_comes_in_parts() {
    with_store(|store| {
        let start = season(3).remove(0);
        let many: Vec<Arrival> = (0..9)
            .map(|number| {
                changed(&start, |value| {
                    value["seq"] = json!(100 + number);
                    value["t_wall"] = json!(1_700_000_000_000_i64 + number / 4 * 1000); // some began together
                    value["payload"]["mission"] = json!(format!("m-{number}"));
                })
            })
            .collect();
        take(store, &many).unwrap();
        let names = |choice| store.missions(&choice).unwrap().into_iter().map(|one| one.mission);
        let whole: Vec<String> = names(all()).collect();
        assert_eq!((whole.len(), whole[0].as_str()), (9, "m-8"));
        let mut parts: Vec<String> = Vec::new();
        loop {
            let before = parts.last().map(|last| named(last));
            let part: Vec<String> = names(MissionChoice { before, most: 2, ..all() }).collect();
            if part.is_empty() {
                break;
            }
            parts.extend(part);
        }
        assert_eq!(parts, whole);
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
            assert!(why.0 == "impossible" && why.1.contains("is possible"), "{named}: {why:?}");
            assert_eq!(store.missions(&all()).unwrap().len(), 1);
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
            times
                .extend(store.openings(&mission(), None, MANY).unwrap().iter().map(|one| one.opened_wall_ms));
            times.extend(store.incidents(&incidents(None)).unwrap().iter().map(|one| one.at_wall_ms));
            assert!(times.iter().all(|time| calendar.contains(time)), "{times:?}");
        });
    }
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
fn two_farms_may_call_robots_fields_and_missions_alike() {
    with_store(|store| {
        let ours = season(3);
        // Another farm, the same names; another boot, as two robots have.
        let theirs = season(4).into_iter().map(|one| {
            let renamed = changed(&one, |value| value["boot_id"] = json!("b-2"));
            Arrival { topic: "v1/buren/kompas-01/records".to_owned(), ..renamed }
        });
        take(store, &ours).unwrap();
        let before = everything(store);
        let told = |store: &dyn Store| {
            let whole = everything(store);
            [
                whole["cells"].clone(),
                whole["plants"].clone(),
                whole["openings"].clone(),
                whole["incidents"].clone(),
            ]
        };
        take(store, &theirs.collect::<Vec<_>>()).unwrap();
        let neighbours = MissionKey { farm: FarmId::new("buren").unwrap(), ..mission() };
        assert_eq!(told(store), ["cells", "plants", "openings", "incidents"].map(|key| before[key].clone()));
        assert_eq!(store.farms_with(&mission().mission).unwrap(), [neighbours.farm.clone(), farm()]);
        let plants = |key| store.mission(key).unwrap().unwrap().plants;
        assert_ne!(plants(&neighbours), plants(&mission()));
        let farms = |farms: Vec<String>| assert_eq!(farms, ["buren", "valthermond"]);
        farms(store.robots().unwrap().into_iter().map(|one| one.farm).collect());
        farms(store.fields().unwrap().into_iter().map(|one| one.farm).collect());
    });
}

#[test]
fn what_a_robot_tells_between_missions_is_shown_with_the_mission_it_happened_in() {
    with_store(|store| {
        let arrivals = season(3);
        take(store, &arrivals).unwrap();
        let told = store.incidents(&incidents(Some(&mission()))).unwrap();
        let written =
            |arrival: &Arrival| serde_json::from_slice::<Envelope>(&arrival.bytes).unwrap().t_wall.unix_ms();
        let (begin, end) = (written(&arrivals[0]), written(arrivals.last().unwrap()));
        let dropped = |seq: u64, robot: &str, t_wall: i64| {
            let one = changed(&arrivals[0], |value| {
                value["robot_id"] = json!(robot);
                value["seq"] = json!(seq);
                value["t_wall"] = json!(t_wall);
                value["payload"] = json!({ "kind": "incident", "mission": null, "true_at": value["t_mono"],
                    "incident": "records_dropped", "class": 3, "records": 7, "bytes": 9000 });
            });
            Arrival { topic: format!("v1/valthermond/{robot}/records"), ..one }
        };
        let middle = begin + 60_000;
        let others = [
            dropped(9_001, "kompas-01", middle),
            dropped(9_002, "kompas-01", begin - 60_000),
            dropped(9_003, "kompas-01", end + 60_000),
            dropped(9_004, "kompas-02", middle),
        ];
        assert_eq!(take(store, &others).unwrap().new, 4);
        let now = store.incidents(&incidents(Some(&mission()))).unwrap();
        assert_eq!(now.len(), told.len() + 1);
        assert!(now.iter().any(|one| one.at_wall_ms == middle));
    });
}
