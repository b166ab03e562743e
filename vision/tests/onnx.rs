//! The ONNX segmenter against small networks whose answer is known (`tests/networks/make.py`), and every
//! refusal by name. Needs `vendor/onnxruntime` (`vision/setup-onnxruntime.sh`).

use image::{Rgb, RgbImage};
use kompas_field::{Digest, PlantClass};
use kompas_vision::consensus::Consensus;
use kompas_vision::onnx::{EngineError, ModelError, Provider, Scale, card_path, find_library};
use kompas_vision::{FieldMemory, OnnxOptions, OnnxSegmenter, SegmentError, Segmenter};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

const CLASSES: &str = r#"["soil", "weed", "sugar_beet", "potato", "other_crop"]"#;

/// Without consensus: the stripes touch and are one plant to it. Their colours are no field's, and stay as they are.
fn options() -> OnnxOptions {
    let library = find_library().expect("ONNX Runtime is set up: vision/setup-onnxruntime.sh");
    OnnxOptions { consensus: Consensus::NONE, corrects_light: false, ..OnnxOptions::new(library) }
}

fn network(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/networks").join(name)).expect("committed")
}

/// `bytes` as `plants.onnx` in a fresh folder, with a card that says `sha256` and `classes`.
fn model(bytes: &[u8], sha256: &str, classes: &str) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a place for files");
    let path = folder.path().join("plants.onnx");
    std::fs::write(&path, bytes).expect("written");
    let card = format!(
        r#"{{"name": "test", "classes": {classes}, "files": {{"plants.onnx": {{"sha256": "{sha256}", "bytes": 1}}}}, "data": "for people"}}"#
    );
    std::fs::write(card_path(&path), card).expect("written");
    (folder, path)
}

fn load(name: &str) -> Result<OnnxSegmenter, ModelError> {
    let bytes = network(name);
    let (_folder, path) = model(&bytes, &Digest::of_bytes(&bytes).to_string(), CLASSES);
    OnnxSegmenter::load(&path, options())
}

fn refusal(result: Result<OnnxSegmenter, ModelError>) -> ModelError {
    match result {
        Ok(segmenter) => panic!("{} was loaded", segmenter.id()),
        Err(error) => error,
    }
}

/// Stripes of five colours and a white one, so that the exposure leaves them as they are.
fn stripes(width: u32, height: u32) -> RgbImage {
    let colours =
        [[230, 10, 10], [10, 230, 10], [10, 10, 230], [200, 200, 5], [5, 200, 200], [255, 255, 255]];
    RgbImage::from_fn(width, height, |x, _| Rgb(colours[(x * 6 / width) as usize]))
}

#[test]
fn every_colour_gets_its_class_at_the_size_of_the_picture() {
    let mut segmenter = load("colours.onnx").unwrap();
    assert!(segmenter.id().starts_with("test@sha256:"));
    // Smaller than the network's least, odd, as it is, and larger than its most.
    for (width, height) in [(60, 48), (301, 263), (640, 480), (2600, 700)] {
        let map = segmenter.segment(&stripes(width, height)).unwrap();
        assert_eq!((map.width(), map.height()), (width, height));
        for (stripe, class) in (0..).zip(PlantClass::ALL) {
            let at = (height / 2 * width + width * (2 * stripe + 1) / 12) as usize;
            assert_eq!(map.class_ids()[at], class.id(), "{width}×{height}: stripe {stripe}");
            assert!(map.confidence()[at] > 200);
        }
    }
    assert!(matches!(segmenter.segment(&RgbImage::new(0, 3)), Err(SegmentError::Empty { .. })));
    let one = segmenter.segment(&RgbImage::from_pixel(1, 1, Rgb([10, 230, 10]))).unwrap();
    assert_eq!((one.width(), one.height()), (1, 1));
}

#[test]
fn tiles_give_what_the_whole_gives() {
    let bytes = network("smooth.onnx");
    let (_folder, path) = model(&bytes, &Digest::of_bytes(&bytes).to_string(), CLASSES);
    // Multiples of 32: the border that is repeated to fill up to them would be seen by the whole alone.
    let picture = RgbImage::from_fn(704, 544, |x, y| {
        Rgb([x * 7 + y * 3, x * x / 90 + y, y * 5 + x * y / 50].map(|v| v.to_le_bytes()[0]))
    });
    let map = |tile_px| {
        let options = OnnxOptions { tile_px, zooms: &[1.0], ..options() };
        OnnxSegmenter::load(&path, options).unwrap().segment(&picture).unwrap()
    };
    let (whole, tiled) = (map(1280), map(256));
    assert!((1..5).all(|id| whole.class_ids().contains(&id)), "the picture holds every class");
    let different = whole.class_ids().iter().zip(tiled.class_ids()).filter(|(a, b)| a != b).count();
    assert_eq!(different, 0, "pixels with another class");
    let apart = whole.confidence().iter().zip(tiled.confidence()).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(apart <= Some(1), "{apart:?}");
}

