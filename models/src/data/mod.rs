//! Labelled images: reading folders of several formats into one list of [`Item`]s.
//!
//! A file that cannot be used is never dropped in silence: it becomes a [`Rejected`] with its reason, and
//! more than 5 % of them refuse the whole folder ([`refuse_if_too_many`]).

pub mod coco;
pub mod corrections;
pub mod index;
pub mod names;
pub mod phenobench;
pub mod scene;
pub mod shapes;
mod walk;
pub mod yolo;

use kompas_vision::load::{LoadError, upright_size};
use names::ClassNames;
use shapes::Shape;
use std::collections::BTreeSet;
use std::error::Error as _;
use std::path::{Component, Path, PathBuf};
use walk::{ALL_LEVELS, files_below};

/// Above this share of rejected files a folder is refused: it is probably not what its owner thinks.
const MAX_REJECTED_SHARE: f64 = 0.05;

/// Where the labels of an image are. Masks are of the pixels as the file stores them; shapes were drawn on the photograph as
/// it is held, which the file's EXIF orientation says.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// An 8-bit image of class ids, as large as the photograph, and how its ids translate to ours.
    Mask {
        /// The file.
        path: PathBuf,
        /// `translate[id in the file]`; `None` is an id nobody declared.
        translate: Box<[Option<u8>; 256]>,
    },
    /// Outlines or run lengths, in the order they are painted.
    Shapes(Vec<Shape>),
}

/// One labelled photograph.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Data set it belongs to; figures are reported per source.
    pub source: String,
    /// Unique within the source.
    pub name: String,
    /// Camera and site: images of a group resemble each other, so a split never cuts through one, and they are judged as
    /// those of one field.
    pub group: String,
    /// `train`, `val` or `test`, as the source says.
    pub split: String,
    /// The photograph.
    pub image: PathBuf,
    /// Its labels.
    pub labels: Labels,
    /// Width and height in pixels, as the labels have them.
    pub size: (u32, u32),
    /// Millimetres of ground per pixel, where the source states it.
    pub gsd_mm: Option<f64>,
}

impl Item {
    /// Its group as configurations and reports name it: `source/group`.
    pub fn full_group(&self) -> String {
        format!("{}/{}", self.source, self.group)
    }

    /// Its name among all sources: `source/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.source, self.name)
    }

    /// An image of a foreign folder: its source is the folder's name, its group the folder of the image, its name the way to
    /// it, as images of two splits may have the same file name.
    fn drawn(
        folder: &Path,
        image: PathBuf,
        split: &str,
        size: (u32, u32),
        labels: Labels,
    ) -> Result<Self, String> {
        let found = match labels {
            Labels::Mask { .. } => image::image_dimensions(&image).map_err(|error| error.to_string())?,
            Labels::Shapes(_) => upright_size(&image).map_err(|error| reason(&error))?,
        };
        if found != size {
            return Err(format!(
                "it is {}x{}, its labels are of {}x{}: both must agree",
                found.0, found.1, size.0, size.1
            ));
        }
        // `.` and `..` have a name, too.
        let real = folder.canonicalize();
        let source = real.as_deref().unwrap_or(folder).file_name().unwrap_or_default();
        let inside = inside(folder, &image);
        let text =
            |path: &Path| path.iter().map(std::ffi::OsStr::to_string_lossy).collect::<Vec<_>>().join("/");
        Ok(Self {
            source: source.to_string_lossy().into_owned(),
            name: text(&inside.with_extension("")),
            group: inside.parent().map_or_else(String::new, text),
            split: split.to_owned(),
            image,
            labels,
            size,
            gsd_mm: None,
        })
    }
}

/// The splits there are.
const SPLITS: [&str; 3] = ["train", "val", "test"];

/// The split that a name speaks of (`instances_val2017`). What speaks of two is not trained on.
fn split_named(name: &Path) -> Option<&'static str> {
    let text = name.to_string_lossy().to_lowercase();
    let words: Vec<&str> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .map(|word| word.trim_end_matches(|letter: char| letter.is_ascii_digit()))
        .collect();
    let speaks_of = |synonyms: &[&str]| words.iter().any(|word| synonyms.contains(word));
    let named = [
        ("test", &["test", "testing"][..]),
        ("val", &["val", "valid", "validation"]),
        ("train", &["train", "training"]),
    ];
    named.into_iter().find(|(_, synonyms)| speaks_of(synonyms)).map(|(split, _)| split)
}

/// The way from `folder` to `image`, without detours; the file name where it lies elsewhere.
fn inside(folder: &Path, image: &Path) -> PathBuf {
    let Ok(way) = image.strip_prefix(folder) else {
        return image.file_name().unwrap_or_default().into();
    };
    let mut inside = PathBuf::new();
    for part in way.components() {
        match part {
            Component::Normal(name) => inside.push(name),
            Component::ParentDir => drop(inside.pop()),
            _ => {}
        }
    }
    inside
}

