//! `kompas-model adapt`.

use super::train::{Hardware, Start, bar, train_in};
use super::{BadInput, DataArgs, recipe, weights, write_whole};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use kompas_models::CLASS_NAMES;
use kompas_models::adapt::{Labelled, SOURCE, label, labelled};
use kompas_models::card::sha256_hex;
use kompas_models::data::{DataSet, Item, evenly, photographs};
use kompas_models::torch_segmenter::TorchSegmenter;
use kompas_models::train::{Config, RunFiles, is_held_out};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf, absolute};

#[derive(Args)]
pub(crate) struct AdaptArgs {
    /// The model to start from: weights of a run (`.safetensors`), or a 32-bit ONNX file.
    #[arg(long, default_value = "models/released/plants.onnx")]
    model: PathBuf,
    /// Folder of photographs of one field by one camera at one time, with the folders in it; nobody needs to have labelled
    /// them. Give it once for each camera or day: each hears its own pictures, all are taught together
    #[arg(long, value_name = "DIR", required = true)]
    images: Vec<PathBuf>,
    /// At most this many photographs of each folder, evenly taken. Each takes a few seconds to label and some megabytes of memory.
    #[arg(long, default_value = "200")]
    limit: NonZeroUsize,
    #[command(flatten)]
    data: DataArgs,
    /// How it learns; the photographs are its source `field`.
    #[arg(long, default_value = "models/adapt.toml")]
    config: PathBuf,
    /// Folder of the run: the labels that the model gives, checkpoints, weights. An interrupted run in it is continued.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    hardware: Hardware,
}

pub(crate) fn run(args: &AdaptArgs) -> Result<()> {
    let config = read_config(&args.config)?;
    let series: Vec<_> = args.images.iter().map(|folder| chosen(folder, args)).collect::<Result<_>>()?;
    let data = args.data.read()?;
    adapt(&args.model, &series, data, &args.data.folder, &config, &args.out, &args.hardware).map(drop)
}

/// The photographs of a folder that are learnt from.
fn chosen(folder: &Path, args: &AdaptArgs) -> Result<Vec<PathBuf>> {
    let place = || folder.display().to_string();
    let images = folder.canonicalize().with_context(place).context(BadInput)?;
    if real(&args.out)?.starts_with(&images) {
        let out = args.out.display();
        return Err(anyhow!(
            "{out} lies among the photographs, and its labels are pictures, too: choose another"
        ))
        .context(BadInput);
    }
    let all = photographs(&images);
    if all.is_empty() {
        return Err(anyhow!("no photograph (.jpg, .png) is below it")).with_context(place).context(BadInput);
    }
    let chosen = evenly(&all, args.limit.get());
    if chosen.len() < all.len() {
        tracing::info!("{}: {} of {} photographs are taken (--limit)", place(), chosen.len(), all.len());
    }
    Ok(chosen)
}

/// Where `path` really is, or will be once it is made.
fn real(path: &Path) -> Result<PathBuf> {
    let path = absolute(path)?;
    let there = path.ancestors().find(|part| part.exists()).unwrap_or(&path);
    Ok(there.canonicalize()?.join(path.strip_prefix(there)?))
}

/// What a recipe says whose sources name the field.
pub(super) fn read_config(path: &Path) -> Result<Config> {
    let config = recipe(path)?;
    if !config.sources.contains_key(SOURCE) {
        let place = path.display();
        return Err(anyhow!("{place}: sources: no share for `{SOURCE}`, the photographs to learn from"))
            .context(BadInput);
    }
    Ok(config)
}

/// Whether `data` holds labelled images to learn from beside the photographs.
pub(super) fn check_sources(data: &DataSet, config: &Config) -> Result<()> {
    if data.items.iter().any(|item| item.source == SOURCE) {
        let remedy = "it is the photographs' name: rename it";
        return Err(anyhow!("a source of the labelled images is called `{SOURCE}`: {remedy}"))
            .context(BadInput);
    }
    let is_learnt = |item: &Item| config.sources.contains_key(&item.source) && !is_held_out(item, config);
    if !data.items.iter().any(is_learnt) {
        let known: Vec<&String> = config.sources.keys().collect();
        let remedy =
            "name a source that has some in the configuration, lest the model learns from itself alone";
        return Err(anyhow!(
            "no labelled training image is of the configuration's sources {known:?}: {remedy}"
        ))
        .context(BadInput);
    }
    Ok(())
}

