//! Tanks and batteries: whatever the load, no plan runs dry, and what cannot be is refused.

mod common;

use common::{field, rig};
use kompas_field::units::{LitresPerHectare, Metres, Radians};
use kompas_field::{Field, Point2, Pose2, Rig, Severity};
use kompas_planner::import::refill::refills_from_geojson;
use kompas_planner::{Plan, PlanError, Policy, Supply, check, plan, with_stops};
use std::path::Path;
use std::process::Command;

fn parcel() -> Field {
    let hole = vec![(60.0, 40.0), (60.0, 50.0), (70.0, 50.0), (70.0, 40.0)];
    field(&[(0.0, 0.0), (150.0, 0.0), (150.0, 90.0), (0.0, 90.0)], &[hole]).expect("a valid field")
}

/// Most litres and metres between two stops, counted anew: litres from where nozzles are open along the path.
fn most(made: &Plan, supply: &Supply, rig: &Rig) -> (f64, f64, usize) {
    let mut stops = vec![0.0];
    let mut driven = 0.0;
    for leg in &made.path {
        driven += leg.points.windows(2).map(|w| w[0].distance(w[1]).get()).sum::<f64>();
        let end = leg.points[leg.points.len() - 1];
        if supply.places.iter().any(|place| place.position.distance(end).get() < 0.01) {
            stops.push(driven);
        }
    }
    stops.push(driven);
    let litres = |from: f64, to: f64| {
        let open = |run: &kompas_planner::NozzleRun| (run.to_m.min(to) - run.from_m.max(from)).max(0.0);
        made.schedule
            .iter()
            .map(|run| open(run) * rig.boom.fan_width.get() * run.rate_l_per_ha.get() / 1e4)
            .sum::<f64>()
    };
    let most_l = stops.windows(2).map(|w| litres(w[0], w[1])).fold(0.0, f64::max);
    let most_m = stops.windows(2).map(|w| w[1] - w[0]).fold(0.0, f64::max);
    (most_l, most_m, stops.len() - 2)
}

fn places() -> Vec<Pose2<kompas_field::FieldFrame>> {
    vec![
        Pose2::new(Point2::new(40.0, 3.0), Radians::new(0.0)),
        Pose2::new(Point2::new(146.0, 60.0), Radians::new(std::f64::consts::FRAC_PI_2)),
    ]
}

#[test]
fn no_load_is_exceeded_whatever_its_size() {
    let (field, rig) = (parcel(), rig("robot-3m"));
    let policy = Policy { rate_l_per_ha: LitresPerHectare::new(300.0), ..Policy::reference() };
    let whole = plan(&field, None, &rig, &policy).unwrap();
    let (mut planned, mut refused) = (0, 0);
    for (tank_l, range_m) in [
        (Some(400.0), None),
        (Some(120.0), None),
        (Some(45.0), None),
        (Some(17.0), None),
        (None, Some(3000.0)),
        (None, Some(1000.0)),
        (None, Some(600.0)),
        (Some(60.0), Some(1500.0)),
        (Some(2.0), None),
        (None, Some(150.0)),
    ] {
        let supply = Supply { places: places(), tank_l, range_m };
        match with_stops(&whole, &supply, &field, None, &rig, &policy) {
            Ok(made) => {
                let (most_l, most_m, stops) = most(&made, &supply, &rig);
                println!("{tank_l:?} l, {range_m:?} m: {stops} stops, {most_l:.1} l, {most_m:.0} m at most");
                assert!(tank_l.is_none_or(|tank| most_l <= tank + 1e-6), "{most_l} of {tank_l:?}");
                assert!(range_m.is_none_or(|range| most_m <= range + 0.1), "{most_m} of {range_m:?}");
                assert!(check(&made, &field, &rig).iter().all(|f| f.severity != Severity::Error));
                assert!((made.summary.work_m - whole.summary.work_m).abs() < 1.0);
                planned += 1;
            }
            Err(PlanError::OutOfSupply { .. }) => refused += 1,
            Err(error) => panic!("{tank_l:?}, {range_m:?}: {error}"),
        }
    }
    assert!(planned >= 7 && refused >= 2, "{planned} planned, {refused} refused");
}

#[test]
fn the_last_charge_lasts_for_the_way_home_too() {
    let (field, rig, policy) = (parcel(), rig("robot-3m"), Policy::reference());
    let whole = plan(&field, None, &rig, &policy).unwrap();
    // One charge for all of the work, and many for parts of it.
    for range_m in (0..24).map(|k| 700.0 + 40.0 * f64::from(k)).chain([whole.summary.path_m + 1.0]) {
        let supply = Supply { places: places(), tank_l: None, range_m: Some(range_m) };
        let made = with_stops(&whole, &supply, &field, None, &rig, &policy).unwrap();
        let mut since = 0.0;
        let mut stands = made.path[0].points[0];
        for leg in &made.path {
            since += leg.points.windows(2).map(|w| w[0].distance(w[1]).get()).sum::<f64>();
            stands = leg.points[leg.points.len() - 1];
            if supply.places.iter().any(|place| place.position.distance(stands).get() < 0.01) {
                since = 0.0;
            }
        }
        // No way is shorter than the straight line.
        let home = supply.places.iter().map(|place| place.position.distance(stands).get());
        let home = home.fold(f64::MAX, f64::min);
        assert!(since + home <= range_m, "{since} m, {home} m from home, of {range_m}");
    }
}

