//! Our own format: `index.csv` beside `<source>/images/<name>.jpg` and `<source>/masks/<name>.png`.

use super::{DataError, DataSet, Item, Labels, Rejected, SPLITS};
use serde::Deserialize;
use std::ops::RangeInclusive;
use std::path::{Component, Path};

/// Class ids that are what they say: 0 to 4 and 255.
pub const OUR_IDS: [Option<u8>; 256] = {
    let mut ids = [None; 256];
    let mut id = 0;
    while id < 5 {
        ids[id as usize] = Some(id);
        id += 1;
    }
    ids[255] = Some(255);
    ids
};

/// Millimetres of ground per pixel in which plants are still plants: from a macro lens to a high drone. Beyond, the unit is
/// another.
const GSD_MM: RangeInclusive<f64> = 0.02..=100.;

/// A row of `index.csv`; further columns are ignored.
#[derive(Deserialize)]
struct Row {
    source: String,
    name: String,
    group: String,
    split: String,
    width: u32,
    height: u32,
    #[serde(default)]
    gsd_mm: Option<f64>,
}

/// Reads `folder/index.csv`. Files that are missing or of another size than the row says are rejected.
/// # Errors
/// [`DataError`] when the list cannot be read or nothing is usable.
pub fn read(folder: &Path) -> Result<DataSet, DataError> {
    let path = folder.join("index.csv");
    let list_error = |error: csv::Error| DataError::List { path: path.clone(), reason: error.to_string() };
    let mut reader = csv::Reader::from_path(&path).map_err(list_error)?;
    let mut set = DataSet::default();
    for (number, row) in reader.deserialize::<Row>().enumerate() {
        let line = number + 2; // after the heading
        match row.map_err(|error| error.to_string()).and_then(|row| item(folder, row)) {
            Ok(item) => set.items.push(item),
            Err(reason) => {
                set.rejected.push(Rejected { place: format!("{}:{line}", path.display()), reason });
            }
        }
    }
    set.checked(folder)
}

fn item(folder: &Path, row: Row) -> Result<Item, String> {
    if !SPLITS.contains(&row.split.as_str()) {
        return Err(format!("the split `{}` is none of {}: correct the row", row.split, SPLITS.join(", ")));
    }
    let way = Path::new(&row.source).join(&row.name);
    if !way.components().all(|part| matches!(part, Component::Normal(_))) {
        return Err(format!(
            "`{}/{}` leads out of the folder: name it from there, without `..`",
            row.source, row.name
        ));
    }
    // Many write nought, or what is no number, for what they do not know.
    let gsd_mm = row.gsd_mm.filter(|gsd_mm| *gsd_mm > 0.);
    if let Some(gsd_mm) = gsd_mm.filter(|gsd_mm| !GSD_MM.contains(gsd_mm)) {
        let (least, most) = (GSD_MM.start(), GSD_MM.end());
        return Err(format!(
            "gsd_mm = {gsd_mm}: {least} to {most} millimetres of ground per pixel: correct it, or leave it empty"
        ));
    }
    let base = folder.join(&row.source);
    let image = base.join("images").join(format!("{}.jpg", row.name));
    let mask = base.join("masks").join(format!("{}.png", row.name));
    for file in [&image, &mask] {
        let found = image::image_dimensions(file).map_err(|error| format!("{}: {error}", file.display()))?;
        if found != (row.width, row.height) {
            return Err(format!(
                "{} is {}x{}, the list says {}x{}: photograph, mask and row must agree",
                file.display(),
                found.0,
                found.1,
                row.width,
                row.height
            ));
        }
    }
    Ok(Item {
        source: row.source,
        name: row.name,
        group: row.group,
        split: row.split,
        image,
        labels: Labels::Mask { path: mask, translate: Box::new(OUR_IDS) },
        size: (row.width, row.height),
        gsd_mm,
    })
}
