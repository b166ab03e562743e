//! `kompas-model train`.

use super::learnt::Learnt;
use super::{BadInput, DataArgs, recipe, tell_skipped, weights};
use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use kompas_field::PlantClass;
use kompas_models::CLASS_NAMES;
use kompas_models::data::{DataSet, refuse_if_too_many};
use kompas_models::evaluate::iou;
use kompas_models::net::Params;
use kompas_models::train::{Config, Events, Pool, RunFiles, State, Watch, train};
use kompas_vision::metrics::Confusion;
use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroUsize};
use std::path::{Path, PathBuf};
use tch::Device;

#[derive(Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Folder of the run: checkpoints, event files, weights. An interrupted run in it is continued with the same data.
    #[arg(long)]
    out: PathBuf,
    /// The run's configuration.
    #[arg(long, default_value = "models/plants.toml")]
    config: PathBuf,
    /// `ImageNet` weights of the encoder (models/setup-encoder.sh).
    #[arg(long, default_value = "vendor/encoder/efficientnet-lite0.safetensors")]
    encoder: PathBuf,
    /// Start from the weights of an earlier run (`.safetensors`) or of a 32-bit ONNX file instead of the encoder's.
    #[arg(long)]
    from: Option<PathBuf>,
    #[command(flatten)]
    hardware: Hardware,
}

/// What a run computes on.
#[derive(Args)]
pub(super) struct Hardware {
    /// Where the network learns.
    #[arg(long, value_enum, default_value_t = Place::Auto)]
    device: Place,
    /// Threads of the network on the processor.
    #[arg(long, default_value = "1")]
    threads: NonZeroU16,
    /// Threads that read images and make crops; those the network leaves free where not given. However many there
    /// are, the crops are the same.
    #[arg(long)]
    crop_threads: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Place {
    /// A GPU where LibTorch finds one, else the processor.
    Auto,
    /// The processor.
    Cpu,
    /// The first GPU; refused where LibTorch finds none.
    Cuda,
}

impl Hardware {
    /// Takes the threads for whatever LibTorch computes from now on.
    pub(super) fn set_threads(&self) {
        tch::set_num_threads(self.threads.get().into());
    }

    /// Where LibTorch computes.
    pub(super) fn device(&self) -> Result<Device> {
        match (self.device, tch::Cuda::is_available()) {
            (Place::Cpu, _) | (Place::Auto, false) => Ok(Device::Cpu),
            (Place::Cuda | Place::Auto, true) => Ok(Device::Cuda(0)),
            (Place::Cuda, false) => Err(anyhow::anyhow!(
                "--device cuda: this LibTorch finds no GPU; build with LIBTORCH set to a CUDA build of it, or take --device cpu"
            ))
            .context(BadInput),
        }
    }

