//! The program as people call it.

mod common;

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

/// A folder with a parcel `f.geojson` of half a hectare, whose south-western corner is given in degrees.
fn parcel(lon: f64, lat: f64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let ring = [[lon, lat], [lon + 0.001, lat], [lon + 0.001, lat + 0.0007], [lon, lat + 0.0007], [lon, lat]];
    let polygon = serde_json::json!({ "type": "Polygon", "coordinates": [ring] });
    std::fs::write(folder.path().join("f.geojson"), polygon.to_string()).expect("a file");
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