#[test]
fn a_second_place_saves_way() {
    let (field, rig, policy) = (parcel(), rig("robot-3m"), Policy::reference());
    let whole = plan(&field, None, &rig, &policy).unwrap();
    let length = |places: Vec<_>| {
        let supply = Supply { places, tank_l: Some(30.0), range_m: None };
        with_stops(&whole, &supply, &field, None, &rig, &policy).unwrap().summary.path_m
    };
    let both = length(places());
    assert!(both < length(places()[..1].to_vec()) && both < length(places()[1..].to_vec()));
}

#[test]
fn refill_places_are_read_or_refused_by_number() {
    let field = parcel();
    let at = |x: f64, y: f64| {
        let place = field.plane.to_geodetic(Point2::new(x, y));
        [place.lon_deg, place.lat_deg]
    };
    let feature = |place: [f64; 2], properties: &str| {
        format!(
            r#"{{"type":"Feature","properties":{properties},"geometry":{{"type":"Point","coordinates":[{},{}]}}}}"#,
            place[0], place[1]
        )
    };
    let all = |features: &[String]| {
        let text = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
        refills_from_geojson(&text, &field)
    };
    let read =
        all(&[feature(at(40.0, 3.0), r#"{"heading_deg": 90}"#), feature(at(3.0, 40.0), "{}")]).unwrap();
    assert_eq!(read.len(), 3);
    assert!(read[0].heading.get().abs() < 1e-9, "east is 0");
    // Along the western edge, either way.
    assert!(read[1..].iter().all(|p| p.heading.get().cos().abs() < 1e-6));
    let said = all(&[feature(at(40.0, 3.0), "{}"), feature(at(65.0, 45.0), "{}")]).unwrap_err().to_string();
    assert!(said.contains("refill place 1"), "{said}");
    assert!(all(&[]).unwrap_err().to_string().contains("no refill place"));
}

#[test]
fn the_command_plans_stops_and_shares_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let ring = [[6.95, 52.87], [6.952, 52.87], [6.952, 52.8707], [6.95, 52.8707], [6.95, 52.87]];
    let json = |name: &str, value: serde_json::Value| std::fs::write(at(name), value.to_string()).unwrap();
    json("f.geojson", serde_json::json!({ "type": "Polygon", "coordinates": [ring] }));
    json("tank.geojson", serde_json::json!({ "type": "Point", "coordinates": [6.951, 52.87003] }));
    json("off.geojson", serde_json::json!({ "type": "Point", "coordinates": [6.953, 52.87003] }));
    let run = |args: &[&str]| {
        let rig_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("rigs/robot-3m.toml");
        let done = Command::new(env!("CARGO_BIN_EXE_kompas-plan"))
            .current_dir(folder.path())
            .args(["make", "--field", "f.geojson", "--rig"])
            .arg(rig_file)
            .args(args)
            .output()
            .unwrap();
        let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (done.status.code().unwrap(), said.concat())
    };
    let read = |name: &str| Plan::from_json(&std::fs::read_to_string(at(name)).unwrap()).unwrap();
    let (code, said) = run(&["--out", "plain.json"]);
    assert_eq!(code, 0, "{said}");
    let stops = ["--refill", "tank.geojson", "--tank-l", "60", "--range-m", "2500"];
    let (code, said) = run(&[&stops[..], &["--out", "p.json", "--robots", "2"]].concat());
    assert_eq!(code, 0, "{said}");
    assert!(read("p.json").summary.path_m > read("plain.json").summary.path_m);
    let parts = [read("p.1.json"), read("p.2.json")];
    let worked: f64 = parts.iter().map(|p| p.summary.work_m).sum();
    assert!((worked - read("plain.json").summary.work_m).abs() < 1.0);
    let field_read = kompas_planner::import::field_from_file(
        &at("f.geojson"),
        kompas_field::ids::FieldId::new("f").unwrap(),
        kompas_field::FieldCrop::SugarBeet,
    );
    let place =
        field_read.unwrap().0.plane.to_field(kompas_field::Geodetic::etrs89(52.87003, 6.951)).unwrap();
    let supply = Supply {
        places: vec![Pose2::new(place, Radians::new(0.0))],
        tank_l: Some(60.0),
        range_m: Some(Metres::new(2500.0).get()),
    };
    for made in parts.iter().chain([&read("p.json")]) {
        let (most_l, most_m, _) = most(made, &supply, &rig("robot-3m"));
        assert!(most_l <= 60.0 + 1e-6 && most_m <= 2500.1, "{most_l} l, {most_m} m");
    }
    assert!(most(&read("p.json"), &supply, &rig("robot-3m")).2 >= 2);
    // What is missing or impossible is said.
    assert_eq!(run(&["--tank-l", "60"]).0, 2);
    assert_eq!(run(&["--refill", "tank.geojson"]).0, 2);
    assert_eq!(run(&["--refill", "tank.geojson", "--tank-l", "-3"]).0, 2);
    let (code, said) = run(&["--refill", "off.geojson", "--tank-l", "60"]);
    assert!(code == 2 && said.contains("refill place 0"), "{said}");
    let (code, said) = run(&["--refill", "tank.geojson", "--tank-l", "0.5"]);
    assert!(code == 2 && said.contains("full load"), "{said}");
    // A thimble: no piece is small enough, and as many as that would fill the memory.
    let (code, said) = run(&["--refill", "tank.geojson", "--tank-l", "1e-9"]);
    assert!(code == 2 && said.contains("full load"), "{said}");
}