    fn crop_threads(&self) -> NonZeroUsize {
        let free = cores().get().saturating_sub(self.threads.get().into());
        self.crop_threads.or(NonZeroUsize::new(free)).unwrap_or(NonZeroUsize::MIN)
    }
}

/// Cores of this machine.
pub(super) fn cores() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

pub(crate) fn run(args: &TrainArgs) -> Result<()> {
    let config = recipe(&args.config)?;
    let start = args.from.as_deref().map_or(Start::Pretrained(&args.encoder), Start::Weights);
    let data = args.data.read()?;
    train_in(&args.out, &config, &data, &args.data.folder, &start, &args.hardware).map(drop)
}

/// What a run begins with.
pub(super) enum Start<'a> {
    /// An `ImageNet` encoder and a fresh decoder.
    Pretrained(&'a Path),
    /// The weights of an earlier run.
    Weights(&'a Path),
}

/// Trains on `data`, which was read from `folder`, in the folder `out`, or goes on there, and says where its files are.
pub(super) fn train_in(
    out: &Path,
    config: &Config,
    data: &DataSet,
    folder: &Path,
    start: &Start,
    hardware: &Hardware,
) -> Result<RunFiles> {
    check_names(config, data, folder)?;
    hardware.set_threads();
    let device = hardware.device()?;
    let (kept, text, files) = (out.join("config.toml"), toml::to_string(config)?, RunFiles::in_folder(out));
    let (goes_on, learnt) = (kept.exists(), Learnt::of(data, start));
    if let (Start::Weights(_), false) = (start, goes_on) {
        check_fits_weights(config)?;
    }
    if goes_on {
        if std::fs::read_to_string(&kept)? != text {
            let place = kept.display();
            return Err(anyhow::anyhow!(
                "{place} differs from the configuration or its corrections: continue with the same, or choose a new folder"
            ))
            .context(BadInput);
        }
        learnt.check(out)?;
        if files.release.exists() && !files.checkpoint.exists() {
            let release = files.release.display();
            tracing::info!("finished before, and its checkpoint thrown away: {release} is kept");
            return Ok(files);
        }
    }
    let pool = read_pool(data, folder, config, hardware.crop_threads())?;
    tracing::info!(?device, "learning");

    std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    if !goes_on {
        learnt.write(out)?; // first: a run that is killed in between has not begun
        std::fs::write(&kept, &text)?;
    }
    let params = match start {
        Start::Weights(path) => weights(path)?,
        Start::Pretrained(encoder) => Params::pretrained(encoder, config.seed).context(BadInput)?,
    };
    let mut params = params.on(device)?;
    params.train_only(|name| config.trains(name))?;
    let mut state = State::new(params)?;
    if files.checkpoint.exists() {
        state.resume(&files.checkpoint).context(BadInput)?;
        tracing::info!(step = state.step, "continuing");
    }
    let mut events = Events::create(out, unix_seconds)?;
    let mut watch = Shown { bar: self::bar(config.steps.into(), "training"), losses: Vec::new() };
    watch.bar.set_position(state.step.into());
    train(&mut state, &pool, config, &files, &mut events, &mut watch)?;
    watch.bar.finish_and_clear();
    tracing::info!(steps = state.step, best = state.best, "done; weights are in {}", files.release.display());
    Ok(files)
}

/// Refuses a recipe that would take the decoder of the weights that a run starts from apart.
pub(super) fn check_fits_weights(config: &Config) -> Result<()> {
    if config.condition_decoder {
        return Err(anyhow::anyhow!(
            "condition_decoder = true is for a fresh decoder, and takes that of the weights a run starts from apart: say false"
        ))
        .context(BadInput);
    }
    Ok(())
}

/// Refuses a recipe that does not fit the data, and tells which of its names match nothing.
pub(super) fn check_names(config: &Config, data: &DataSet, folder: &Path) -> Result<()> {
    for absent in config.check_against(data, folder).context(BadInput)? {
        tracing::warn!("{absent}");
    }
    Ok(())
}

/// The images and plants that crops are made of; what of them cannot be used is told.
pub(super) fn read_pool(
    data: &DataSet,
    folder: &Path,
    config: &Config,
    threads: NonZeroUsize,
) -> Result<Pool> {
    refuse_if_too_large(Pool::bytes(data, config), available_bytes()).context(BadInput)?;
    let images = data.items.len();
    let bar = bar(images as u64, "reading");
    let pool = Pool::read(data, folder, config, threads, || bar.inc(1));
    bar.finish_and_clear();
    let (trained, validated, sprites) = pool.sizes();
    let skipped = data.rejected.len() + pool.rejected.len() + pool.rejected_seedlings.len();
    tracing::info!(images, trained, validated, sprites, skipped, "data read");
    tell_skipped(&pool.rejected, trained + validated)?;
    // Beside those that were left out when the folder was read: each may be few.
    let all = [data.rejected.as_slice(), &pool.rejected].concat();
    refuse_if_too_many(&all, images - pool.rejected.len()).context(BadInput)?;
    tell_skipped(&pool.rejected_seedlings, pool.seedlings)?;
    Ok(pool)
}

/// Without this the system would end the run without a word, minutes later.
fn refuse_if_too_large(wanted: u64, available: Option<u64>) -> Result<()> {
    const GIB: f64 = (1_u64 << 30) as f64;
    match available {
        Some(available) if wanted > available => Err(anyhow::anyhow!(
            "the training images take {:.1} GiB of memory and {:.1} GiB are free: train on fewer, or on a larger machine",
            wanted as f64 / GIB,
            available as f64 / GIB
        )),
        _ => Ok(()),
    }
}

/// Memory that programs can have; unknown where the system has no `/proc/meminfo`.
fn available_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

pub(super) fn bar(length: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg} ETA {eta}");
    ProgressBar::new(length)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_prefix(what)
}

/// Seconds since 1970 for the time axis of the event files; nothing is decided by it.
fn unix_seconds() -> f64 {
    #[expect(clippy::disallowed_methods, reason = "the program's edge: wall time of event files")]
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).map_or(0., |since| since.as_secs_f64())
}

struct Shown {
    bar: ProgressBar,
    losses: Vec<f64>,
}

impl Watch for Shown {
    fn step(&mut self, step: u32, loss: f64, gradient: f64) {
        self.losses.push(loss);
        self.bar.set_position(step.into());
        if step.is_multiple_of(50) {
            let mean = self.losses.iter().sum::<f64>() / self.losses.len() as f64;
            self.losses.clear();
            self.bar.set_message(format!("loss {mean:.3}"));
            tracing::info!("step {step}: loss {mean:.4}, gradient {gradient:.2}");
        }
    }

    fn validated(&mut self, step: u32, score: f64, per_source: &BTreeMap<String, Confusion>) {
        tracing::info!("step {step}: validation score {score:.4}");
        for (source, confusion) in per_source {
            let classes = PlantClass::ALL.into_iter().zip(CLASS_NAMES);
            let row: Vec<_> = classes
                .filter_map(|(class, name)| Some(format!("{name} {:.3}", iou(confusion, class)?)))
                .collect();
            tracing::info!("  {source}: {}", row.join(", "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_do_not_fit_are_refused_before_they_are_read() {
        assert!(available_bytes().is_some_and(|bytes| bytes > 1 << 20));
        let told = refuse_if_too_large(3 << 30, Some(1 << 30)).unwrap_err().to_string();
        assert!(told.contains("3.0 GiB") && told.contains("1.0 GiB are free"), "{told}");
        assert!(refuse_if_too_large(1 << 30, Some(1 << 30)).is_ok());
        assert!(refuse_if_too_large(u64::MAX, None).is_ok());
    }
}
