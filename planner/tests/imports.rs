//! Parcels in the files people have: what of a file is worked, what is refused, and what is told.

mod common;

use common::rig;
use kompas_field::ids::FieldId;
use kompas_field::{Field, FieldCrop, Severity};
use kompas_planner::import::{ImportError, field_from_file};
use kompas_planner::{Policy, check, plan};
use serde_json::{Value, json};
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
fn an_obstacle_walked_twice_is_one_and_slivers_beside_it_are_none() {
    // The pond's outline once more before it is closed.
    let pond = task_data(&[(3, [40.0, 25.0, 60.0, 45.0])]);
    let (begin, end) = (pond.find(r#"<LSG A="1">"#).unwrap() + 11, pond.find("</LSG>").unwrap());
    let twice = format!("{}{}{}", &pond[..end], &pond[begin..end], &pond[end..]);
    // A ditch along the northern edge, drawn 30 cm inside it.
    let ditch = task_data(&[(3, [-5.0, 55.0, 105.0, 59.7])]);
    for (text, area) in [(twice, 6000.0 - 400.0), (ditch, 5500.0)] {
        let (field, _) = read_text("t.xml", &text).unwrap();
        let found = field.boundary.area().get();
        assert!((found - area).abs() < 20.0, "{found} instead of {area}");
    }
}

#[test]
fn a_fence_without_an_area_is_told() {
    for kind in [7, 9] {
        let fence = format!(
            r#"<LSG A="{kind}"><PNT A="2" C="52.8701" D="6.9501"/><PNT A="2" C="52.8702" D="6.9505"/></LSG></PFD>"#
        );
        let (_, warnings) = read_text("t.xml", &task_data(&[]).replace("</PFD>", &fence)).unwrap();
        assert!(warnings.iter().any(|told| told.contains("without an area")), "{kind}: {warnings:?}");
    }
}

#[test]
fn obstacles_that_cut_or_cover_the_parcel_are_refused() {
    let road = (5, [48.0, -10.0, 52.0, 70.0]);
    assert!(matches!(read_text("t.xml", &task_data(&[road])), Err(ImportError::CutApart { parts: 2 })));
    let lake = (3, [-10.0, -10.0, 110.0, 70.0]);
    assert!(matches!(read_text("t.xml", &task_data(&[lake])), Err(ImportError::NoPolygon { .. })));
}

fn feature(kind: &str, coordinates: &Value) -> Value {
    json!({ "type": "Feature", "properties": {}, "geometry": { "type": kind, "coordinates": coordinates } })
}

fn collection(features: &[Value]) -> String {
    json!({ "type": "FeatureCollection", "features": features }).to_string()
}

#[test]
fn a_collection_is_one_parcel_or_is_refused() {
    let parcel = feature("Polygon", &json!([ring(PARCEL)]));
    let gate = feature("Point", &json!([6.95, 52.87]));
    let fence = feature("LineString", &json!(ring(PARCEL)));
    let nothing = json!({ "type": "Feature", "properties": {}, "geometry": null });
    // The parcel counts wherever it stands.
    let features = [nothing, gate.clone(), parcel.clone(), gate, fence];
    let (field, warnings) = read_text("f.geojson", &collection(&features)).unwrap();
    assert!((field.boundary.area().get() - 6000.0).abs() < 20.0);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings.iter().any(|w| w.contains("2 × Point")), "{warnings:?}");
    let other = feature("MultiPolygon", &json!([[ring([200.0, 0.0, 300.0, 60.0])]]));
    let two = read_text("f.geojson", &collection(&[parcel, other]));
    assert!(matches!(two, Err(ImportError::SeveralParts { parts: 2 })), "{two:?}");
}

/// A `GeoPackage` geometry of polygons: header, multi-polygon, corners.
fn blob(parts: &[[f64; 4]]) -> Vec<u8> {
    let mut bytes = b"GP\0\x01".to_vec();
    bytes.extend(4258_i32.to_le_bytes());
    let head = |bytes: &mut Vec<u8>, kind: u32, count: usize| {
        bytes.push(1);
        bytes.extend(kind.to_le_bytes());
        bytes.extend(u32::try_from(count).expect("few").to_le_bytes());
    };
    head(&mut bytes, 6, parts.len());
    for part in parts {
        head(&mut bytes, 3, 1);
        let points = ring(*part);
        bytes.extend(u32::try_from(points.len()).expect("few").to_le_bytes());
        bytes.extend(points.iter().flatten().flat_map(|number| number.to_le_bytes()));
    }
    bytes
}

/// Reads a `GeoPackage` of tables with these geometries.
fn read_tables(tables: &[(&str, Vec<Vec<u8>>)]) -> Result<(Field, Vec<String>), ImportError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.gpkg");
    let file = rusqlite::Connection::open(&path).expect("a GeoPackage");
    file.execute_batch(
        "CREATE TABLE gpkg_spatial_ref_sys (srs_id, organization_coordsys_id); INSERT INTO gpkg_spatial_ref_sys VALUES (4258, 4258);
         CREATE TABLE gpkg_geometry_columns (table_name, column_name, srs_id);",
    )
    .expect("a GeoPackage");
    for (name, blobs) in tables {
        file.execute_batch(&format!(
            "CREATE TABLE {name} (geom BLOB); INSERT INTO gpkg_geometry_columns VALUES ('{name}', 'geom', 4258);"
        ))
        .expect("a GeoPackage");
        for blob in blobs {
            file.execute(&format!("INSERT INTO {name} VALUES (?1)"), [blob]).expect("a GeoPackage");
        }
    }
    drop(file);
    read(&path)
}