/// Why a photograph cannot be used, with the cause.
pub(crate) fn reason(error: &LoadError) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// At most so many of `list`, evenly taken.
pub fn evenly<T: Clone>(list: &[T], most: usize) -> Vec<T> {
    let count = list.len().min(most);
    (0..count).map(|i| list[i * list.len() / count].clone()).collect()
}

/// Endings of photographs.
const PHOTOGRAPHS: [&str; 3] = ["jpg", "jpeg", "png"];

/// All photographs below `folder`, sorted. A folder that cannot be read is told and left out.
pub fn photographs(folder: &Path) -> Vec<PathBuf> {
    let (found, unread) = files_below(folder, &PHOTOGRAPHS, ALL_LEVELS);
    for Rejected { place, reason } in unread {
        tracing::warn!("skipped {place}: {reason}");
    }
    found
}

/// Reads `folder` in whichever format it is: `index.csv` (ours), which comes before all others, PhenoBench, YOLO or COCO. Names
/// are used where the format has class names.
/// # Errors
/// [`DataError`] when it is none of them or nothing is usable.
pub fn read(folder: &Path, names: &ClassNames) -> Result<DataSet, DataError> {
    if folder.join("index.csv").exists() {
        index::read(folder)
    } else if phenobench::is_one(folder) {
        phenobench::read(folder)
    } else if yolo::description(folder).is_some() {
        yolo::read(folder, names)
    } else {
        coco::read(folder, names)
    }
}

/// A file that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The file, or the row that named it.
    pub place: String,
    /// What is wrong with it and what to do.
    pub reason: String,
}

/// What a folder holds.
#[derive(Debug, Clone, Default)]
pub struct DataSet {
    /// Usable images, in the order of the folder.
    pub items: Vec<Item>,
    /// Files that were skipped.
    pub rejected: Vec<Rejected>,
}

impl DataSet {
    /// This without images of a source whose name another has: what is kept of one would overwrite the other's.
    fn checked(self, folder: &Path) -> Result<Self, DataError> {
        if self.items.is_empty() && self.rejected.is_empty() {
            return Err(DataError::Empty { path: folder.to_owned() });
        }
        let mut names = BTreeSet::new();
        let is_first = |item: &Item| names.insert((item.source.clone(), item.name.clone()));
        let (items, twice): (Vec<_>, Vec<_>) = self.items.into_iter().partition(is_first);
        let mut rejected = self.rejected;
        rejected.extend(twice.iter().map(|item| Rejected {
            place: item.image.display().to_string(),
            reason: format!("an image before it is called `{}`, too: name or list it once", item.name),
        }));
        Ok(Self { items, rejected })
    }
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The list of images cannot be read.
    #[error("{}: cannot read the list of images: {reason}", path.display())]
    List {
        /// The list.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// The folder cannot be looked into.
    #[error("{}: cannot read the folder: {reason}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// The cause.
        reason: String,
    },
    /// It is in none of the formats.
    #[error("{}", unknown_format(path, tried))]
    UnknownFormat {
        /// The folder.
        path: PathBuf,
        /// What in it might have been a list or held one.
        tried: Vec<Rejected>,
    },
    /// Nothing usable.
    #[error("{}: no usable image", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// Too many files had to be skipped.
    #[error(
        "{rejected} of {total} images are unusable, more than 5 %: mend the data first; the first is {first}"
    )]
    TooManyRejected {
        /// How many were skipped.
        rejected: usize,
        /// Of how many.
        total: usize,
        /// One of them with its reason.
        first: String,
    },
}

/// What is looked for in a folder of labelled images, and what was there instead.
fn unknown_format(path: &Path, tried: &[Rejected]) -> String {
    const MOST_TOLD: usize = 3; // a folder may have a file of its own format for each image
    let told = tried.iter().take(MOST_TOLD).map(|file| format!("; {}: {}", file.place, file.reason));
    let more = tried.len().saturating_sub(MOST_TOLD);
    let more = (more > 0).then(|| format!("; and {more} more"));
    format!(
        "{}: no labelled images of a known format: give the folder that holds index.csv, COCO lists (*.json \
         in it, in annotations/ or in another folder of it), the data.yaml of YOLO, or train/semantics or \
         val/semantics of PhenoBench{}",
        path.display(),
        told.chain(more).collect::<Vec<_>>().concat()
    )
}

/// Refuses images when more than 5 % of those that were read had to be skipped; `usable` were not.
/// # Errors
/// [`DataError::TooManyRejected`].
pub fn refuse_if_too_many(rejected: &[Rejected], usable: usize) -> Result<(), DataError> {
    let total = usable + rejected.len();
    match rejected.first() {
        Some(first) if rejected.len() as f64 > MAX_REJECTED_SHARE * total as f64 => {
            let first = format!("{}: {}", first.place, first.reason);
            Err(DataError::TooManyRejected { rejected: rejected.len(), total, first })
        }
        _ => Ok(()),
    }
}
