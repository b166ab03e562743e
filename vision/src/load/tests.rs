use super::*;
use image::Rgb;
use proptest::prelude::*;

fn picture(name: &str) -> Result<RgbImage, LoadError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
    load_picture(&folder.join(name), MEMORY_LIMIT_BYTES)
}

fn near(found: Rgb<u8>, wanted: [u8; 3], within: u8) -> bool {
    found.0.iter().zip(wanted).all(|(&a, b)| a.abs_diff(b) <= within)
}

#[test]
fn every_kind_becomes_upright_rgb() {
    let (leaf, soil) = ([60, 140, 50], [130, 110, 90]);
    // Pillow turns RGB into CMYK without a profile (K = 0), so back it is RGB within rounding and JPEG.
    for (name, within) in [("upright.png", 0), ("exif_turned.jpg", 4), ("cmyk.jpg", 4)] {
        let picture = picture(name).unwrap();
        assert_eq!(picture.dimensions(), (24, 16), "{name}");
        assert!(near(*picture.get_pixel(3, 8), leaf, within), "{name}: {:?}", picture.get_pixel(3, 8));
        assert!(near(*picture.get_pixel(20, 8), soil, within), "{name}: {:?}", picture.get_pixel(20, 8));
    }
}

#[test]
fn sixteen_bits_and_grey_keep_their_brightness() {
    assert!(near(*picture("grey16.png").unwrap().get_pixel(3, 8), [140; 3], 0));
    assert!(near(*picture("grey.jpg").unwrap().get_pixel(20, 8), [114; 3], 3));
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
