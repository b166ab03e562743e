//! Parcels in the files people have: what of a file is worked, what is refused, and what is told.

mod common;

use common::rig;
use kompas_field::ids::FieldId;
use kompas_field::{Field, FieldCrop, Severity};
use kompas_planner::import::{ImportError, field_from_file};
use kompas_planner::{Policy, check, plan};
use std::path::Path;

/// Degrees per metre at the place where the parcels are drawn.
const EAST: f64 = 1.0 / 67_190.0;
const NORTH: f64 = 1.0 / 111_270.0;

/// A rectangle, as degrees: closed.
fn ring([west, south, east, north]: [f64; 4]) -> Vec<[f64; 2]> {
    [(west, south), (east, south), (east, north), (west, north), (west, south)]
        .map(|(x, y)| [6.95 + x * EAST, 52.87 + y * NORTH])
        .to_vec()
}

fn read(path: &Path) -> Result<(Field, Vec<String>), ImportError> {
    field_from_file(path, FieldId::new("test").expect("a valid id"), FieldCrop::SugarBeet)
}

fn read_text(name: &str, text: &str) -> Result<(Field, Vec<String>), ImportError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("a file");
    read(&path)
}

const PARCEL: [f64; 4] = [0.0, 0.0, 100.0, 60.0];

/// Task data with the parcel and other polygons, by type.
fn task_data(others: &[(u8, [f64; 4])]) -> String {
    let polygon = |(kind, corners): &(u8, [f64; 4])| {
        let point = |[lon, lat]: &[f64; 2]| format!(r#"<PNT A="2" C="{lat:.9}" D="{lon:.9}"/>"#);
        let points: Vec<String> = ring(*corners).iter().map(point).collect();
        format!(r#"<PLN A="{kind}"><LSG A="1">{}</LSG></PLN>"#, points.concat())
    };
    let polygons: Vec<String> = others.iter().chain(&[(1, PARCEL)]).map(polygon).collect();
    format!(
        r#"<ISO11783_TaskData VersionMajor="4"><PFD A="PFD1">{}</PFD></ISO11783_TaskData>"#,
        polygons.concat()
    )
}

#[test]
fn obstacles_in_task_data_are_driven_around() {
    let house = (4, [40.0, 25.0, 50.0, 35.0]);
    // A ditch over the northern edge, and a mast that meets it.
    let ditch = (3, [70.0, 50.0, 120.0, 70.0]);
    let mast = (6, [68.0, 52.0, 72.0, 56.0]);
    let (field, warnings) = read_text("t.xml", &task_data(&[house, ditch, mast])).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    let area = field.boundary.area().get();
    assert!((area - (6000.0 - 100.0 - 300.0 - 8.0)).abs() < 20.0, "{area}");
    let inside = |x: f64, y: f64| {
        let place = kompas_field::Geodetic::etrs89(52.87 + y * NORTH, 6.95 + x * EAST);
        field.boundary.contains(field.plane.to_field(place).unwrap())
    };
    assert!(inside(20.0, 30.0) && !inside(45.0, 30.0) && !inside(90.0, 55.0) && !inside(69.0, 54.0));
    let rig = rig("robot-3m");
    let made = plan(&field, None, &rig, &Policy::reference()).unwrap();
    assert!(check(&made, &field, &rig).iter().all(|f| f.severity != Severity::Error));
}

#[test]
fn obstacles_that_cut_or_cover_the_parcel_are_refused() {
    let road = (5, [48.0, -10.0, 52.0, 70.0]);
    assert!(matches!(read_text("t.xml", &task_data(&[road])), Err(ImportError::CutApart { parts: 2 })));
    let lake = (3, [-10.0, -10.0, 110.0, 70.0]);
    assert!(matches!(read_text("t.xml", &task_data(&[lake])), Err(ImportError::NoPolygon { .. })));
}
