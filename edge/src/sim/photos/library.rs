//! The photographs of a folder and the plants in their masks.

use super::PhotoError;
use super::patches::{Patch, patches};
use image::{GrayImage, RgbImage};
use std::path::{Path, PathBuf};

/// One usable photograph.
#[derive(Debug)]
pub(super) struct Photo {
    pub(super) path: PathBuf,
    pub(super) width_px: u32,
    pub(super) height_px: u32,
    pub(super) patches: Vec<Patch>,
    pub(super) has_mask: bool,
}

/// Everything usable in `folder/images`, by name, with the plants of `folder/masks`; and what was skipped.
/// Every image is decoded once here: a broken one must not be found in the middle of a drive.
pub(super) fn read(folder: &Path, min_plant_px: f64) -> Result<(Vec<Photo>, Vec<String>), PhotoError> {
    let images = folder.join("images");
    let paths = image_paths(&images).map_err(|source| PhotoError::Folder { path: images.clone(), source })?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let share = paths.len().div_ceil(workers).max(1);
    let masks = folder.join("masks");
    let read_all = |paths: &[PathBuf]| {
        paths.iter().map(|path| Photo::read(path, &masks, min_plant_px)).collect::<Vec<_>>()
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = paths.chunks(share).map(|paths| scope.spawn(move || read_all(paths))).collect();
        running
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let (mut photos, mut skipped) = (Vec::new(), Vec::new());
    for (photo, remark) in results {
        photos.extend(photo);
        skipped.extend(remark);
    }
    if photos.is_empty() {
        return Err(PhotoError::NoImages { path: images, unreadable: skipped.len() });
    }
    Ok((photos, skipped))
}

fn image_paths(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        if matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png")) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

impl Photo {
    /// The photograph where it can be used, and a remark where something about it cannot.
    fn read(path: &Path, masks: &Path, min_plant_px: f64) -> (Option<Self>, Option<String>) {
        let (width_px, height_px) = match decode(path) {
            Ok(image) if image.width() > 0 && image.height() > 0 => image.dimensions(),
            Ok(_) => return (None, Some(format!("{}: is empty", path.display()))),
            Err(error) => return (None, Some(format!("{}: {error}", path.display()))),
        };
        let mask_path = masks.join(path.file_name().unwrap_or_default()).with_extension("png");
        let (patches, has_mask, remark) = match read_mask(&mask_path, (width_px, height_px)) {
            Ok(Some(mask)) => (patches(&mask, min_plant_px), true, None),
            Ok(None) => (Vec::new(), false, None),
            Err(remark) => (Vec::new(), false, Some(format!("{}: {remark}", mask_path.display()))),
        };
        let path = path.to_owned();
        (Some(Self { path, width_px, height_px, patches, has_mask }), remark)
    }
}

/// The picture in a file.
pub(super) fn decode(path: &Path) -> image::ImageResult<RgbImage> {
    Ok(image::ImageReader::open(path)?.with_guessed_format()?.decode()?.into_rgb8())
}

/// The mask of a photograph of this size; `None` where there is none.
fn read_mask(path: &Path, size_px: (u32, u32)) -> Result<Option<GrayImage>, String> {
    if !path.exists() {
        return Ok(None);
    }
    let image = image::ImageReader::open(path)
        .and_then(image::ImageReader::with_guessed_format)
        .map_err(|error| error.to_string())?
        .decode()
        .map_err(|error| error.to_string())?;
    let image::DynamicImage::ImageLuma8(mask) = image else {
        return Err(format!("is {:?}, a mask is 8-bit grey with class ids: not used", image.color()));
    };
    if mask.dimensions() != size_px {
        return Err(format!("is {:?} pixels, its image {size_px:?}: not used", mask.dimensions()));
    }
    Ok(Some(mask))
}
