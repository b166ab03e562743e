//! Frame to plants with the network on a 1280×960 frame and on 512×512, one thread, with the stages' shares.
//! Takes `models/released/*.onnx`, or the files in the folder `KOMPAS_MODELS`; skips what is not there.
#![expect(clippy::print_stdout, reason = "a bench reports to the terminal")]

use criterion::{Criterion, criterion_group, criterion_main};
use image::{Rgb, RgbImage};
use kompas_vision::light::Light;
use kompas_vision::normalise::{resized, working_size};
use kompas_vision::onnx::{Engine, Provider, Scale, find_library};
use kompas_vision::usable::unusable;
use kompas_vision::{FieldMemory, OnnxOptions, OnnxSegmenter, PlantRules, Segmenter, find_plants};
use std::hint::black_box;
use std::path::{Path, PathBuf};

fn field(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let grain = ((x.wrapping_mul(7919) ^ y.wrapping_mul(104_729)).wrapping_mul(2_654_435_761) >> 28)
            .to_le_bytes()[0];
        let leaf = (x % 420).abs_diff(210).pow(2) + (y % 190).abs_diff(95).pow(2) < 40 * 40;
        if leaf {
            Rgb([60 + grain, 115 + grain, 50 + grain])
        } else {
            Rgb([128 + grain, 108 + grain, 90 + grain])
        }
    })
}

/// At working size and in the light that the network knows, as a segmenter makes it for the first zoom.
fn prepared(image: &RgbImage) -> RgbImage {
    let (width, height) = working_size(image.width(), image.height());
    let mut prepared = resized(image, width, height);
    let light = Light::of(&prepared);
    light.correct(&mut prepared);
    light.expose(&mut prepared);
    prepared
}

fn bench(c: &mut Criterion) {
    let folder = std::env::var_os("KOMPAS_MODELS").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/released"));
    let Some(library) = find_library() else {
        println!("skipped: needs vision/setup-onnxruntime.sh");
        return;
    };
    for file in ["plants.onnx", "plants.int8.onnx"] {
        let model = folder.join(file);
        if !model.exists() {
            println!("skipped: needs {}", model.display());
            continue;
        }
        let options = OnnxOptions { scale: Scale::BySize, ..OnnxOptions::new(library.clone()) };
        let mut segmenter = OnnxSegmenter::load(&model, options).expect("a released model");
        let bytes = std::fs::read(&model).expect("read a moment ago");
        let mut engine = Engine::load(&library, Provider::Cpu, 1, &model, &bytes).expect("a released model");
        for (width, height) in [(512, 512), (1280, 960)] {
            let image = field(width, height);
            let rules = PlantRules::at_gsd(0.0005);
            let map = segmenter.segment(&image).expect("a frame with pixels");
            let planes = vec![0.5; 3 * width as usize * height as usize];
            let size = [height as usize, width as usize];
            let mut group = c.benchmark_group(format!("{file}/{width}x{height}"));
            group.sample_size(10);
            group.bench_function("stage_usable", |b| b.iter(|| unusable(black_box(&image))));
            group.bench_function("stage_prepare", |b| b.iter(|| prepared(black_box(&image))));
            group.bench_function("stage_network", |b| {
                b.iter(|| engine.run(&planes, size, |_, scores| black_box(scores).len()));
            });
            // With frames before, as a robot has them.
            let mut memory = FieldMemory::default();
            group.bench_function("segment", |b| {
                b.iter(|| segmenter.segment_in(black_box(&image), &mut memory));
            });
            group.bench_function("stage_plants", |b| b.iter(|| find_plants(black_box(&map), &rules)));
            group.finish();
        }
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
