//! Pictures from files: any depth, colour or EXIF turn becomes upright 8-bit RGB, within a memory limit.
//!
//! Size and cost are read from the header before a pixel is decoded, so a picture that claims a terapixel is
//! refused in kilobytes. A file that was cut off is refused, too, and so are 16 bits that hold a camera's 12.

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::{Path, PathBuf};

mod jpeg;

/// Enough for 100 megapixels of 8-bit RGB, decoded once and turned once.
pub const MEMORY_LIMIT_BYTES: u64 = 640 << 20;

/// Why a picture is not there.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file cannot be read.
    #[error("cannot read the picture {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The bytes are no picture that is known here.
    #[error("{name} does not decode: give a whole JPEG or PNG file")]
    Undecodable {
        /// File or frame.
        name: String,
        /// What the decoder says.
        #[source]
        source: image::ImageError,
    },
    /// A JPEG file without its end; what is missing would be grey.
    #[error("{name} is cut off, the end of the picture is missing: copy it again")]
    CutOff {
        /// File or frame.
        name: String,
    },
    /// Decoding it would take too much memory.
    #[error(
        "{name} is {width} × {height} pixels and needs {} MB, the limit is {} MB: cut it into tiles or scale it down",
        needed_bytes >> 20, limit_bytes >> 20
    )]
    TooLarge {
        /// File or frame.
        name: String,
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// To decode and convert it.
        needed_bytes: u64,
        /// Allowed.
        limit_bytes: u64,
    },
    /// Of 12 bits in 16, as a camera's program may write them, 8-bit RGB would keep 4.
    #[error(
        "{name} has values of at most {most} of 65535: a camera's 10 or 12 bits in 16? scale them to the full range; else it is too dark"
    )]
    NotScaled {
        /// File or frame.
        name: String,
        /// The largest value of any colour.
        most: u16,
    },
}

/// What 12 bits can hold. A picture that uses 16 and stays below this is at most 16 of 255 at its brightest: too dark, or
/// hardly more.
const MOST_OF_12_BITS: u16 = 4095;

/// The picture in a file, upright, in 8-bit RGB.
///
/// # Errors
/// [`LoadError`].
pub fn load_picture(path: &Path, limit_bytes: u64) -> Result<RgbImage, LoadError> {
    decode(open(path)?, &path.display().to_string(), limit_bytes, Turn::Upright)
}

/// The picture in a file as it is stored, however the camera was held: a mounted camera hangs as its rig says.
///
/// # Errors
/// [`LoadError`].
pub fn load_as_stored(path: &Path, limit_bytes: u64) -> Result<RgbImage, LoadError> {
    decode(open(path)?, &path.display().to_string(), limit_bytes, Turn::AsStored)
}

/// Width and height of the picture that [`load_picture`] gives, from its header alone.
///
/// # Errors
/// [`LoadError`].
pub fn upright_size(path: &Path) -> Result<(u32, u32), LoadError> {
    let size = |source| {
        let mut decoder = ImageReader::new(source).with_guessed_format()?.into_decoder()?;
        let (width, height) = decoder.dimensions();
        Ok(if turns_by_90(decoder.orientation()?) { (height, width) } else { (width, height) })
    };
    size(open(path)?).map_err(|source| LoadError::Undecodable { name: path.display().to_string(), source })
}

fn open(path: &Path) -> Result<BufReader<std::fs::File>, LoadError> {
    let file = std::fs::File::open(path);
    file.map(BufReader::new).map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })
}

/// As [`load_picture`], from bytes; `name` is for the error.
///
/// # Errors
/// [`LoadError`].
pub fn decode_picture(bytes: &[u8], name: &str, limit_bytes: u64) -> Result<RgbImage, LoadError> {
    decode(Cursor::new(bytes), name, limit_bytes, Turn::Upright)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    Upright,
    AsStored,
}

fn decode(
    source: impl BufRead + Seek,
    name: &str,
    limit_bytes: u64,
    turn: Turn,
) -> Result<RgbImage, LoadError> {
    let undecodable = |source: image::ImageError| LoadError::Undecodable { name: name.to_owned(), source };
    let mut reader = ImageReader::new(source).with_guessed_format().map_err(|e| undecodable(e.into()))?;
    if reader.format() == Some(ImageFormat::Jpeg) {
        let mut source = reader.into_inner();
        if !jpeg::is_whole(&mut source).map_err(|e| undecodable(e.into()))? {
            return Err(LoadError::CutOff { name: name.to_owned() });
        }
        source.rewind().map_err(|e| undecodable(e.into()))?;
        reader = ImageReader::with_format(source, ImageFormat::Jpeg);
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(limit_bytes);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(undecodable)?;
    let (width, height) = decoder.dimensions();
    let orientation = match turn {
        Turn::Upright => decoder.orientation().map_err(undecodable)?,
        Turn::AsStored => Orientation::NoTransforms,
    };
    let rgb_bytes = u64::from(width) * u64::from(height) * 3;
    let stored_bytes = decoder.total_bytes();
    let is_rgb = decoder.color_type() == image::ColorType::Rgb8;
    // Conversion holds the stored and the RGB pixels at once, a turn by 90° the RGB pixels twice.
    let converted = if is_rgb { stored_bytes } else { stored_bytes.saturating_add(rgb_bytes) };
    let turned = if turns_by_90(orientation) { rgb_bytes.saturating_mul(2) } else { 0 };
    let needed_bytes = converted.max(turned);
    if needed_bytes > limit_bytes {
        return Err(LoadError::TooLarge { name: name.to_owned(), width, height, needed_bytes, limit_bytes });
    }
    let stored = DynamicImage::from_decoder(decoder).map_err(undecodable)?;
    // All zero is a black frame: `usable` tells of it.
    if let Some(most) = most_in_16_bits(&stored).filter(|most| (1..=MOST_OF_12_BITS).contains(most)) {
        return Err(LoadError::NotScaled { name: name.to_owned(), most });
    }
    let mut upright = DynamicImage::ImageRgb8(stored.into_rgb8());
    upright.apply_orientation(orientation);
    Ok(upright.into_rgb8())
}

/// The largest value of any colour where each has 16 bits; alpha is no colour.
fn most_in_16_bits(picture: &DynamicImage) -> Option<u16> {
    let kind = picture.color();
    let channels = usize::from(kind.channel_count());
    let colours = channels - usize::from(kind.has_alpha());
    let samples = picture.as_flat_samples_u16()?.samples;
    samples.chunks_exact(channels).flat_map(|pixel| &pixel[..colours]).max().copied()
}

const fn turns_by_90(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    )
}

#[cfg(test)]
mod tests;
