//! YOLO segmentation folders: `data.yaml`, `images/…` and, in the same places, `labels/…`, one text file per image.

use super::names::ClassNames;
use super::shapes::{Outline, Shape};
use super::walk::{ALL_LEVELS, files_below};
use super::{DataError, DataSet, Item, Labels, PHOTOGRAPHS, Rejected, reason, split_named};
use kompas_vision::load::upright_size;
use std::path::{Path, PathBuf};
use yaml_rust2::{Yaml, YamlLoader};

/// The description of a YOLO folder, where it is one.
pub(super) fn description(folder: &Path) -> Option<PathBuf> {
    ["data.yaml", "data.yml", "dataset.yaml"]
        .into_iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

/// Reads `images/…` of `folder` (also `<split>/images/…`) as one source named after the folder. The split is
/// what a folder on the way is called, the group is the folder of the image.
/// # Errors
/// [`DataError`] when the description cannot be read or nothing is usable.
pub fn read(folder: &Path, names: &ClassNames) -> Result<DataSet, DataError> {
    let path = description(folder).unwrap_or_else(|| folder.join("data.yaml"));
    let list_error = |reason: String| DataError::List { path: path.clone(), reason };
    let text = std::fs::read_to_string(&path).map_err(|error| list_error(error.to_string()))?;
    let classes = classes(&text).map_err(&list_error)?;
    let (images, unread) = files_below(folder, &PHOTOGRAPHS, ALL_LEVELS);
    let mut set = DataSet { rejected: unread, ..DataSet::default() };
    for image in images {
        match item(folder, &image, &classes, names) {
            Ok(item) => set.items.push(item),
            Err(reason) => set.rejected.push(Rejected { place: image.display().to_string(), reason }),
        }
    }
    set.checked(folder)
}

/// The class names in the order of their numbers: `names` is a list or a map from number to name.
fn classes(text: &str) -> Result<Vec<String>, String> {
    let documents = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    let name = |value: &Yaml| value.as_str().map(str::to_owned).ok_or("a class name is no text".to_owned());
    match documents.first().map(|document| &document["names"]) {
        Some(Yaml::Array(list)) => list.iter().map(name).collect(),
        Some(Yaml::Hash(map)) => (0..map.len())
            .map(|number| {
                let key = i64::try_from(number).map(Yaml::Integer).map_err(|error| error.to_string())?;
                map.get(&key).ok_or(format!("`names` has no number {number}")).and_then(name)
            })
            .collect(),
        _ => Err("`names` is missing: a list of class names".into()),
    }
}

fn item(folder: &Path, image: &Path, classes: &[String], names: &ClassNames) -> Result<Item, String> {
    // The last `images` on the way becomes `labels`.
    let inside = image.strip_prefix(folder).map_err(|error| error.to_string())?;
    let mut parts: Vec<_> = inside.iter().collect();
    let images = parts.iter().rposition(|part| *part == "images").ok_or("it is not below `images`")?;
    parts[images] = std::ffi::OsStr::new("labels");
    let labels = folder.join(parts.iter().collect::<PathBuf>()).with_extension("txt");
    let size = upright_size(image).map_err(|error| reason(&error))?;
    let text = std::fs::read_to_string(&labels).map_err(|error| format!("{}: {error}", labels.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let shapes: Result<Vec<_>, String> = lines
        .map(|(number, line)| {
            let place = |reason: String| format!("{}:{}: {reason}", labels.display(), number + 1);
            shape(line, size, classes, names).map_err(place)
        })
        .collect();
    Item::drawn(
        folder,
        image.to_owned(),
        split_named(inside.parent().unwrap_or(inside)).unwrap_or("train"),
        size,
        Labels::Shapes(shapes?),
    )
}

/// `class x y x y …`, coordinates as shares of width and height.
fn shape(
    line: &str,
    (width, height): (u32, u32),
    classes: &[String],
    names: &ClassNames,
) -> Result<Shape, String> {
    let mut words = line.split_whitespace();
    let number: usize = words.next().and_then(|word| word.parse().ok()).ok_or("no class number")?;
    let name = classes.get(number).ok_or_else(|| format!("class {number} is not in data.yaml"))?;
    let values: Result<Vec<f64>, _> = words.map(str::parse).collect();
    let values = values.map_err(|error| error.to_string())?;
    if values.len() == 4 {
        return Err("a box without outline: classes per pixel need outlines".into());
    }
    if values.len() < 6 || values.len() % 2 == 1 || values.iter().any(|value| !(0. ..=1.).contains(value)) {
        return Err("an outline is three or more pairs of shares between 0 and 1".into());
    }
    let (width, height) = (f64::from(width), f64::from(height));
    let outline = values.chunks_exact(2).map(|xy| [xy[0] * width, xy[1] * height]).collect();
    Ok(Shape { class: names.id(name)?, outline: Outline::Polygons(vec![outline]) })
}
