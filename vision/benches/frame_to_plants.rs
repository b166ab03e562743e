//! Frame to plants with excess green on a 1280×960 frame: the stages, the whole, and the same index written
//! plainly in floats, in one run. The ratio of the last two is what the integer rows are worth.

use criterion::{Criterion, criterion_group, criterion_main};
use image::{Rgb, RgbImage};
use kompas_vision::exg::{IndexMap, threshold_of};
use kompas_vision::usable::unusable;
use kompas_vision::{ClassMap, ExcessGreen, PlantRules, Segmenter, find_plants};
use std::hint::black_box;

/// Soil with grain, three rows of leaves and scattered weeds: about a tenth of the frame is green.
fn field() -> RgbImage {
    RgbImage::from_fn(1280, 960, |x, y| {
        let grain =
            u8::try_from((x.wrapping_mul(7919) ^ y.wrapping_mul(104_729)).wrapping_mul(2_654_435_761) >> 28);
        let grain = grain.unwrap_or(0);
        let row_leaf = (x % 420).abs_diff(210).pow(2) + (y % 190).abs_diff(95).pow(2) < 40 * 40;
        let weed = (x % 97).abs_diff(31).pow(2) + (y % 113).abs_diff(57).pow(2) < 6 * 6;
        if row_leaf || weed {
            Rgb([60 + grain, 115 + grain, 50 + grain])
        } else {
            Rgb([128 + grain, 108 + grain, 90 + grain])
        }
    })
}

/// Mean of 5×5, damped index and threshold in floats, pixel by pixel.
fn plain_floats(image: &RgbImage) -> Vec<u8> {
    let (width, height) = image.dimensions();
    let mut totals: Vec<f32> = image.pixels().map(|p| p.0.iter().map(|&c| f32::from(c)).sum()).collect();
    totals.sort_by(f32::total_cmp);
    let median = totals[totals.len() / 2];
    let at = |x: u32, y: u32| {
        let (mut green, mut total) = (0.0, 0.0);
        for dy in 0..5 {
            for dx in 0..5 {
                let column = (x + dx).saturating_sub(2).min(width - 1);
                let Rgb([r, g, b]) = *image.get_pixel(column, (y + dy).saturating_sub(2).min(height - 1));
                green += f32::from(g);
                total += f32::from(r) + f32::from(g) + f32::from(b);
            }
        }
        1.6 * (3.0 * green - total) / (total + 15.0 * median + 1.0)
    };
    let index: Vec<f32> =
        (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect();
    index.into_iter().map(|exg| u8::from(exg > 0.15)).collect()
}

fn bench(c: &mut Criterion) {
    let image = field();
    let rules = PlantRules::at_gsd(0.0005);
    let mut index = IndexMap::default();
    index.fill(&image);
    let map = ExcessGreen::default().segment(&image).expect("a frame with pixels");
    let mut group = c.benchmark_group("frame_to_plants");
    group.sample_size(30);
    group.bench_function("stage_usable", |b| b.iter(|| unusable(black_box(&image))));
    group.bench_function("stage_index", |b| b.iter(|| index.fill(black_box(&image))));
    let counted = index.clone();
    group.bench_function("stage_threshold", |b| b.iter(|| threshold_of(&black_box(&counted).histogram())));
    let mut exg = ExcessGreen::default();
    group.bench_function("segment", |b| b.iter(|| exg.segment(black_box(&image)).map(ClassMap::into_parts)));
    group.bench_function("stage_plants", |b| b.iter(|| find_plants(black_box(&map), &rules)));
    group.bench_function("whole", |b| {
        b.iter(|| {
            assert_eq!(unusable(black_box(&image)), None);
            exg.segment(&image).map(|map| find_plants(&map, &rules).len())
        });
    });
    group.bench_function("plain_floats_to_mask", |b| b.iter(|| plain_floats(black_box(&image))));
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