#[test]
fn tables_of_a_geopackage_are_one_parcel_or_are_refused_by_name() {
    let point = b"GP\0\x01\0\0\0\0\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    let other = [200.0, 0.0, 300.0, 60.0];
    let (field, warnings) = read_tables(&[
        ("gates", vec![point.clone(), point.clone()]),
        ("none", vec![]),
        ("parcels", vec![point, blob(&[PARCEL])]),
    ])
    .unwrap();
    assert!((field.boundary.area().get() - 6000.0).abs() < 20.0);
    assert!(warnings.len() == 2 && warnings[0].contains("2 features of table gates"), "{warnings:?}");
    let said = |tables: &[(&str, Vec<Vec<u8>>)]| read_tables(tables).unwrap_err().to_string();
    let two = said(&[("north", vec![blob(&[PARCEL])]), ("south", vec![blob(&[other])])]);
    assert!(two.contains("north, south"), "{two}");
    assert!(said(&[("a", vec![blob(&[PARCEL]), blob(&[other])])]).contains("2 polygons"));
    assert!(said(&[("a", vec![blob(&[PARCEL, other])])]).contains("2 polygons"));
    assert!(said(&[("a", vec![])]).contains("no polygon"));
}

#[test]
fn the_system_beside_a_shapefile_counts_in_capitals_too() {
    use shapefile::{Point, Polygon, PolygonRing, ShapeWriter};
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let ring = [(6.95, 52.87), (6.95, 52.871), (6.952, 52.871), (6.952, 52.87), (6.95, 52.87)];
    let points = ring.map(|(x, y)| Point::new(x, y)).to_vec();
    let mut writer = ShapeWriter::from_path(at("P.SHP")).unwrap();
    writer.write_shape(&Polygon::new(PolygonRing::Outer(points))).unwrap();
    drop(writer);
    let read = || field_from_file(&at("P.SHP"), "p".parse().unwrap(), FieldCrop::SugarBeet);
    read().unwrap();
    // Degrees, but of the old national system: a hundred metres off.
    std::fs::write(at("P.PRJ"), "GEOGCS[\"GCS_Amersfoort\",DATUM[\"D_Amersfoort\",SPHEROID[\"Bessel_1841\",6377397.155,299.1528128]],PRIMEM[\"Greenwich\",0],UNIT[\"Degree\",0.0174532925199433]]").unwrap();
    assert!(matches!(read(), Err(ImportError::UnknownCrs { .. })));
    std::fs::remove_file(at("P.PRJ")).unwrap();
    std::fs::create_dir(at("P.prj")).unwrap();
    let unread = read().unwrap_err().to_string();
    assert!(unread.contains("its .prj"), "{unread}");
}
