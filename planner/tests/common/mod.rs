//! Fields and rigs for the tests.

use kompas_field::ids::FieldId;
use kompas_field::rig::RigToml;
use kompas_field::{
    Boundary, CellIndex, CellTally, Field, FieldCrop, FieldPlane, Geodetic, PlantClass, Point2, RawBoundary,
    Rig, WeedMap,
};
use std::path::{Path, PathBuf};

#[allow(clippy::allow_attributes, dead_code, reason = "not every test binary draws parcels")]
pub(crate) mod ugly;

/// A committed rig.
pub(crate) fn rig(name: &str) -> Rig {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The fuzz targets lie one folder deeper.
    let planner = if path.ends_with("fuzz") { path.join("..") } else { path.to_owned() };
    let path = planner.join("rigs").join(format!("{name}.toml"));
    let raw: RigToml =
        toml::from_str(&std::fs::read_to_string(path).expect("a committed rig")).expect("a rig file");
    Rig::new(raw).expect("a usable rig")
}

/// A field in metres around Valthermond; `Err` when the boundary is not valid.
#[allow(clippy::allow_attributes, dead_code, reason = "not every test binary uses every helper")]
pub(crate) fn field(
    outer: &[(f64, f64)],
    holes: &[Vec<(f64, f64)>],
) -> Result<Field, kompas_field::Findings> {
    let ring = |points: &[(f64, f64)]| {
        let mut ring: Vec<_> = points.iter().map(|(x, y)| Point2::new(*x, *y)).collect();
        ring.push(ring[0]);
        ring
    };
    let raw = RawBoundary { outer: ring(outer), exclusions: holes.iter().map(|h| ring(h)).collect() };
    Ok(Field {
        id: FieldId::new("test").expect("a valid id"),
        crop: FieldCrop::SugarBeet,
        plane: FieldPlane::at(Geodetic::etrs89(52.87, 6.95)).expect("a place"),
        boundary: Boundary::new(&raw)?,
    })
}

/// A map with one weed in each of these grid cells (column, row).
#[allow(clippy::allow_attributes, dead_code, reason = "not every test binary uses every helper")]
pub(crate) fn weeds(field: &Field, cells: &[(u32, u32)]) -> WeedMap {
    let mut map = WeedMap::of(field);
    let mut tally = CellTally::default();
    tally.plants[usize::from(PlantClass::Weed.id())] = 1;
    for &(col, row) in cells {
        map.add_tally(CellIndex { col, row }, &tally).expect("a cell of the grid");
    }
    map
}

/// Real parcels, where the data folder lies beside the repository; says so when it does not.
#[allow(clippy::allow_attributes, dead_code, reason = "not every test binary uses every helper")]
pub(crate) fn parcels() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/fields");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: needs ../shared/data/fields");
        return vec![];
    };
    let mut files: Vec<PathBuf> = entries
        .map(|e| e.expect("a readable folder").path())
        .filter(|p| p.extension().is_some_and(|e| e == "geojson"))
        .collect();
    files.sort();
    files
}
