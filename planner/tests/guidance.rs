//! Swaths along a line recorded by driving.

mod common;

use common::{field, parcels, rig};
use kompas_field::ids::FieldId;
use kompas_field::{Field, FieldCrop, Point2, Severity};
use kompas_planner::import::field_from_geojson;
use kompas_planner::{CurveError, LegKind, Plan, PlanError, Policy, check, plan};
use std::path::Path;
use std::process::Command;

/// An S across the box of the field, waves of `height` metres.
fn s_curve(field: &Field, height: f64) -> Vec<Point2<kompas_field::FieldFrame>> {
    let (low, high) = field.boundary.extent();
    let (long, middle) = (high.x - low.x, f64::midpoint(low.y, high.y));
    (0..=200)
        .map(|k| {
            let share = f64::from(k) / 200.0;
            Point2::new(low.x + share * long, middle + height * (share * std::f64::consts::TAU).sin())
        })
        .collect()
}

fn swaths(plan: &Plan) -> Vec<&kompas_planner::Leg> {
    plan.path.iter().filter(|leg| matches!(leg.kind, LegKind::Swath { .. })).collect()
}

fn guided(field: &Field, height: f64) -> Result<Plan, PlanError> {
    let policy = Policy { curve: s_curve(field, height), ..Policy::reference() };
    let made = plan(field, None, &rig("robot-3m"), &policy)?;
    assert!(check(&made, field, &rig("robot-3m")).iter().all(|f| f.severity != Severity::Error));
    Ok(made)
}

#[test]
fn a_field_is_worked_along_an_s() {
    let field = field(&[(0.0, 0.0), (160.0, 0.0), (160.0, 70.0), (0.0, 70.0)], &[]).unwrap();
    let made = guided(&field, 4.0).unwrap();
    assert!(!made.findings.iter().any(|f| f.code == "plan.part_undone"), "{:?}", made.findings);
    let bent = swaths(&made).iter().filter(|leg| leg.points.len() > 10).count();
    assert!(bent > 12, "{bent} bent swaths");
    // One of them lies on the recorded line.
    let curve = s_curve(&field, 4.0);
    let off = |leg: &kompas_planner::Leg| {
        let far = |p: &Point2<_>| curve.iter().map(|c| c.distance(*p).get()).fold(f64::MAX, f64::min);
        leg.points.iter().map(far).fold(0.0, f64::max)
    };
    // Recorded points lie 0.8 m apart: half of that is between them.
    let nearest = swaths(&made).into_iter().map(off).fold(f64::MAX, f64::min);
    assert!(nearest < 0.5, "{nearest} m");
    let straight = plan(&field, None, &rig("robot-3m"), &Policy::reference()).unwrap();
    assert!(made.summary.work_m < 1.1 * straight.summary.work_m);
}

#[test]
fn a_curve_that_the_rig_cannot_follow_is_refused_with_its_place() {
    let field = field(&[(0.0, 0.0), (160.0, 0.0), (160.0, 70.0), (0.0, 70.0)], &[]).unwrap();
    let error = guided(&field, 45.0).unwrap_err();
    assert!(
        matches!(error, PlanError::Curve(CurveError::TooTight { .. } | CurveError::TurnsBack { .. })),
        "{error}"
    );
    assert!(error.to_string().contains(") m"), "{error}");
}

#[test]
fn real_parcels_are_worked_along_an_s() {
    let mut planned = 0;
    for name in ["be_wheat_square_11ha", "dk_oat_hole_13ha", "nl_zeeland_potato_5ha"] {
        let Some(file) = parcels().into_iter().find(|p| p.file_stem().is_some_and(|s| s == name)) else {
            return;
        };
        let text = std::fs::read_to_string(file).unwrap();
        let field = field_from_geojson(&text, FieldId::new(name).unwrap(), FieldCrop::SugarBeet).unwrap();
        let made = guided(&field, 3.0).unwrap();
        assert!(swaths(&made).len() > 20, "{name}");
        assert!(!made.findings.iter().any(|f| f.code == "plan.part_undone"), "{name}: {:?}", made.findings);
        planned += 1;
    }
    assert_eq!(planned, 3);
}

#[test]
fn the_command_takes_a_recorded_line_and_names_a_bad_row() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let ring = [[6.95, 52.87], [6.952, 52.87], [6.952, 52.8707], [6.95, 52.8707], [6.95, 52.87]];
    std::fs::write(
        at("f.geojson"),
        serde_json::json!({ "type": "Polygon", "coordinates": [ring] }).to_string(),
    )
    .unwrap();
    let rows: Vec<String> = (0..=40)
        .map(|k| {
            let share = f64::from(k) / 40.0;
            format!("{},{}", 6.95 + 0.002 * share, 52.87035 + 2e-5 * (6.0 * share).sin())
        })
        .collect();
    std::fs::write(at("line.csv"), format!("lon,lat\n{}", rows.join("\n"))).unwrap();
    std::fs::write(at("bad.csv"), "6.95,52.87\nhere\n").unwrap();
    let run = |line: &str, extra: &[&str]| {
        let rig_file = Path::new(env!("CARGO_MANIFEST_DIR")).join("rigs/robot-3m.toml");
        let done = Command::new(env!("CARGO_BIN_EXE_kompas-plan"))
            .args(["make", "--field"])
            .arg(at("f.geojson"))
            .arg("--rig")
            .arg(rig_file)
            .arg("--curve")
            .arg(at(line))
            .args(extra)
            .output()
            .unwrap();
        let said = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (done.status.code().unwrap(), said.concat())
    };
    let (code, said) = run("line.csv", &[]);
    assert!(code == 0 && said.contains("swaths at 90"), "{said}");
    let (code, said) = run("bad.csv", &[]);
    assert!(code == 2 && said.contains("line 2"), "{said}");
    assert_eq!(run("line.csv", &["--heading-deg", "10"]).0, 2);
}
