//! `kompas-model export` and `kompas-model quantise`.

use super::evaluate::choose;
use super::{BadInput, DataArgs, weights};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use kompas_models::data::scene::Scene;
use kompas_models::net::rgb_tensor;
use kompas_models::onnx::{Calibration, encode};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct ExportArgs {
    /// Weights of a run (`release.safetensors`), or a 32-bit ONNX file.
    #[arg(long)]
    weights: PathBuf,
    /// The ONNX file to write.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct QuantiseArgs {
    /// Weights of a run (`release.safetensors`), or a 32-bit ONNX file.
    #[arg(long)]
    weights: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Images per source to take ranges from.
    #[arg(long, default_value = "12")]
    images: NonZeroUsize,
    /// The ONNX file to write.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn export(args: &ExportArgs) -> Result<()> {
    let params = weights(&args.weights)?;
    write(&args.out, &encode(&params, None)?)
}

pub(crate) fn quantise(args: &QuantiseArgs) -> Result<()> {
    let params = weights(&args.weights)?;
    let data = args.data.read()?;
    let mut calibration = Calibration::default();
    let items = choose(&data, |item| item.split == "train", Some(args.images.get()));
    if items.is_empty() {
        return Err(anyhow!("no training image to take ranges from: name data with some")).context(BadInput);
    }
    for item in items {
        let scene =
            Scene::read(&item).map_err(|bad| anyhow!("{}: {}", bad.place, bad.reason)).context(BadInput)?;
        let (width, height) = scene.rgb.dimensions();
        let side = |length: u32| i64::from(length);
        let x = rgb_tensor(scene.rgb.as_raw(), 1, side(height), side(width), tch::Device::Cpu)?;
        calibration.observe(
            &params,
            &x.f_narrow(2, 0, side(height / 32 * 32))?.f_narrow(3, 0, side(width / 32 * 32))?,
        )?;
    }
    write(&args.out, &encode(&params, Some(&calibration))?)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    tracing::info!("{}: {:.1} MB", path.display(), bytes.len() as f64 / 1e6);
    Ok(())
}
