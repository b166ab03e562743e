//! Excess green on real photographs: plant against soil, per source. `--nocapture` prints the figures;
//! `KOMPAS_ALL_PHOTOS=1` takes every image instead of an even sample.

use kompas_vision::metrics::Confusion;
use kompas_vision::{ExcessGreen, Segmenter, usable};
use std::collections::BTreeMap;
use std::path::Path;

/// Images per source in a short run.
const SAMPLE: usize = 12;

fn index(data: &Path) -> Result<BTreeMap<String, Vec<String>>, csv::Error> {
    let mut sources: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in csv::Reader::from_path(data.join("index.csv"))?.records() {
        let row = row?;
        sources.entry(row[0].to_owned()).or_default().push(row[1].to_owned());
    }
    Ok(sources)
}

#[test]
fn excess_green_finds_plants_on_soil() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/plants");
    if !data.join("index.csv").exists() {
        println!("skipped: needs ../shared/data/plants");
        return;
    }
    let all = std::env::var_os("KOMPAS_ALL_PHOTOS").is_some();
    let mut exg = ExcessGreen::default();
    // Least plant IoU: 0.05 under what an even sample of each source measures.
    let least = BTreeMap::from([
        ("beet_maize_phone", 0.67),
        ("potato_weed_uav", 0.71),
        ("peanut_weed", 0.71),
        ("beet_cotyledon_robot", 0.30),
    ]);
    for (source, names) in index(&data).unwrap() {
        let step = if all { 1 } else { (names.len() / SAMPLE).max(1) };
        let mut table = Confusion::default();
        for name in names.iter().step_by(step) {
            let image = image::open(data.join(&source).join(format!("images/{name}.jpg"))).unwrap().to_rgb8();
            let mask = image::open(data.join(&source).join(format!("masks/{name}.png"))).unwrap().to_luma8();
            assert_eq!(usable::unusable(&image), None, "{source}/{name}");
            table.add(mask.as_raw(), exg.segment(&image).unwrap().class_ids()).unwrap();
        }
        let iou = table.plant_iou().unwrap();
        println!("{source}: plant IoU {iou:.3} on {} images", names.iter().step_by(step).count());
        if let Some(least) = least.get(source.as_str()) {
            assert!(iou >= *least, "{source}: plant IoU {iou:.3} fell below {least}");
        }
    }
}
