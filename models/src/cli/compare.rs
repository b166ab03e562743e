//! `kompas-model compare`.

use super::BadInput;
use anyhow::{Context, Result, anyhow};
use clap::Args;
use image::GrayImage;
use kompas_field::PlantClass;
use kompas_models::data::scene::read_mask;
use kompas_vision::metrics::Confusion;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct CompareArgs {
    /// Folder of masks: 8-bit PNG files of class ids, 0 to 4, and 255 where a pixel does not count.
    #[arg(long)]
    truth: PathBuf,
    /// Folder of masks of the same names and sizes from any other method, with a class, 0 to 4, for every pixel.
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
        let other = args.predicted.join(&name);
        let (truth, predicted) = (mask(&path, &[PlantClass::IGNORE_ID])?, mask(&other, &[])?);
        let ((w, h), (width, height)) = (predicted.dimensions(), truth.dimensions());
        if (w, h) != (width, height) {
            let wrong = format!("{} is {w}x{h}, {} is {width}x{height}", other.display(), path.display());
            return Err(anyhow!("{wrong}: compare masks of the same size")).context(BadInput);
        }
        let mut confusion = Confusion::default();
        confusion.add(truth.as_raw(), predicted.as_raw())?;
        let table: Vec<Vec<u64>> = PlantClass::ALL
            .map(|row| PlantClass::ALL.map(|column| confusion.count(row, column)).to_vec())
            .to_vec();
        let iou: Vec<Option<f64>> = PlantClass::ALL.map(|class| confusion.iou(class)).to_vec();
        pairs.insert(name, json!({ "confusion": table, "iou": iou, "miou": confusion.mean_iou() }));
    }
    if pairs.is_empty() {
        return Err(anyhow!("no mask (.png) is in {}", args.truth.display())).context(BadInput);
    }
    Ok(writeln!(std::io::stdout().lock(), "{}", json!(pairs))?)
}

/// A mask of classes and of no other ids than `also`: a pixel of any other would count nowhere.
fn mask(path: &Path, also: &[u8]) -> Result<GrayImage> {
    let place = || path.display().to_string();
    let mask = read_mask(path).map_err(anyhow::Error::msg).with_context(place).context(BadInput)?;
    let is_known = |id: &u8| PlantClass::ALL.iter().any(|class| class.id() == *id) || also.contains(id);
    match mask.iter().find(|id| !is_known(id)) {
        None => Ok(mask),
        Some(id) => {
            let rule = "every pixel has a class, 0 to 4, and only the truth may leave some out (255)";
            Err(anyhow!("{}: class id {id}: {rule}", place())).context(BadInput)
        }
    }
}
