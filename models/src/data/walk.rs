//! Walks through folders: every file once, and what could not be looked into.

use super::Rejected;
use std::collections::BTreeSet;
use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

/// As many levels of folders as there are.
pub(super) const ALL_LEVELS: usize = usize::MAX;

/// All files with one of these extensions in `folder` and so many levels of folders below it, sorted, and the folders that
/// cannot be read. A folder that several ways lead to is walked once, by the way without links where there is one.
pub(super) fn files_below(
    folder: &Path,
    extensions: &[&str],
    levels: usize,
) -> (Vec<PathBuf>, Vec<Rejected>) {
    let (mut files, mut unread) = (Vec::new(), Vec::new());
    let (mut folders, mut links) = (vec![(folder.to_owned(), levels)], BTreeSet::new());
    // A link to what `folder` itself lies in would bring in other data.
    let real = folder.canonicalize().unwrap_or_default();
    let mut walked: BTreeSet<PathBuf> = real.ancestors().skip(1).map(Path::to_owned).collect();
    while let Some((folder, levels)) = folders.pop().or_else(|| links.pop_first()) {
        let inside = entries(&folder, &mut walked).unwrap_or_else(|error| {
            let remedy = "see that it is there and may be read, or take it out of the data";
            let reason = format!("the folder cannot be read: {error}: {remedy}");
            unread.push(Rejected { place: folder.display().to_string(), reason });
            Vec::new()
        });
        for (path, kind) in inside {
            let is_link = kind.is_symlink() && path.is_dir();
            if is_link || kind.is_dir() {
                if let Some(levels) = levels.checked_sub(1) {
                    if is_link {
                        links.insert((path, levels));
                    } else {
                        folders.push((path, levels));
                    }
                }
            } else if has_extension(&path, extensions) {
                files.push(path);
            }
        }
    }
    files.sort();
    (files, unread)
}

/// What lies in `folder`; nothing where `walked` has it already.
fn entries(folder: &Path, walked: &mut BTreeSet<PathBuf>) -> io::Result<Vec<(PathBuf, FileType)>> {
    let mut found = Vec::new();
    if !walked.insert(folder.canonicalize()?) {
        return Ok(found);
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        // On a foreign disk a Mac keeps attributes of `a.jpg` as `._a.jpg`, which is no photograph.
        if !entry.file_name().as_encoded_bytes().starts_with(b"._") {
            found.push((entry.path(), entry.file_type()?));
        }
    }
    Ok(found)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    extensions.contains(&extension.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    fn put(folder: &Path, files: &[&str]) {
        for file in files {
            let path = folder.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
    }

    /// The ways inside `folder` to the `.jpg` below it; everything could be read.
    fn found(folder: &Path, levels: usize) -> Vec<String> {
        let (files, unread) = files_below(folder, &["jpg"], levels);
        assert!(unread.is_empty(), "{unread:?}");
        files.iter().map(|file| file.strip_prefix(folder).unwrap().display().to_string()).collect()
    }

    #[test]
    fn what_a_mac_keeps_beside_files_and_other_files_are_left_out_and_levels_are_counted() {
        let folder = TempDir::new().unwrap();
        let files = ["a.jpg", "._a.jpg", "notes.txt", "._kept/d.jpg", "one/b.JPG", "one/two.jpg/c.jpg"];
        put(folder.path(), &files);
        assert_eq!(found(folder.path(), 0), ["a.jpg"]);
        assert_eq!(found(folder.path(), 1), ["a.jpg", "one/b.JPG"]);
        assert_eq!(found(folder.path(), ALL_LEVELS), ["a.jpg", "one/b.JPG", "one/two.jpg/c.jpg"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_is_walked_once_however_many_links_lead_to_it_and_never_what_the_data_lie_in() {
        let above = TempDir::new().unwrap();
        put(above.path(), &["data/a/x.jpg", "elsewhere/y.jpg", "z.jpg"]);
        let data = above.path().join("data");
        for (to, link) in [
            ("..", "a/parent"),
            ("../..", "a/above"),
            ("a", "0"),
            ("../elsewhere", "other"),
            ("../elsewhere", "twice"),
            ("nowhere", "broken"),
            ("../z.jpg", "z.jpg"),
        ] {
            std::os::unix::fs::symlink(to, data.join(link)).unwrap();
        }
        assert_eq!(found(&data, ALL_LEVELS), ["a/x.jpg", "other/y.jpg", "z.jpg"]);
        assert_eq!(found(&data.join("0"), ALL_LEVELS), ["x.jpg"], "where the way to the data is a link");
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_told_with_the_cause() {
        let folder = TempDir::new().unwrap();
        let (files, unread) = files_below(&folder.path().join("gone"), &["jpg"], ALL_LEVELS);
        assert!(files.is_empty() && unread.len() == 1, "{unread:?}");
        assert!(unread[0].place.ends_with("gone"), "{unread:?}");
        assert!(unread[0].reason.contains("cannot be read: No such file"), "{unread:?}");
    }
}
