//! `kompas-model compare`.

use super::BadInput;
use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use image::{DynamicImage, GrayImage};
use kompas_field::PlantClass;
use kompas_vision::metrics::Confusion;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct CompareArgs {
    /// Folder of masks: 8-bit PNG files of class ids.
    #[arg(long)]
    truth: PathBuf,
    /// Folder of masks of the same names from any other method.
    #[arg(long)]
    predicted: PathBuf,
}

/// Prints, as JSON, the confusion of every pair of masks: rows are the truth, columns the prediction.
pub(crate) fn run(args: &CompareArgs) -> Result<()> {
    let mut pairs: BTreeMap<String, Value> = BTreeMap::new();
    for entry in
        std::fs::read_dir(&args.truth).with_context(|| args.truth.display().to_string()).context(BadInput)?
    {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "png") {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (truth, predicted) = (mask(&path)?, mask(&args.predicted.join(&name))?);
        ensure!(truth.dimensions() == predicted.dimensions(), "{name}: the masks differ in size");
        let mut confusion = Confusion::default();
        confusion.add(truth.as_raw(), predicted.as_raw())?;
        let table: Vec<Vec<u64>> = PlantClass::ALL
            .map(|row| PlantClass::ALL.map(|column| confusion.count(row, column)).to_vec())
            .to_vec();
        let iou: Vec<Option<f64>> = PlantClass::ALL.map(|class| confusion.iou(class)).to_vec();
        pairs.insert(name, json!({ "confusion": table, "iou": iou, "miou": confusion.mean_iou() }));
    }
    Ok(writeln!(std::io::stdout().lock(), "{}", json!(pairs))?)
}

fn mask(path: &Path) -> Result<GrayImage> {
    let image = image::open(path).with_context(|| path.display().to_string()).context(BadInput)?;
    match image {
        DynamicImage::ImageLuma8(mask) => Ok(mask),
        other => Err(anyhow!("{}: {:?}, a mask is 8-bit greyscale", path.display(), other.color()))
            .context(BadInput),
    }
}