/// What a run learns from: it goes on only where that is the same.
#[derive(PartialEq, Serialize, Deserialize)]
struct Origin {
    /// SHA-256 of the model it starts from.
    model: String,
    /// SHA-256 of every photograph of every series, in order; empty where one cannot be read.
    photographs: Vec<Vec<String>>,
}

/// The labels in a run's folder.
#[derive(Serialize, Deserialize)]
struct Known {
    origin: Origin,
    /// Numbers of the photographs that have labels.
    labelled: Vec<usize>,
}

impl Origin {
    fn of(start: &Path, series: &[Vec<PathBuf>]) -> Result<Self> {
        let model = std::fs::read(start).with_context(|| start.display().to_string()).context(BadInput)?;
        let hashed =
            |path: &PathBuf| std::fs::read(path).map_or_else(|_| String::new(), |bytes| sha256_hex(&bytes));
        let photographs = series.iter().map(|images| images.iter().map(hashed).collect()).collect();
        Ok(Self { model: sha256_hex(&model), photographs })
    }

    /// The photographs of this that have labels in the folder `out`; `None` where none were made yet.
    fn labelled_in(&self, out: &Path) -> Result<Option<Vec<usize>>> {
        let place = out.join("origin.json");
        let refused = |what: String| Err(anyhow!("{what}: choose a new folder")).context(BadInput);
        match std::fs::read(&place) {
            Ok(bytes) => match serde_json::from_slice::<Known>(&bytes) {
                Ok(known) if known.origin == *self => Ok(Some(known.labelled)),
                Ok(_) => refused(format!("{} is of another model or other photographs", place.display())),
                Err(error) => refused(format!("{}: {error}", place.display())),
            },
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).context(place.display().to_string())
            }
            Err(_) if out.join("config.toml").exists() => {
                refused(format!("{} holds another run", out.display()))
            }
            Err(_) => Ok(None),
        }
    }
}

/// Teaches the `start` weights what they make of photographs of one field, beside `data` (read from `folder`).
pub(super) fn adapt(
    start: &Path,
    series: &[Vec<PathBuf>],
    mut data: DataSet,
    folder: &Path,
    config: &Config,
    out: &Path,
    hardware: &Hardware,
) -> Result<RunFiles> {
    check_sources(&data, config)?;
    // Before minutes of labelling; what it tells is told when it learns.
    config.check_against(&data, folder).context(BadInput)?;
    hardware.set_threads();
    let (origin, labels) = (Origin::of(start, series)?, out.join("labels"));
    let numbers = if let Some(numbers) = origin.labelled_in(out)? {
        tracing::info!("the labels of an earlier start are kept");
        numbers
    } else {
        let numbers = label_all(start, series, &labels, hardware)?;
        let known = Known { origin, labelled: numbers };
        write_whole(out, "origin.json", &known)?;
        known.labelled
    };
    let items = labelled(&series.concat(), &numbers, &labels)
        .with_context(|| format!("{}: a label is gone: choose a new folder", labels.display()))
        .context(BadInput)?;
    data.items.extend(items);
    train_in(out, config, &data, folder, &Start::Weights(start), hardware)
}

/// Labels what can be labelled, and tells what; the numbers of those photographs.
fn label_all(
    start: &Path,
    series: &[Vec<PathBuf>],
    labels: &Path,
    hardware: &Hardware,
) -> Result<Vec<usize>> {
    let weights = weights(start)?.on(hardware.device()?)?;
    let mut model = TorchSegmenter::new(weights, start.display().to_string());
    let bar = bar(series.iter().map(Vec::len).sum::<usize>() as u64, "labelling");
    let Labelled { numbers, rejected, sure } = label(&mut model, series, labels, || bar.inc(1))?;
    bar.finish_and_clear();
    for file in &rejected {
        tracing::warn!("skipped {}: {}", file.place, file.reason);
    }
    let pixels = sure.iter().sum::<u64>().max(1) as f64;
    let shares = sure.iter().zip(CLASS_NAMES).map(|(&n, name)| format!("{name} {:.4}", n as f64 / pixels));
    let (count, skipped) = (numbers.len(), rejected.len());
    tracing::info!(skipped, "{count} photographs labelled: {}", shares.collect::<Vec<_>>().join(", "));
    if sure[1..].iter().all(|&pixels| pixels == 0) {
        return Err(anyhow!(
            "the model is sure of a plant in none of {count} photographs; {skipped} cannot be used"
        ))
        .context(BadInput);
    }
    Ok(numbers)
}
