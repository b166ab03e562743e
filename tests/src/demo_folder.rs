//! The folder of a demo: emptied at its start, and never when it is somebody else's.
//!
//! The demo keeps a cloud's data in `cloud` and a robot's in `robot`, names that a farm's own store may well have
//! (`--folder /srv/kompas`). Only a folder where a demo left its marker is a demo's.

use crate::process::workspace;
use std::io;
use std::path::{Path, PathBuf};

/// What a demo leaves in its folder.
pub const MARKER: &str = ".kompas-demo";

const PARTS: [&str; 2] = ["cloud", "robot"];

/// Why a folder is not taken.
#[derive(Debug, thiserror::Error)]
pub enum DemoFolderError {
    /// What lies there would be deleted.
    #[error("{} holds the project: choose another --folder", .0.display())]
    Project(PathBuf),
    /// What lies there may be a farm's.
    #[error(
        "{} is there, and no demo made {} ({MARKER} is missing): it may be a farm's records, so the demo does not empty it; choose another --folder, or delete it yourself",
        part.display(), folder.display()
    )]
    NotADemos {
        /// As given.
        folder: PathBuf,
        /// What would have been deleted.
        part: PathBuf,
    },
    /// The system's refusal.
    #[error("cannot make or empty {}", path.display())]
    System {
        /// Where.
        path: PathBuf,
        /// Its words.
        #[source]
        source: io::Error,
    },
}

/// Makes `folder`, or empties it of what the last demo left.
///
/// # Errors
/// [`DemoFolderError`]; nothing is deleted then, except where the system gave up half-way.
pub fn emptied(folder: &Path) -> Result<(), DemoFolderError> {
    if workspace().starts_with(folder) {
        return Err(DemoFolderError::Project(folder.to_owned()));
    }
    let system = |path: &Path| {
        let path = path.to_owned();
        |source| DemoFolderError::System { path, source }
    };
    let marker = folder.join(MARKER);
    // A link counts as what it is, not as where it leads.
    let there = |path: &PathBuf| path.symlink_metadata().is_ok();
    let parts: Vec<PathBuf> = PARTS.map(|part| folder.join(part)).into_iter().filter(there).collect();
    if let Some(part) = parts.first()
        && !marker.is_file()
    {
        return Err(DemoFolderError::NotADemos { folder: folder.to_owned(), part: part.clone() });
    }
    for part in &parts {
        std::fs::remove_dir_all(part).map_err(system(part))?;
    }
    std::fs::create_dir_all(folder).map_err(system(folder))?;
    let words =
        format!("kompas-demo empties {} beside this file each time it starts.\n", PARTS.join(" and "));
    std::fs::write(&marker, words).map_err(system(&marker))
}
