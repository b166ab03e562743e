use super::*;
use image::{ImageBuffer, Luma, Rgb, Rgba};
use proptest::prelude::*;

const LEAF: [u8; 3] = [60, 140, 50];
const SOIL: [u8; 3] = [130, 110, 90];

fn picture(name: &str) -> Result<RgbImage, LoadError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
    load_picture(&folder.join(name), MEMORY_LIMIT_BYTES)
}

fn near(found: Rgb<u8>, wanted: [u8; 3], within: u8) -> bool {
    found.0.iter().zip(wanted).all(|(&a, b)| a.abs_diff(b) <= within)
}

#[test]
fn every_kind_becomes_upright_rgb() {
    // Pillow turns RGB into CMYK without a profile (K = 0), so back it is RGB within rounding and JPEG.
    for (name, within) in [("upright.png", 0), ("exif_turned.jpg", 4), ("cmyk.jpg", 4)] {
        let picture = picture(name).unwrap();
        assert_eq!(picture.dimensions(), (24, 16), "{name}");
        assert!(near(*picture.get_pixel(3, 8), LEAF, within), "{name}: {:?}", picture.get_pixel(3, 8));
        assert!(near(*picture.get_pixel(20, 8), SOIL, within), "{name}: {:?}", picture.get_pixel(20, 8));
    }
}

#[test]
fn sixteen_bits_and_grey_keep_their_brightness() {
    assert!(near(*picture("grey16.png").unwrap().get_pixel(3, 8), [140; 3], 0));
    assert!(near(*picture("grey.jpg").unwrap().get_pixel(20, 8), [114; 3], 3));
}

fn decoded(stored: &DynamicImage) -> Result<RgbImage, LoadError> {
    let mut png = Cursor::new(Vec::new());
    stored.write_to(&mut png, ImageFormat::Png).unwrap();
    decode_picture(png.get_ref(), "frame.png", MEMORY_LIMIT_BYTES)
}

/// Leaf beside soil, each value `factor` times that of 8 bits, with an alpha where one is given.
fn in_16_bits(factor: u16, alpha: Option<u16>) -> DynamicImage {
    let colour = |x: u32| {
        let colour = if x < 12 { LEAF } else { SOIL };
        colour.map(|value| u16::from(value) * factor)
    };
    let with_alpha = |x: u32, alpha: u16| {
        let [r, g, b] = colour(x);
        Rgba([r, g, b, alpha])
    };
    match alpha {
        None => DynamicImage::ImageRgb16(ImageBuffer::from_fn(24, 16, |x, _| Rgb(colour(x)))),
        Some(alpha) => DynamicImage::ImageRgba16(ImageBuffer::from_fn(24, 16, |x, _| with_alpha(x, alpha))),
    }
}

#[test]
fn sixteen_bits_of_colour_keep_it_and_lose_their_alpha() {
    for alpha in [None, Some(0), Some(1000), Some(u16::MAX)] {
        let picture = decoded(&in_16_bits(257, alpha)).unwrap();
        assert_eq!(picture.dimensions(), (24, 16));
        assert_eq!(picture.get_pixel(3, 8).0, LEAF, "alpha {alpha:?}");
        assert_eq!(picture.get_pixel(20, 8).0, SOIL, "alpha {alpha:?}");
    }
}

/// The leaf's green is the largest value; an alpha, full as it is, does not count.
#[test]
fn ten_and_twelve_bits_in_sixteen_are_refused() {
    for (factor, alpha, most) in [(16, None, 2240), (16, Some(u16::MAX), 2240), (4, None, 560)] {
        let error = decoded(&in_16_bits(factor, alpha)).unwrap_err();
        assert!(matches!(error, LoadError::NotScaled { most: found, .. } if found == most), "{error}");
        let text = error.to_string();
        assert!(text.contains("frame.png") && text.contains(&format!("{most} of 65535")), "{text}");
    }
}

/// Black is read, and called too dark by whoever looks at it.
#[test]
fn what_twelve_bits_cannot_hold_is_read_and_so_is_black() {
    let grey = |value: u16| DynamicImage::ImageLuma16(ImageBuffer::from_pixel(8, 8, Luma([value])));
    for value in [1, 4095] {
        assert!(matches!(decoded(&grey(value)), Err(LoadError::NotScaled { .. })), "{value}");
    }
    for value in [0, 4096, u16::MAX] {
        assert!(decoded(&grey(value)).is_ok(), "{value}");
    }
}

#[test]
fn what_is_no_picture_says_so() {
    assert!(matches!(picture("make.py"), Err(LoadError::Undecodable { .. })));
    assert!(matches!(picture("cut_off.png"), Err(LoadError::Undecodable { .. })));
    assert!(matches!(picture("not_there.png"), Err(LoadError::Unreadable { .. })));
}

/// Baseline and progressive, with tags, in four colours: the decoder would fill the rest with grey.
#[test]
fn a_jpeg_without_its_end_is_no_picture() {
    for name in ["exif_turned.jpg", "cmyk.jpg", "grey.jpg"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
        let bytes = std::fs::read(folder.join(name)).unwrap();
        assert!(decode_picture(&bytes, name, MEMORY_LIMIT_BYTES).is_ok(), "{name}");
        let and_more = [&bytes[..], &[0; 100]].concat();
        assert!(decode_picture(&and_more, name, MEMORY_LIMIT_BYTES).is_ok(), "{name}");
        for missing in 1..bytes.len() / 4 {
            let part = &bytes[..bytes.len() - missing];
            let found = decode_picture(part, name, MEMORY_LIMIT_BYTES);
            assert!(
                matches!(found, Err(LoadError::CutOff { .. })),
                "{name} without {missing} bytes: {found:?}"
            );
        }
    }
}

#[test]
fn a_mounted_cameras_picture_is_not_turned() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
    let stored = load_as_stored(&folder.join("exif_turned.jpg"), MEMORY_LIMIT_BYTES).unwrap();
    assert_eq!(stored.dimensions(), (16, 24));
}

#[test]
fn a_terapixel_is_refused_before_decoding() {
    let error = picture("terapixel.png").unwrap_err();
    assert!(matches!(error, LoadError::TooLarge { width: 1_000_000, height: 1_000_000, .. }), "{error}");
    let small = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/upright.png");
    let error = load_picture(&small, 1000).unwrap_err().to_string();
    assert!(error.contains("24 × 16") && error.contains("limit"), "{error}");
}

#[test]
fn a_hundred_megapixels_fit_within_the_limit_and_not_within_less() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/hundred_megapixels.png");
    assert_eq!(load_picture(&path, MEMORY_LIMIT_BYTES).unwrap().dimensions(), (10_000, 10_000));
    assert!(matches!(load_picture(&path, MEMORY_LIMIT_BYTES / 2), Err(LoadError::TooLarge { .. })));
}

proptest! {
    /// Foreign bytes give a picture or an error, never a panic.
    #[test]
    fn damaged_files_do_not_panic(
        at in 0_usize..400, byte in any::<u8>(), which in prop::sample::select(vec!["upright.png", "cmyk.jpg", "exif_turned.jpg", "grey16.png"]),
    ) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures").join(which);
        let mut bytes = std::fs::read(path).unwrap();
        let at = at % bytes.len();
        bytes[at] = byte;
        match decode_picture(&bytes, which, 1 << 20) {
            Ok(picture) => prop_assert!(picture.as_raw().len() <= 1 << 20),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
