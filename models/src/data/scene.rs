//! An [`Item`] decoded: pixels at common exposure, and class ids.

use super::corrections::Corrections;
use super::shapes::painted;
use super::{Item, Labels, Rejected, reason};
use image::imageops::{FilterType, resize};
use image::{GrayImage, RgbImage};
use kompas_vision::load::{MEMORY_LIMIT_BYTES, load_as_stored, load_picture};
use kompas_vision::normalise::{Exposure, resized, working_size};
use std::path::Path;

/// A photograph at common exposure, with one class id per pixel.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What it was read from.
    pub item: Item,
    /// Interleaved RGB.
    pub rgb: RgbImage,
    /// Class ids, same size.
    pub mask: GrayImage,
    /// Pixels at working size ([`working_size`]) per pixel of this scene.
    pub nominal: f32,
}

/// Scenes to cut crops from keep their pixels up to this side: crops are enlarged, too.
const FINE_SIDE: u32 = 1536;

/// Photograph and class ids: as stored where the labels are a mask, upright where they were drawn ([`Labels`]).
/// # Errors
/// [`Rejected`] when either cannot be decoded, the photograph was cut off, their sizes differ or the mask holds an
/// undeclared id.
pub fn decode(item: &Item) -> Result<(RgbImage, GrayImage), Rejected> {
    let reject = |place: &Path, reason: String| Rejected { place: place.display().to_string(), reason };
    let load = match &item.labels {
        Labels::Mask { .. } => load_as_stored,
        Labels::Shapes(_) => load_picture,
    };
    let rgb = load(&item.image, MEMORY_LIMIT_BYTES).map_err(|error| reject(&item.image, reason(&error)))?;
    let (path, translate) = match &item.labels {
        Labels::Mask { path, translate } => (path, translate),
        Labels::Shapes(shapes) => {
            let mask = painted(shapes, rgb.width(), rgb.height());
            return Ok((rgb, mask.map_err(|reason| reject(&item.image, reason))?));
        }
    };
    let mut mask = read_mask(path).map_err(|reason| reject(path, reason))?;
    if mask.dimensions() != rgb.dimensions() {
        let ((mw, mh), (w, h)) = (mask.dimensions(), rgb.dimensions());
        return Err(reject(path, format!("the mask is {mw}x{mh}, its photograph {w}x{h}")));
    }
    for id in mask.iter_mut() {
        *id = translate[usize::from(*id)]
            .ok_or_else(|| reject(path, format!("unknown class id {id}: not one of the source's")))?;
    }
    Ok((rgb, mask))
}

/// The ids of a mask as they are stored.
/// # Errors
/// Why it is none: not an image, or not one byte of grey a pixel. Greys of fewer bits are read as brightness, so that id 1 of
/// one bit would be 255.
pub fn read_mask(path: &Path) -> Result<GrayImage, String> {
    const WANTED: &str = "a mask is 8-bit greyscale class ids";
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let is_png = bytes.starts_with(b"\x89PNG\r\n\x1a\n");
    // Width and height end at byte 24 of a PNG; the bits of a sample follow.
    if let Some(bits @ ..8) = bytes.get(24).filter(|_| is_png) {
        return Err(format!("{bits} bits a pixel: {WANTED}"));
    }
    match image::load_from_memory(&bytes).map_err(|error| error.to_string())? {
        image::DynamicImage::ImageLuma8(mask) => Ok(mask),
        other => Err(format!("{:?}: {WANTED}", other.color())),
    }
}

/// The size of a scene to cut crops from.
fn fine_size((width, height): (u32, u32)) -> (u32, u32) {
    let long = width.max(height);
    let scaled = |side: u32| if long > FINE_SIDE { (side * FINE_SIDE / long).max(1) } else { side };
    (scaled(width), scaled(height))
}

impl Scene {
    /// Decodes `item` and brings it to working size and exposure.
    /// # Errors
    /// As [`decode`].
    pub fn read(item: &Item) -> Result<Self, Rejected> {
        let (rgb, mask) = decode(item)?;
        let (width, height) = working_size(rgb.width(), rgb.height());
        Ok(Self::at_size(item, &rgb, &mask, width, height))
    }

    /// Decodes `item`, corrects its labels and brings it to common exposure, as fine as crops need it.
    /// # Errors
    /// As [`decode`].
    pub fn read_fine(item: &Item, corrections: &Corrections) -> Result<Self, Rejected> {
        let (rgb, mut mask) = decode(item)?;
        corrections.apply(item, &rgb, &mut mask);
        let (width, height) = fine_size(rgb.dimensions());
        Ok(Self::at_size(item, &rgb, &mask, width, height))
    }

    /// Bytes that the scene of [`Self::read_fine`] takes.
    pub fn fine_bytes(item: &Item) -> u64 {
        let (width, height) = fine_size(item.size);
        4 * u64::from(width) * u64::from(height)
    }

    fn at_size(item: &Item, rgb: &RgbImage, mask: &GrayImage, width: u32, height: u32) -> Self {
        let (w, h) = working_size(rgb.width(), rgb.height());
        let exposure = Exposure::of(&resized(rgb, w, h));
        let mut rgb = resized(rgb, width, height);
        exposure.apply(&mut rgb);
        let same = (width, height) == mask.dimensions();
        let mask = if same { mask.clone() } else { resize(mask, width, height, FilterType::Nearest) };
        Self { item: item.clone(), rgb, mask, nominal: w.max(h) as f32 / width.max(height) as f32 }
    }
}
