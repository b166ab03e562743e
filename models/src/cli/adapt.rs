//! `kompas-model adapt`.

use super::train::{Hardware, Start, bar, train_in};
use super::{BadInput, DataArgs, weights};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use kompas_models::adapt::{SOURCE, label};
use kompas_models::data::{DataSet, photographs};
use kompas_models::torch_segmenter::TorchSegmenter;
use kompas_models::train::{Config, RunFiles};
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct AdaptArgs {
    /// The model to start from: weights of a run (`.safetensors`), or a 32-bit ONNX file.
    #[arg(long, default_value = "models/released/plants.onnx")]
    model: PathBuf,
    /// Folder of photographs of one field and one time; nobody needs to have labelled them.
    #[arg(long, value_name = "DIR")]
    images: PathBuf,
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
    let found = photographs(&args.images);
    let data = args.data.read()?;
    adapt(&args.model, &found, data, &args.data.folder, &config, &args.out, &args.hardware)
        .with_context(|| args.images.display().to_string())
        .map(drop)
}

/// A recipe whose sources name the field.
pub(super) fn read_config(path: &Path) -> Result<Config> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string()).context(BadInput)?;
    let config = Config::parse(&text).with_context(|| path.display().to_string()).context(BadInput)?;
    if !config.sources.contains_key(SOURCE) {
        let place = path.display();
        return Err(anyhow!("{place}: sources: no share for `{SOURCE}`, the photographs to learn from"))
            .context(BadInput);
    }
    Ok(config)
}

/// Teaches the `start` weights what they make of `photographs` of one field, beside `data` (read from `folder`).
pub(super) fn adapt(
    start: &Path,
    photographs: &[PathBuf],
    mut data: DataSet,
    folder: &Path,
    config: &Config,
    out: &Path,
    hardware: &Hardware,
) -> Result<RunFiles> {
    if data.items.iter().any(|item| item.source == SOURCE) {
        return Err(anyhow!("a source of the labelled images is called `{SOURCE}`: rename it"))
            .context(BadInput);
    }
    hardware.set_threads();
    let mut model = TorchSegmenter::new(weights(start)?, start.display().to_string());
    let bar = bar(photographs.len() as u64, "labelling");
    let (items, rejected) = label(&mut model, photographs, &out.join("labels"), || bar.inc(1))?;
    bar.finish_and_clear();
    for file in &rejected {
        tracing::warn!("skipped {}: {}", file.place, file.reason);
    }
    if items.is_empty() {
        return Err(anyhow!("none of {} photographs can be used", photographs.len())).context(BadInput);
    }
    tracing::info!(photographs = items.len(), skipped = rejected.len(), "the field labelled by the model");
    data.items.extend(items);
    train_in(out, config, data, folder, &Start::Weights(start), hardware)
}
