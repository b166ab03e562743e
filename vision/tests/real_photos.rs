//! Segmenters on real photographs: plant against soil, per source. `--nocapture` prints the figures;
//! `KOMPAS_ALL_PHOTOS=1` takes every image instead of an even sample; `KOMPAS_MODELS` is a folder with models
//! instead of `models/released`.

#![expect(clippy::print_stdout, reason = "figures and skips go to the terminal")]

use kompas_vision::load::{MEMORY_LIMIT_BYTES, load_picture};
use kompas_vision::metrics::Confusion;
use kompas_vision::onnx::find_library;
use kompas_vision::{ExcessGreen, OnnxOptions, OnnxSegmenter, Segmenter, usable};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Images per source in a short run.
const SAMPLE: usize = 12;
/// The same for a network, which takes seconds an image.
const NETWORK_SAMPLE: usize = 6;

fn index(data: &Path) -> Result<BTreeMap<String, Vec<String>>, csv::Error> {
    let mut sources: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in csv::Reader::from_path(data.join("index.csv"))?.records() {
        let row = row?;
        sources.entry(row[0].to_owned()).or_default().push(row[1].to_owned());
    }
    Ok(sources)
}

fn data() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/plants");
    let there = data.join("index.csv").exists();
    if !there {
        println!("skipped: needs ../shared/data/plants");
    }
    there.then_some(data)
}

/// Pixel table per source, on every image or an even sample.
fn measure(data: &Path, segmenter: &mut dyn Segmenter, sample: usize) -> BTreeMap<String, Confusion> {
    let all = std::env::var_os("KOMPAS_ALL_PHOTOS").is_some();
    let sources = index(data).expect("index.csv is a table");
    let measured = sources.into_iter().map(|(source, names)| {
        let step = if all { 1 } else { (names.len() / sample).max(1) };
        let mut table = Confusion::default();
        for name in names.iter().step_by(step) {
            let folder = data.join(&source);
            let image = load_picture(&folder.join(format!("images/{name}.jpg")), MEMORY_LIMIT_BYTES);
            let image = image.expect("the data decodes");
            let mask =
                image::open(folder.join(format!("masks/{name}.png"))).expect("the data decodes").to_luma8();
            assert_eq!(usable::unusable(&image), None, "{source}/{name}");
            let map = segmenter.segment(&image).expect("a picture has pixels");
            table.add(mask.as_raw(), map.class_ids()).expect("masks have the size of their picture");
        }
        println!(
            "{}: {source}: plant IoU {:.3}, mean IoU {:.3}, {} images",
            segmenter.id(),
            table.plant_iou().unwrap_or(f64::NAN),
            table.mean_iou().unwrap_or(f64::NAN),
            names.iter().step_by(step).count()
        );
        (source, table)
    });
    measured.collect()
}

#[test]
fn excess_green_finds_plants_on_soil() {
    let Some(data) = data() else { return };
    // Least plant IoU: 0.05 under what an even sample of each source measures.
    let least = BTreeMap::from([
        ("beet_maize_phone", 0.67),
        ("potato_weed_uav", 0.71),
        ("peanut_weed", 0.71),
        ("beet_cotyledon_robot", 0.30),
    ]);
    for (source, table) in measure(&data, &mut ExcessGreen::default(), SAMPLE) {
        let iou = table.plant_iou().unwrap();
        let least = least.get(source.as_str()).copied().unwrap_or(0.0);
        assert!(iou >= least, "{source}: plant IoU {iou:.3} fell below {least}");
    }
}

#[test]
fn the_released_model_tells_plants_from_soil_and_from_each_other() {
    let Some(data) = data() else { return };
    let folder = std::env::var_os("KOMPAS_MODELS").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/released"));
    for file in ["plants.onnx", "plants.int8.onnx"] {
        let model = folder.join(file);
        if !model.exists() {
            println!("skipped: needs {}", model.display());
            continue;
        }
        let library = find_library().expect("ONNX Runtime is set up: vision/setup-onnxruntime.sh");
        let mut segmenter = OnnxSegmenter::load(&model, OnnxOptions::new(library)).unwrap();
        for (source, table) in measure(&data, &mut segmenter, NETWORK_SAMPLE) {
            // It has seen the sources it was trained on: this only catches a broken path from file to map.
            if source != "beet_cotyledon_robot" {
                let iou = table.plant_iou().unwrap();
                assert!(iou >= 0.5, "{file}: {source}: plant IoU {iou:.3}");
            }
        }
    }
}