#[test]
fn a_stated_ground_sampling_distance_scales_the_picture() {
    let bytes = network("colours.onnx");
    let (_folder, path) = model(&bytes, &Digest::of_bytes(&bytes).to_string(), CLASSES);
    let scale = Scale::ByGsd { picture_m: 0.000_5, wanted_m: 0.001 };
    let mut halved = OnnxSegmenter::load(&path, OnnxOptions { scale, ..options() }).unwrap();
    let map = halved.segment(&stripes(600, 400)).unwrap();
    assert_eq!((map.width(), map.height()), (600, 400));
    assert_eq!(map.class_ids()[200 * 600 + 150], PlantClass::Weed.id());
}

#[test]
fn pictures_of_a_field_are_remembered() {
    let bytes = network("colours.onnx");
    let (_folder, path) = model(&bytes, &Digest::of_bytes(&bytes).to_string(), CLASSES);
    let options = OnnxOptions { consensus: Consensus::RELEASED, ..options() };
    let mut segmenter = OnnxSegmenter::load(&path, options).unwrap();
    let mut field = FieldMemory::default();
    for pictures in 1..3 {
        segmenter.segment_in(&stripes(300, 200), &mut field).unwrap();
        assert_eq!(field.pictures(), pictures);
    }
}

#[test]
fn a_model_is_not_used_without_its_card() {
    let bytes = network("colours.onnx");
    let digest = Digest::of_bytes(&bytes).to_string();
    let (folder, path) = model(&bytes, &digest, CLASSES);
    std::fs::remove_file(card_path(&path)).unwrap();
    assert!(matches!(refusal(OnnxSegmenter::load(&path, options())), ModelError::NoCard { .. }));
    std::fs::write(card_path(&path), "{\"name\": 3}").unwrap();
    assert!(matches!(refusal(OnnxSegmenter::load(&path, options())), ModelError::BadCard { .. }));
    let gone = folder.path().join("gone.onnx");
    assert!(matches!(refusal(OnnxSegmenter::load(&gone, options())), ModelError::NoModel { .. }));
    let (_folder, path) = model(&bytes, &digest, CLASSES);
    let renamed = path.with_file_name("plants.int8.onnx");
    std::fs::rename(&path, &renamed).unwrap();
    assert!(matches!(refusal(OnnxSegmenter::load(&renamed, options())), ModelError::NotOnCard { .. }));
}

#[test]
fn a_model_that_is_not_the_cards_is_refused() {
    let mut bytes = network("colours.onnx");
    let digest = Digest::of_bytes(&bytes).to_string();
    let swapped = CLASSES.replace("\"weed\", \"sugar_beet\"", "\"sugar_beet\", \"weed\"");
    let (_folder, path) = model(&bytes, &digest, &swapped);
    assert!(matches!(
        refusal(OnnxSegmenter::load(&path, options())),
        ModelError::WrongClasses { who: "the card", .. }
    ));
    *bytes.last_mut().unwrap() ^= 1;
    let (_folder, path) = model(&bytes, &digest, CLASSES);
    let error = refusal(OnnxSegmenter::load(&path, options()));
    assert!(matches!(error, ModelError::WrongHash { .. }), "{error}");
    assert!(error.to_string().contains(&digest));
    assert!(matches!(
        refusal(load("other_order.onnx")),
        ModelError::WrongClasses { who: "the file itself", .. }
    ));
    load("no_classes.onnx").unwrap();
}

#[test]
fn what_is_no_network_of_ours_is_refused_at_load() {
    for name in ["four_classes.onnx", "four_unsaid.onnx"] {
        let error = refusal(load(name));
        assert!(matches!(error, ModelError::Engine(EngineError::Shape { .. })), "{name}: {error:?}");
    }
    let bytes = b"no network at all";
    let (_folder, path) = model(bytes, &Digest::of_bytes(bytes).to_string(), CLASSES);
    let error = refusal(OnnxSegmenter::load(&path, options()));
    assert!(matches!(error, ModelError::Engine(EngineError::Model { .. })), "{error:?}");
}

#[test]
fn a_provider_that_is_not_there_is_named() {
    let bytes = network("colours.onnx");
    let (_folder, path) = model(&bytes, &Digest::of_bytes(&bytes).to_string(), CLASSES);
    for provider in [Provider::OpenVino, Provider::Cuda, Provider::TensorRt] {
        let error = refusal(OnnxSegmenter::load(&path, OnnxOptions { provider, ..options() }));
        let ModelError::Engine(EngineError::Provider { provider: named, .. }) = error else {
            panic!("{error:?}")
        };
        assert_eq!(named, provider);
    }
}
