//! A run killed between two checkpoints continues on the same curve.

#![expect(clippy::unwrap_used, reason = "helpers of a test: a failure is a failed test")]

use image::{GrayImage, Rgb, RgbImage};
use kompas_models::net::Params;
use kompas_models::train::{Config, Events, Pool, RunFiles, State, Watch, train};
use kompas_vision::metrics::Confusion;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

#[derive(Default)]
struct Curve(Vec<(u32, f64)>);

impl Watch for Curve {
    fn step(&mut self, step: u32, loss: f64, _: f64) {
        self.0.push((step, loss));
    }
    fn validated(&mut self, _: u32, _: f64, _: &BTreeMap<String, Confusion>) {}
}

/// Two fields of green squares, one of them larger: enough to have a loss.
fn tiny_set(folder: &Path) {
    let mut index = String::from("source,name,group,split,width,height\n");
    for name in ["a", "b"] {
        let base = folder.join("field");
        std::fs::create_dir_all(base.join("images")).unwrap();
        std::fs::create_dir_all(base.join("masks")).unwrap();
        let size = if name == "a" { 20 } else { 34 };
        let plant = |x: u32, y: u32| (30..30 + size).contains(&x) && (30..30 + size).contains(&y);
        let rgb = RgbImage::from_fn(96, 96, |x, y| {
            let grain = u8::try_from((x * 7 + y * 13) % 23).unwrap();
            if plant(x, y) { Rgb([40, 150 + grain, 50]) } else { Rgb([120 + grain, 95, 70]) }
        });
        rgb.save(base.join(format!("images/{name}.jpg"))).unwrap();
        let class = if name == "a" { 1 } else { 2 };
        let mask = GrayImage::from_fn(96, 96, |x, y| image::Luma([if plant(x, y) { class } else { 0 }]));
        mask.save(base.join(format!("masks/{name}.png"))).unwrap();
        index.extend(["field,", name, ",", name, ",train,96,96\n"]);
    }
    std::fs::write(folder.join("index.csv"), index).unwrap();
}

const CONFIG: &str = r#"
seed = 7
steps = 6
batch = 2
crop_px = 64
frozen_blocks = 14
precision = "single"
condition_decoder = true
mix_share = 0.5
learning_rate = 1e-3
decoder_first_steps = 1
encoder_rate_factor = 0.1
weight_decay = 0.01
warmup_steps = 2
ema_decay = 0.9
label_smoothing = 0.0
class_weights = [1.0, 1.0, 1.0, 1.0, 1.0]
class_shares = [0.2, 0.4, 0.4, 0.0, 0.0]
score_offsets = [0.0, 0.0, 0.5, 0.0, 0.0]
paste_shares = [0.0, 0.5, 0.5, 0.0, 0.0]
hold_out = []
validate_every = 100
validate_images = 1
patience = 1
checkpoint_every = 2
[sources]
field = 1.0
[augment]
scale_min = 0.8
scale_max = 1.2
dark_share = 0.2
soil_share = 0.3
shade_share = 0.2
even_size_share = 0.4
repaint_share = 0.3
shadow_share = 0.3
transplant_share = 0.4
blur_share = 0.2
noise_share = 0.2
jpeg_share = 0.2
composite_share = 0.3
debris_share = 0.3
sown_share = 0.3
"#;

/// Trains in `out` for at most `steps` steps, as a killed run would have, and returns its curve.
fn run(data: &Path, out: &Path, encoder: &Path, steps: u32) -> Vec<(u32, f64)> {
    tch::set_num_threads(1);
    std::fs::create_dir_all(out).unwrap();
    let config = Config::parse(CONFIG, Path::new("")).unwrap();
    let set = kompas_models::data::index::read(data).unwrap();
    assert!(set.rejected.is_empty(), "{:?}", set.rejected);
    // The killed run makes its crops on more threads than the one that goes on: that must not show.
    let threads = NonZeroUsize::new(if steps < config.steps { 3 } else { 1 }).unwrap();
    let pool = Pool::read(&set, data, &config, threads, || {});
    let mut params = Params::pretrained(encoder, config.seed).unwrap();
    params.train_only(|name| config.trains(name)).unwrap();
    let mut state = State::new(params).unwrap();
    let files = RunFiles::in_folder(out);
    if files.checkpoint.exists() {
        state.resume(&files.checkpoint).unwrap();
    }
    let mut events = Events::create(out, || 0.).unwrap();
    let mut curve = Curve::default();
    if steps < config.steps {
        // Killed: whatever was done after the last checkpoint is lost.
        struct Killed<'a>(&'a mut Curve, u32);
        impl Watch for Killed<'_> {
            fn step(&mut self, step: u32, loss: f64, gradient: f64) {
                self.0.step(step, loss, gradient);
                assert!(step < self.1, "killed");
            }
            fn validated(&mut self, _: u32, _: f64, _: &BTreeMap<String, Confusion>) {}
        }
        let mut watch = Killed(&mut curve, steps);
        let dead = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            train(&mut state, &pool, &config, &files, &mut events, &mut watch)
        }));
        assert!(dead.is_err());
    } else {
        train(&mut state, &pool, &config, &files, &mut events, &mut curve).unwrap();
    }
    curve.0
}

#[test]
fn a_killed_run_continues_the_same_curve() {
    let encoder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../vendor/encoder/efficientnet-lite0.safetensors");
    if !encoder.exists() {
        eprintln!("skipped: needs vendor/encoder (models/setup-encoder.sh)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    tiny_set(&data);
    let whole = run(&data, &folder.path().join("whole"), &encoder, 6);
    let killed = run(&data, &folder.path().join("killed"), &encoder, 3);
    let continued = run(&data, &folder.path().join("killed"), &encoder, 6);
    assert_eq!(whole.len(), 6);
    assert_eq!(killed, whole[..3]);
    assert_eq!(continued[0].0, 3, "it goes on from the checkpoint of step 2");
    let mut largest = 0_f64;
    for (again, first) in continued.iter().zip(&whole[2..]) {
        assert!((again.1 - first.1).abs() < 1e-6, "{again:?} instead of {first:?}");
        largest = largest.max((again.1 - first.1).abs());
    }
    // tests/figures/recognition publishes what was compared, and nothing where nothing was.
    println!("{}", serde_json::json!({ "steps": continued.len(), "largest_difference": largest }));
}
