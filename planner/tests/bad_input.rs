//! Every ugly parcel is a case: a checked plan, or exit code 2 and a refusal that names place and reason.

mod common;

use common::{field, rig};
use kompas_planner::{PlanError, Policy, check, plan};
use std::f64::consts::TAU;
use std::path::Path;
use std::process::Command;

/// Degrees per metre at the place where the parcels are drawn.
const EAST: f64 = 1.0 / 67_190.0;
const NORTH: f64 = 1.0 / 111_270.0;

fn geojson(rings: &[Vec<(f64, f64)>]) -> String {
    let rings: Vec<Vec<[f64; 2]>> = rings
        .iter()
        .map(|ring| ring.iter().map(|(x, y)| [6.95 + x * EAST, 52.87 + y * NORTH]).collect())
        .collect();
    serde_json::json!({ "type": "Polygon", "coordinates": rings }).to_string()
}

fn closed(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    points.iter().chain(&points[..1]).copied().collect()
}

/// Exit code and what is said on standard error.
fn make(text: &str, rig: &str) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("parcel.geojson");
    std::fs::write(&file, text).expect("a file");
    let rig = Path::new(env!("CARGO_MANIFEST_DIR")).join("rigs").join(format!("{rig}.toml"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_kompas-plan"));
    let done = command
        .arg("make")
        .arg("--field")
        .arg(&file)
        .arg("--rig")
        .arg(rig)
        .output()
        .expect("the program runs");
    (done.status.code().expect("an exit code"), String::from_utf8_lossy(&done.stderr).into_owned())
}

fn refused(text: &str, why: &str) {
    let (code, said) = make(text, "robot-3m");
    assert_eq!(code, 2, "{said}");
    assert!(said.contains(why), "{why:?} is not in {said:?}");
}

fn planned(text: &str) {
    let (code, said) = make(text, "robot-3m");
    assert_eq!(code, 0, "{said}");
}

const SQUARE: [(f64, f64); 4] = [(0.0, 0.0), (80.0, 0.0), (80.0, 60.0), (0.0, 60.0)];

#[test]
fn rings_that_cross_or_touch_themselves_are_refused_with_their_place() {
    let bow_tie = [(0.0, 0.0), (80.0, 60.0), (80.0, 0.0), (0.0, 60.0)];
    refused(&geojson(&[closed(&bow_tie)]), "outer ring");
    let pinched = [(0.0, 0.0), (40.0, 30.0), (80.0, 0.0), (80.0, 60.0), (40.0, 30.0), (0.0, 60.0)];
    refused(&geojson(&[closed(&pinched)]), "outer ring");
}

#[test]
fn repeated_points_change_nothing() {
    let doubled: Vec<_> = SQUARE.iter().flat_map(|p| [*p, *p, *p]).collect();
    planned(&geojson(&[closed(&doubled)]));
}

#[test]
fn a_spike_is_left_out_and_the_rest_planned() {
    let spiked =
        [(0.0, 0.0), (80.0, 0.0), (80.0, 30.0), (140.0, 30.2), (80.0, 30.4), (80.0, 60.0), (0.0, 60.0)];
    planned(&geojson(&[closed(&spiked)]));
}

#[test]
fn a_sliver_and_a_field_smaller_than_the_turn_are_refused_by_name() {
    refused(&geojson(&[closed(&[(0.0, 0.0), (300.0, 0.0), (300.0, 1.5), (0.0, 1.5)])]), "no way round fits");
    let (code, said) =
        make(&geojson(&[closed(&[(0.0, 0.0), (26.0, 0.0), (26.0, 200.0), (0.0, 200.0)])]), "boom-27m");
    assert!(code == 2 && said.contains("27.00 m wide"), "{said}");
}

#[test]
fn an_exclusion_at_the_edge_is_planned_around_or_refused_with_its_number() {
    let touching = [(0.0, 20.0), (10.0, 15.0), (10.0, 25.0)];
    let (code, said) = make(&geojson(&[closed(&SQUARE), closed(&touching)]), "robot-3m");
    assert!(code == 0 || code == 2 && said.contains("exclusion 0"), "{said}");
    let sharing = [(0.0, 10.0), (0.0, 20.0), (10.0, 20.0), (10.0, 10.0)];
    refused(&geojson(&[closed(&SQUARE), closed(&sharing)]), "exclusion 0");
    let outside = [(70.0, 20.0), (90.0, 20.0), (90.0, 30.0), (70.0, 30.0)];
    refused(&geojson(&[closed(&SQUARE), closed(&outside)]), "exclusion 0");
}

#[test]
fn several_parts_metres_for_degrees_and_open_rings_are_refused() {
    let part = |x: f64| serde_json::json!([[[x, 52.0], [x + 0.001, 52.0], [x + 0.001, 52.001], [x, 52.0]]]);
    let parts = serde_json::json!({ "type": "MultiPolygon", "coordinates": [part(6.0), part(6.01)] });
    refused(&parts.to_string(), "2 polygons");
    let metres = serde_json::json!({ "type": "Polygon", "coordinates": [[[260_225.0, 543_676.0], [260_325.0, 543_676.0], [260_325.0, 543_776.0], [260_225.0, 543_676.0]]] });
    refused(&metres.to_string(), "no longitude and latitude");
    refused(&geojson(&[SQUARE.to_vec()]), "open");
    refused("{\"type\": \"Point\", \"coordinates\": [6, 52]}", "Point");
    refused("not json", "not GeoJSON");
    let unknown = serde_json::json!({ "type": "Feature", "properties": {}, "crs": { "type": "name", "properties": { "name": "urn:ogc:def:crs:EPSG::2154" } },
        "geometry": { "type": "Polygon", "coordinates": [[[1.0, 2.0], [2.0, 2.0], [2.0, 3.0], [1.0, 2.0]]] } });
    refused(&unknown.to_string(), "EPSG::2154");
}

#[test]
fn a_boundary_of_a_hundred_thousand_points_is_planned_in_seconds() {
    let count = 100_000;
    let ring: Vec<(f64, f64)> = (0..count)
        .map(|i| {
            let angle = TAU * f64::from(i) / f64::from(count);
            // Waves of 20 cm, as a tracked fence gives them.
            let radius = 100.0 + 0.2 * (40.0 * angle).sin();
            (radius * angle.cos(), radius * angle.sin())
        })
        .collect();
    let field = field(&ring, &[]).unwrap();
    let made = plan(&field, None, &rig("robot-3m"), &Policy::reference()).unwrap();
    assert!(made.findings.is_empty(), "{:?}", made.findings);
}

#[test]
fn a_turning_circle_larger_than_the_field_is_refused() {
    let mut raw = kompas_field::rig::RigToml::from(rig("robot-3m"));
    raw.robot.min_turning_radius_m = 40.0;
    let wide = kompas_field::Rig::new(raw).unwrap();
    let field = field(&SQUARE, &[]).unwrap();
    let error = plan(&field, None, &wide, &Policy::reference()).unwrap_err();
    assert!(matches!(error, PlanError::NoRoom { .. }), "{error}");
}

#[test]
fn a_boom_ahead_of_the_antenna_is_refused() {
    let mut raw = kompas_field::rig::RigToml::from(rig("robot-3m"));
    raw.boom.forward_m = -1.2;
    let ahead = kompas_field::Rig::new(raw).unwrap();
    let field = field(&SQUARE, &[]).unwrap();
    let error = plan(&field, None, &ahead, &Policy::reference()).unwrap_err();
    assert!(matches!(error, PlanError::BoomAhead { .. }), "{error}");
    assert!(error.to_string().contains("boom.forward_m = -1.2"), "{error}");
    // Whoever brings a plan made elsewhere is told, too.
    let made = plan(&field, None, &rig("robot-3m"), &Policy::reference()).unwrap();
    assert!(check(&made, &field, &ahead).iter().any(|f| f.code == "plan.boom_ahead"));
}
