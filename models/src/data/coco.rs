//! COCO: JSON files, one or more, that list images, categories and annotations that carry outlines or run lengths. They lie in
//! the folder, in `annotations/`, or each beside the images of its split (`train/_annotations.coco.json`).

use super::names::ClassNames;
use super::shapes::{Outline, Shape};
use super::walk::files_below;
use super::{DataError, DataSet, Item, Labels, Rejected, split_named};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct File {
    images: Vec<Image>,
    #[serde(default)]
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
    /// Captions and panoptic annotations have none.
    #[serde(default)]
    category_id: Option<u64>,
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

/// What a JSON file is.
enum Json {
    List(File),
    /// No list of labelled images, and why.
    Other(&'static str),
}

/// Reads the lists of `folder` as one source named after it. The split is what a list is called after
/// (`instances_val.json`), or else the folder that it lies in, the group is the folder of the image. A JSON file that lists no
/// labelled images is told and left aside.
/// # Errors
/// [`DataError`] when the folder has no list, one cannot be read, or nothing is usable.
pub fn read(folder: &Path, names: &ClassNames) -> Result<DataSet, DataError> {
    let (set, aside) = read_lists(folder, names)?;
    // They are no images, so they do not count among those that cannot be used.
    for Rejected { place, reason } in aside {
        tracing::warn!("skipped {place}: {reason}");
    }
    set.checked(folder)
}

/// What the lists of `folder` hold, and the JSON files that are left aside. Lists in the folder itself and in `annotations/`
/// come first: older or other ones may lie in folders beside them.
fn read_lists(folder: &Path, names: &ClassNames) -> Result<(DataSet, Vec<Rejected>), DataError> {
    if let Err(error) = std::fs::read_dir(folder) {
        return Err(DataError::Folder { path: folder.to_owned(), reason: error.to_string() });
    }
    let (found, unread) = files_below(folder, &["json"], 1);
    let annotations = folder.join("annotations");
    let is_own = |path: &PathBuf| path.parent().is_some_and(|at| at == folder || at == annotations);
    let (first, other): (Vec<_>, Vec<_>) = found.into_iter().partition(is_own);
    let mut set = DataSet { rejected: unread, ..DataSet::default() };
    let mut aside = Vec::new();
    let mut lists = take(&first, folder, names, &mut set, &mut aside)?;
    if lists == 0 {
        lists = take(&other, folder, names, &mut set, &mut aside)?;
    } else if !other.is_empty() {
        let why = "in its folders are not read, as it has lists of its own: move what is meant beside those";
        let reason = format!("{} JSON files {why}", other.len());
        aside.push(Rejected { place: folder.display().to_string(), reason });
    }
    if lists == 0 {
        let tried = set.rejected.into_iter().chain(aside).collect();
        return Err(DataError::UnknownFormat { path: folder.to_owned(), tried });
    }
    Ok((set, aside))
}

/// Reads what of `paths` is a list into `set`, and says how many are.
fn take(
    paths: &[PathBuf],
    folder: &Path,
    names: &ClassNames,
    set: &mut DataSet,
    aside: &mut Vec<Rejected>,
) -> Result<usize, DataError> {
    let mut lists = 0;
    for path in paths {
        let list_error = |reason: String| DataError::List { path: path.clone(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| list_error(error.to_string()))?;
        match parsed(&text).map_err(|error| list_error(error.to_string()))? {
            Json::List(file) => {
                lists += 1;
                take_images(&file, path, folder, names, set);
            }
            Json::Other(reason) => {
                aside.push(Rejected { place: path.display().to_string(), reason: reason.to_owned() });
            }
        }
    }
    Ok(lists)
}

/// A list is what has images and annotations, one of them at least with a category: images of a list without labels are
/// unlabelled, not bare soil.
fn parsed(text: &str) -> serde_json::Result<Json> {
    let keys = match serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        // JSON, but no object. What is no JSON may be a list that was cut off.
        Err(error) if error.is_data() => BTreeMap::new(),
        keys => keys?,
    };
    let is_list = |key: &str| keys.get(key).is_some_and(|value| value.get().starts_with('['));
    if !is_list("images") {
        return Ok(Json::Other("it has no `images`, so it is no list of them: move it elsewhere"));
    }
    if !is_list("annotations") {
        return Ok(Json::Other("its images have no `annotations`: label them, or move it elsewhere"));
    }
    let file: File = serde_json::from_str(text)?;
    if file.annotations.iter().all(|annotation| annotation.category_id.is_none()) {
        return Ok(Json::Other("none of its `annotations` has a category: label them, or move it elsewhere"));
    }
    Ok(Json::List(file))
}

/// The images of a list, put into `set`.
fn take_images(file: &File, list: &Path, folder: &Path, names: &ClassNames, set: &mut DataSet) {
    let classes: BTreeMap<u64, &str> = file.categories.iter().map(|c| (c.id, c.name.as_str())).collect();
    let mut of_image: BTreeMap<u64, Vec<&Annotation>> = BTreeMap::new();
    for annotation in &file.annotations {
        of_image.entry(annotation.image_id).or_default().push(annotation);
    }
    let split = split_of(list, folder);
    for image in &file.images {
        let annotations = of_image.get(&image.id).map_or(&[][..], Vec::as_slice);
        let shapes: Result<Vec<Shape>, String> =
            annotations.iter().map(|annotation| shape(annotation, &classes, names)).collect();
        let found = shapes.and_then(|shapes| item(folder, list, image, split, shapes));
        match found {
            Ok(item) => set.items.push(item),
            Err(reason) => {
                let place = format!("{}: {}", list.display(), image.file_name);
                set.rejected.push(Rejected { place, reason });
            }
        }
    }
}

/// `instances_val2017.json`, or a list that says nothing in a folder `valid`: of those inside `folder` the nearest, or else it.
fn split_of(list: &Path, folder: &Path) -> &'static str {
    let real = folder.canonicalize();
    let own = real.as_deref().unwrap_or(folder).file_name();
    let near = list.strip_prefix(folder).ok().and_then(Path::parent);
    let names = [list.file_stem().map(Path::new), near, own.map(Path::new)];
    names.into_iter().flatten().find_map(split_named).unwrap_or("train")
}

fn shape(
    annotation: &Annotation,
    classes: &BTreeMap<u64, &str>,
    names: &ClassNames,
) -> Result<Shape, String> {
    let id = annotation.category_id.ok_or("an annotation has no category: give it one")?;
    let name = classes.get(&id).ok_or_else(|| format!("category {id} is not in the list of categories"))?;
    let class = names.id(name)?;
    let outline = match &annotation.segmentation {
        Some(Segmentation::Polygons(polygons)) if polygons.iter().any(|polygon| polygon.len() >= 6) => {
            let pairs = |polygon: &Vec<f64>| polygon.chunks_exact(2).map(|xy| [xy[0], xy[1]]).collect();
            Outline::Polygons(polygons.iter().map(pairs).collect())
        }
        Some(Segmentation::Runs { counts, size: [height, width] }) => {
            let undecoded = || format!("run lengths of {width}x{height} do not decode");
            let lengths = match counts {
                Counts::Plain(lengths) => lengths.clone(),
                Counts::Packed(text) => unpacked(text).ok_or_else(undecoded)?,
            };
            Outline::Runs { lengths, size: (*width, *height) }
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
    let fits = shapes.iter().try_for_each(|shape| shape.outline.check(image.width, image.height));
    let item = Item::drawn(folder, path, split, (image.width, image.height), Labels::Shapes(shapes))?;
    // Only now: where the list has another size than the photograph, that is what to mend first.
    fits.map(|()| item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    const LIST: &str = r#"{"images": [{"id": 7, "file_name": "a.png", "width": 4, "height": 2}],
        "categories": [{"id": 1, "name": "weed"}],
        "annotations": [{"image_id": 7, "category_id": 1, "segmentation": [[0, 0, 2, 0, 2, 2, 0, 2]]}]}"#;

    /// What is read of a folder that has the photograph of the list and these files.
    fn listed(files: &[(&str, &str)]) -> Result<(DataSet, Vec<Rejected>), DataError> {
        let folder = TempDir::new().unwrap();
        image::RgbImage::new(4, 2).save(folder.path().join("a.png")).unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        read_lists(folder.path(), &ClassNames::default())
    }

    #[test]
    fn json_that_lists_no_labelled_image_is_left_aside_beside_a_list_and_refused_alone() {
        let images = r#"{"images": [{"id": 7, "file_name": "a.png", "width": 4, "height": 2}]"#;
        for (text, reason) in [
            (format!("{images}}}"), "have no `annotations`"),
            (format!(r#"{images}, "annotations": []}}"#), "has a category"),
            (format!(r#"{images}, "annotations": [{{"image_id": 7, "caption": "a"}}]}}"#), "has a category"),
            (r#"{"images": 1}"#.to_owned(), "has no `images`"),
            ("[1, 2]".to_owned(), "has no `images`"),
        ] {
            let (set, aside) = listed(&[("list.json", LIST), ("other.json", text.as_str())]).unwrap();
            assert_eq!((set.items.len(), &set.rejected[..]), (1, &[][..]), "{text}");
            assert!(aside.len() == 1 && aside[0].place.ends_with("other.json"), "{aside:?}");
            assert!(aside[0].reason.contains(reason), "{aside:?}");
            let error = listed(&[("other.json", text.as_str())]).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("index.csv"), "{error}");
        }
        let cut_off = listed(&[("list.json", LIST), ("other.json", &LIST[..80])]);
        assert!(matches!(cut_off, Err(DataError::List { .. })), "{cut_off:?}");
    }

    #[test]
    fn lists_in_other_folders_are_read_unless_the_folder_has_its_own() {
        let (set, aside) = listed(&[("info.json", "{}"), ("old/list.json", LIST)]).unwrap();
        assert!(set.items.len() == 1 && aside[0].place.ends_with("info.json"), "{aside:?}");
        let (set, aside) = listed(&[("annotations/list.json", LIST), ("old/list.json", LIST)]).unwrap();
        assert_eq!((set.items.len(), &set.rejected[..]), (1, &[][..]));
        assert!(aside.len() == 1 && aside[0].reason.starts_with("1 JSON files"), "{aside:?}");
    }

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
