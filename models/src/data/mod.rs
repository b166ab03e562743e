//! Labelled images: reading folders of several formats into one list of [`Item`]s.
//!
//! A file that cannot be used is never dropped in silence: it becomes a [`Rejected`] with its reason, and
//! more than 5 % of them refuse the whole folder ([`refuse_if_too_many`]).

pub mod index;
pub mod scene;

use std::path::PathBuf;

/// Above this share of rejected files a folder is refused: it is probably not what its owner thinks.
const MAX_REJECTED_SHARE: f64 = 0.05;

/// Where the labels of an image are.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// An 8-bit image of class ids, as large as the photograph, and how its ids translate to ours.
    Mask {
        /// The file.
        path: PathBuf,
        /// `translate[id in the file]`; `None` is an id nobody declared.
        translate: Box<[Option<u8>; 256]>,
    },
}

/// One labelled photograph.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Data set it belongs to; figures are reported per source.
    pub source: String,
    /// Unique within the source.
    pub name: String,
    /// Camera and site: images of a group resemble each other, so a split never cuts through one.
    pub group: String,
    /// `train`, `val` or `test`, as the source says.
    pub split: String,
    /// The photograph.
    pub image: PathBuf,
    /// Its labels.
    pub labels: Labels,
    /// Width and height in pixels.
    pub size: (u32, u32),
    /// Millimetres of ground per pixel, where the source states it.
    pub gsd_mm: Option<f64>,
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
#[derive(Debug, Default)]
pub struct DataSet {
    /// Usable images, in the order of the folder.
    pub items: Vec<Item>,
    /// Files that were skipped.
    pub rejected: Vec<Rejected>,
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

/// Refuses a set when more than 5 % of its images had to be skipped; `usable` were not.
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
