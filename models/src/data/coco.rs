//! COCO: one JSON file per split with images, categories and annotations that carry outlines or run lengths.

use super::names::ClassNames;
use super::shapes::{Outline, Shape};
use super::{DataError, DataSet, Item, Labels, Rejected, split_named};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct File {
    images: Vec<Image>,
    categories: Vec<Category>,
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Image {
    id: u64,
    file_name: String,
    width: u32,
    height: u32,
}

#[derive(Deserialize)]
struct Category {
    id: u64,
    name: String,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: u64,
    category_id: u64,
    #[serde(default)]
    segmentation: Option<Segmentation>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Segmentation {
    Polygons(Vec<Vec<f64>>),
    Runs { counts: Counts, size: [u32; 2] },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Counts {
    Plain(Vec<u32>),
    Packed(String),
}

/// The annotation files below `folder`: in it or in `annotations/`, sorted.
pub(super) fn lists(folder: &Path) -> Vec<PathBuf> {
    let inside = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = [folder.to_owned(), folder.join("annotations")]
        .into_iter()
        .flat_map(inside)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    found.sort();
    found
}

/// Reads every annotation file of `folder` as one source named after the folder. The split is what the file is
/// called after (`instances_val.json`), or else the folder, the group is the folder of the image.
/// # Errors
/// [`DataError`] when a file is no COCO file or nothing is usable.
pub fn read(folder: &Path, names: &ClassNames) -> Result<DataSet, DataError> {
    let mut set = DataSet::default();
    for path in lists(folder) {
        let list_error = |reason: String| DataError::List { path: path.clone(), reason };
        let text = std::fs::read_to_string(&path).map_err(|error| list_error(error.to_string()))?;
        let file: File = serde_json::from_str(&text).map_err(|error| list_error(error.to_string()))?;
        let classes: BTreeMap<u64, &str> = file.categories.iter().map(|c| (c.id, c.name.as_str())).collect();
        let mut of_image: BTreeMap<u64, Vec<&Annotation>> = BTreeMap::new();
        for annotation in &file.annotations {
            of_image.entry(annotation.image_id).or_default().push(annotation);
        }
        // `instances_val2017.json`, or a list that says nothing in a folder `valid`.
        let real = folder.canonicalize();
        let own = real.as_deref().unwrap_or(folder).file_name();
        let told = [path.file_stem(), own].into_iter().flatten().find_map(|name| split_named(name.as_ref()));
        let split = told.unwrap_or("train");
        for image in &file.images {
            let annotations = of_image.get(&image.id).map_or(&[][..], Vec::as_slice);
            let shapes: Result<Vec<Shape>, String> =
                annotations.iter().map(|annotation| shape(annotation, &classes, names)).collect();
            let found = shapes.and_then(|shapes| item(folder, &path, image, split, shapes));
            match found {
                Ok(item) => set.items.push(item),
                Err(reason) => {
                    let place = format!("{}: {}", path.display(), image.file_name);
                    set.rejected.push(Rejected { place, reason });
                }
            }
        }
    }
    set.checked(folder)
}

fn shape(
    annotation: &Annotation,
    classes: &BTreeMap<u64, &str>,
    names: &ClassNames,
) -> Result<Shape, String> {
    let id = annotation.category_id;
    let name = classes.get(&id).ok_or_else(|| format!("category {id} is not in the list of categories"))?;
    let class = names.id(name)?;
    let outline = match &annotation.segmentation {
        Some(Segmentation::Polygons(polygons)) if polygons.iter().any(|polygon| polygon.len() >= 6) => {
            let pairs = |polygon: &Vec<f64>| polygon.chunks_exact(2).map(|xy| [xy[0], xy[1]]).collect();
            Outline::Polygons(polygons.iter().map(pairs).collect())
        }
        Some(Segmentation::Runs { counts: Counts::Plain(runs), .. }) => Outline::Runs(runs.clone()),
        Some(Segmentation::Runs { counts: Counts::Packed(text), size }) => {
            let runs = unpacked(text).ok_or_else(|| format!("run lengths of size {size:?} do not decode"))?;
            Outline::Runs(runs)
        }
        _ => return Err("an annotation is a box without outline: classes per pixel need outlines".into()),
    };
    Ok(Shape { class, outline })
}

/// Run lengths from COCO's text form: five bits per character from 48 on, the sixth says that more follow, the
/// sign is the last one's fifth; from the third run on the difference to the run two before.
fn unpacked(text: &str) -> Option<Vec<u32>> {
    let mut runs: Vec<i64> = Vec::new();
    let mut bytes = text.bytes();
    while let Some(first) = bytes.next() {
        let (mut value, mut shift, mut byte) = (0_i64, 0_u32, first);
        loop {
            let part = i64::from(byte.checked_sub(48)?);
            value |= (part & 31).checked_shl(shift)?;
            shift += 5;
            if part & 32 == 0 {
                if part & 16 != 0 {
                    value |= (-1_i64).checked_shl(shift)?;
                }
                break;
            }
            (shift < 60).then_some(())?;
            byte = bytes.next()?;
        }
        if runs.len() > 2 {
            value += runs[runs.len() - 2];
        }
        runs.push(value);
    }
    runs.into_iter().map(|run| u32::try_from(run).ok()).collect()
}

fn item(
    folder: &Path,
    list: &Path,
    image: &Image,
    split: &'static str,
    shapes: Vec<Shape>,
) -> Result<Item, String> {
    let near = list.parent().unwrap_or(folder);
    let stem = list.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let named = stem.rsplit('_').next().unwrap_or_default().to_owned();
    let bases = [
        near.to_owned(),
        near.join("images"),
        folder.to_owned(),
        folder.join("images"),
        folder.join(&named),
        folder.join("images").join(&named),
    ];
    let path = bases.iter().map(|base| base.join(&image.file_name)).find(|path| path.is_file());
    let path = path.ok_or("the photograph is not there: it is looked for beside the list and in images/")?;
    Item::drawn(folder, path, split, (image.width, image.height), Labels::Shapes(shapes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_run_lengths_decode_as_the_reference_does() {
        // pycocotools.mask.encode: an empty map of 8×6, a block in it, and 20×12 with scattered pixels.
        assert_eq!(unpacked("`1"), Some(vec![48]));
        assert_eq!(unpacked("83300000`0"), Some(vec![8, 3, 3, 3, 3, 3, 3, 3, 19]));
        let scattered = [
            4, 2, 11, 1, 3, 1, 14, 2, 36, 7, 5, 8, 4, 8, 4, 7, 5, 7, 1, 1, 3, 2, 5, 1, 18, 1, 15, 1, 10, 1,
            1, 1, 5, 1, 1, 2, 1, 1, 1, 1, 19, 1, 17,
        ];
        assert_eq!(unpacked("42;OH0;1f05QO1O00O10LJ212O=0M0K0G040L10O00b00N"), Some(scattered.to_vec()));
        assert_eq!(unpacked("8"), Some(vec![8]));
        assert_eq!(unpacked("P"), None, "a value that goes on and ends");
        assert_eq!(unpacked("é"), None);
    }
}
