//! `kompas-model bench`.

use super::BadInput;
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use image::{Rgb, RgbImage};
use kompas_vision::light::Light;
use kompas_vision::normalise::{ZOOMS, resized, working_size};
use kompas_vision::onnx::{Engine, Provider, Scale, find_library};
use kompas_vision::{FieldMemory, OnnxOptions, OnnxSegmenter, PlantRules, Segmenter, find_plants};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// ONNX files with their card beside them, measured in turn.
    #[arg(long = "model", required = true)]
    models: Vec<PathBuf>,
    /// A photograph to measure on, resized to every size; without it a made field of leaves on soil.
    #[arg(long)]
    image: Option<PathBuf>,
    /// Picture sizes, width x height.
    #[arg(long = "size", default_values_t = ["512x512".to_owned(), "1280x960".to_owned()])]
    sizes: Vec<String>,
    /// Sizes to look at, as multiples of the working size, instead of the released ones.
    #[arg(long, value_delimiter = ',', value_parser = super::zoom)]
    zooms: Vec<f64>,
    /// Repetitions; medians are printed.
    #[arg(long, default_value_t = 20)]
    repeat: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Steps from a frame to its plants, in their order.
const STAGES: [&str; 4] = ["prepare", "network", "judge", "plants"];

pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    let library = find_library().context("ONNX Runtime is missing: run vision/setup-onnxruntime.sh")?;
    let zooms: &'static [f64] = if args.zooms.is_empty() { ZOOMS } else { args.zooms.clone().leak() };
    let photograph = args.image.as_deref().map(super::evaluate::picture).transpose()?;
    let mut report = BTreeMap::<String, Value>::new();
    for size in &args.sizes {
        let (width, height) = parsed(size).context(BadInput)?;
        let frame = match &photograph {
            Some(photograph) => resized(photograph, width, height),
            None => field(width, height),
        };
        let mut measured: Vec<Measured> = Vec::new();
        for model in &args.models {
            measured.push(Measured::load(model, &library, zooms)?);
        }
        for _ in 0..args.repeat.max(1) {
            for model in &mut measured {
                model.once(&frame)?;
            }
        }
        let figures: BTreeMap<_, _> =
            measured.into_iter().map(|model| (model.name.clone(), model.to_json())).collect();
        report.insert(size.clone(), json!(figures));
    }
    let report = json!({ "threads": 1, "zooms": zooms, "repeat": args.repeat, "frame_to_plants": report });
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{report}")?;
    } else {
        writeln!(out, "{report:#}")?;
    }
    Ok(())
}

/// A model under measurement: as the robot runs it, and its bare engine.
struct Measured {
    name: String,
    segmenter: OnnxSegmenter,
    engine: Engine,
    zooms: &'static [f64],
    /// Frames before, as a robot has them.
    field: FieldMemory,
    planes: Vec<f32>,
    total: Vec<Duration>,
    stages: [Vec<Duration>; STAGES.len()],
}

impl Measured {
    fn load(path: &Path, library: &Path, zooms: &'static [f64]) -> Result<Self> {
        // Every zoom, whatever the picture shows: the stages are measured one by one at the same.
        let options = OnnxOptions { zooms, scale: Scale::BySize, ..OnnxOptions::new(library.to_owned()) };
        let segmenter = OnnxSegmenter::load(path, options).context(BadInput)?;
        let bytes = std::fs::read(path).context(BadInput)?;
        let engine = Engine::load(library, Provider::Cpu, 1, path, &bytes)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (planes, total) = (Vec::new(), Vec::new());
        let field = FieldMemory::default();
        Ok(Self { name, segmenter, engine, zooms, field, planes, total, stages: Default::default() })
    }

    /// One frame to its plants, then its stages one by one. What the segmenter takes beyond preparing and the
    /// network is judging: scores to classes at the frame's size.
    fn once(&mut self, frame: &RgbImage) -> Result<()> {
        let started = now();
        let map = self.segmenter.segment_in(frame, &mut self.field)?;
        let segmented = now();
        let plants = find_plants(&map, &PlantRules::at_gsd(0.001));
        let found = now();
        std::hint::black_box(plants);
        let (w, h) = working_size(frame.width(), frame.height());
        let (mut preparing, mut computing) = (Duration::ZERO, Duration::ZERO);
        for zoom in self.zooms {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand")]
            let zoomed = |side: u32| (f64::from(side) * zoom).round().max(1.) as u32;
            let before = now();
            let mut seen = resized(frame, zoomed(w), zoomed(h));
            let light = Light::of(&seen);
            light.correct(&mut seen);
            light.expose(&mut seen);
            let sides = [seen.height(), seen.width()].map(|side| side.next_multiple_of(32) as usize);
            self.planes.resize(3 * sides[0] * sides[1], 0.);
            for (plane, value) in self.planes.iter_mut().zip(seen.iter()) {
                *plane = f32::from(*value) / 255.;
            }
            let prepared = now();
            self.engine.run(&self.planes, sides, |_, scores| std::hint::black_box(scores[0]))?;
            preparing += prepared.saturating_sub(before);
            computing += now().saturating_sub(prepared);
        }
        let judging = segmented.saturating_sub(started).saturating_sub(preparing + computing);
        let parts = [preparing, computing, judging, found.saturating_sub(segmented)];
        self.total.push(found.saturating_sub(started));
        for (stage, part) in self.stages.iter_mut().zip(parts) {
            stage.push(part);
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        let stages: BTreeMap<_, _> = STAGES
            .into_iter()
            .zip(&self.stages)
            .map(|(name, times)| (name, json!(median_ms(times))))
            .collect();
        json!({ "total_ms": median_ms(&self.total), "stages_ms": stages })
    }
}

fn median_ms(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted.get(sorted.len() / 2).map_or(0., |time| (time.as_secs_f64() * 1e5).round() / 100.)
}

fn parsed(size: &str) -> Result<(u32, u32)> {
    let sides =
        size.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    match sides.ok_or_else(|| anyhow!("`{size}` is no size: write WIDTHxHEIGHT"))? {
        (0, _) | (_, 0) => bail!("`{size}` has no pixels"),
        sides => Ok(sides),
    }
}

/// Round leaves on grained soil.
fn field(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let grain = (x.wrapping_mul(7919) ^ y.wrapping_mul(104_729)).to_le_bytes()[1] / 8;
        let (dx, dy) = (f64::from(x % 160) - 80., f64::from(y % 140) - 70.);
        let leaf = dx * dx + dy * dy < 900.;
        if leaf { Rgb([60 + grain, 140 + grain, 50]) } else { Rgb([120 + grain, 100 + grain, 80 + grain]) }
    })
}

/// Time since the first call.
fn now() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "a stopwatch measures wall time")]
    let now = std::time::Instant::now();
    now.saturating_duration_since(*START.get_or_init(|| now))
}
