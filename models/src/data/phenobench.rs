//! PhenoBench folders: `<split>/images/*.png` and `<split>/semantics/*.png` with 0 soil, 1 crop (sugar beet),
//! 2 weed, 3 and 4 crop and weed of which less than half is visible.

use super::walk::{ALL_LEVELS, files_below};
use super::{DataError, DataSet, Item, Labels, Rejected};
use std::path::Path;

/// Splits that come with labels.
const SPLITS: [&str; 2] = ["train", "val"];
/// The ids of its masks in ours.
const IDS: [u8; 5] = [0, 2, 1, 2, 1];

/// Whether `folder` is laid out like this.
pub(super) fn is_one(folder: &Path) -> bool {
    SPLITS.iter().any(|split| folder.join(split).join("semantics").is_dir())
}

/// Reads both labelled splits as one source named after the folder; the group is the day of the flight, which
/// file names begin with (`05-15_…`).
/// # Errors
/// [`DataError::Empty`].
pub fn read(folder: &Path) -> Result<DataSet, DataError> {
    let mut translate = Box::new([None; 256]);
    for (id, ours) in IDS.into_iter().enumerate() {
        translate[id] = Some(ours);
    }
    let mut set = DataSet::default();
    for split in SPLITS {
        let (images, masks) = (folder.join(split).join("images"), folder.join(split).join("semantics"));
        // Who has one split only has it whole; what cannot be asked for may be there.
        if [&images, &masks].into_iter().all(|part| matches!(part.try_exists(), Ok(false))) {
            continue;
        }
        let (images, unread) = files_below(&images, &["png", "jpg"], ALL_LEVELS);
        set.rejected.extend(unread);
        for image in images {
            let name = image.file_name().unwrap_or_default();
            let path = masks.join(name).with_extension("png");
            let made = image::image_dimensions(&image).map_err(|error| error.to_string()).and_then(|size| {
                if !path.is_file() {
                    return Err(format!("{} is missing: every photograph has a mask", path.display()));
                }
                let labels = Labels::Mask { path, translate: translate.clone() };
                Item::drawn(folder, image.clone(), split, size, labels)
            });
            match made {
                Ok(item) => {
                    let day = name.to_string_lossy().split('_').next().unwrap_or_default().to_owned();
                    set.items.push(Item { group: day, ..item });
                }
                Err(reason) => set.rejected.push(Rejected { place: image.display().to_string(), reason }),
            }
        }
    }
    set.checked(folder)
}
