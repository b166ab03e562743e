//! The program as people call it.

mod common;

use kompas_field::{FieldCrop, WeedMap};
use kompas_planner::import::field_from_geojson;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Exit code, and what is printed and said, of the program run in a folder.
fn run(folder: &Path, args: &[&str]) -> (i32, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_kompas-plan"))
        .current_dir(folder)
        .args(args)
        .output()
        .expect("the program runs");
    let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (done.status.code().expect("an exit code"), said.concat())
}

fn rig_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("rigs/robot-3m.toml")
}

/// Half a hectare, whose south-western corner is given in degrees.
fn polygon(lon: f64, lat: f64) -> String {
    let ring = [[lon, lat], [lon + 0.001, lat], [lon + 0.001, lat + 0.0007], [lon, lat + 0.0007], [lon, lat]];
    serde_json::json!({ "type": "Polygon", "coordinates": [ring] }).to_string()
}

/// A folder with a parcel `f.geojson`.
fn parcel(lon: f64, lat: f64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("f.geojson"), polygon(lon, lat)).expect("a file");
    folder
}

#[test]
fn places_west_and_south_of_zero_are_taken() {
    let folder = parcel(-45.0, -12.0);
    let rig = rig_file();
    let rig = rig.to_str().unwrap();
    let begun = ["--field", "f.geojson", "--rig", rig];
    let making = ["make", "--out", "p.json", "--entry", "-44.9995,-11.9999", "--heading-deg", "-30"];
    let (code, said) = run(folder.path(), &[&making[..], &begun].concat());
    assert_eq!(code, 0, "{said}");
    let making = ["make", "--ab-line", "-45,-12,-44.999,-11.9995"];
    let (code, said) = run(folder.path(), &[&making[..], &begun].concat());
    assert_eq!(code, 0, "{said}");
    let going_on = ["resume", "--plan", "p.json", "--out", "r.json", "--at", "-44.9995,-11.9997"];
    let where_to = ["--heading-deg", "-90", "--driven-m", "300"];
    let (code, said) = run(folder.path(), &[&going_on[..], &where_to, &begun].concat());
    assert_eq!(code, 0, "{said}");
    let (code, said) =
        run(folder.path(), &[&going_on[..], &["--heading-deg", "0", "--driven-m", "-1"], &begun].concat());
    assert!(code == 2 && said.contains("not below 0"), "{said}");
}

#[test]
fn the_weed_map_of_the_plot_beside_is_refused_and_its_own_is_taken() {
    let folder = parcel(6.95, 52.87);
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let beside = polygon(6.951, 52.87);
    let [own, other] = [("f", polygon(6.95, 52.87)), ("beside", beside)].map(|(id, text)| {
        let field = field_from_geojson(&text, id.parse().unwrap(), FieldCrop::SugarBeet).unwrap();
        WeedMap::of(&field)
    });
    assert_eq!(own.grid(), other.grid(), "by their grids nobody can tell them apart");
    write("own.json", &serde_json::to_string(&own).unwrap());
    write("other.json", &serde_json::to_string(&other).unwrap());
    let old = serde_json::json!({ "schema": "kompas.weed-map/1", "grid": own.grid(), "cells": [] });
    write("old.json", &old.to_string());
    let rig = rig_file();
    let begun = ["--field", "f.geojson", "--rig", rig.to_str().unwrap()];
    let making = |map: &str| {
        run(folder.path(), &[&["make", "--out", "p.json", "--weed-map", map][..], &begun].concat())
    };
    let (code, said) = making("other.json");
    assert!(code == 2 && said.contains("other.json") && said.contains("is of field beside"), "{said}");
    let (code, said) = making("old.json");
    assert!(code == 2 && said.contains("old.json") && said.contains("make it again"), "{said}");
    assert!(!folder.path().join("p.json").exists(), "no plan by another's weeds");
    let (code, said) = making("own.json");
    assert_eq!(code, 0, "{said}");
    let going_on = ["resume", "--plan", "p.json", "--out", "r.json", "--at", "6.9505,52.8703"];
    let where_to =
        ["--heading-deg", "0", "--driven-m", "300", "--rate-l-per-ha", "200", "--weed-map", "other.json"];
    let (code, said) = run(folder.path(), &[&going_on[..], &where_to, &begun].concat());
    assert!(code == 2 && said.contains("is of field beside"), "{said}");
}

/// A crop has one name, on the command line as in a robot's configuration and in plans.
#[test]
fn crops_are_written_as_in_a_robots_configuration() {
    let folder = parcel(6.95, 52.87);
    let rig = rig_file();
    let begun = ["--field", "f.geojson", "--rig", rig.to_str().unwrap()];
    let (code, said) =
        run(folder.path(), &[&["make", "--out", "p.json", "--crop", "sugar_beet"][..], &begun].concat());
    assert_eq!(code, 0, "{said}");
    // By the name of before, and of beet where nobody says.
    for crop in [&["--crop", "sugar_beet"][..], &["--crop", "sugar-beet"], &[]] {
        let (code, said) = run(folder.path(), &[&["check", "--plan", "p.json"][..], &begun, crop].concat());
        assert_eq!(code, 0, "{crop:?}: {said}");
    }
    let (code, said) =
        run(folder.path(), &[&["check", "--plan", "p.json", "--crop", "potato"][..], &begun].concat());
    assert!(code == 1 && said.contains("the crop is sugar_beet there and potato here"), "{said}");
    let (code, said) = run(folder.path(), &[&["make", "--crop", "beet"][..], &begun].concat());
    assert!(code == 2 && said.contains("sugar_beet"), "{said}");
}

#[test]
fn zones_of_another_field_are_told_and_a_file_without_any_is_refused() {
    let folder = parcel(6.95, 52.87);
    let rig = rig_file();
    let ditch = |lon: f64| {
        let line = [[lon, 52.87], [lon, 52.8707]];
        let properties =
            serde_json::json!({ "width_m": 2.0, "rule": "ditch", "source": "test", "checked": "2026-11-28" });
        serde_json::json!({ "type": "FeatureCollection", "features": [
            { "type": "Feature", "properties": properties, "geometry": { "type": "LineString", "coordinates": line } },
        ] })
    };
    let none = serde_json::json!({ "type": "FeatureCollection", "features": [] });
    let make = |zones: serde_json::Value| {
        std::fs::write(folder.path().join("z.geojson"), zones.to_string()).unwrap();
        let args = [
            "make",
            "--json",
            "--zones",
            "z.geojson",
            "--field",
            "f.geojson",
            "--rig",
            rig.to_str().unwrap(),
        ];
        run(folder.path(), &args)
    };
    let (code, said) = make(none);
    assert!(code == 2 && said.contains("no zone in the file"), "{said}");
    let (code, said) = make(ditch(7.0));
    assert!(code == 0 && said.contains("plan.zone_apart"), "{said}");
    let (code, said) = make(ditch(6.95));
    assert!(code == 0 && !said.contains("plan.zone_apart"), "{said}");
}
