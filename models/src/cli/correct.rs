//! `kompas-model correct`: labelled images with their labels put right, for whoever does not read lists of corrections.

use super::evaluate::corrections;
use super::train::bar;
use super::{BadInput, tell_skipped};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use image::{GrayImage, RgbImage};
use kompas_models::data::corrections::Corrections;
use kompas_models::data::scene::decode;
use kompas_models::data::{DataSet, Item, index};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct CorrectArgs {
    /// Folder of labelled images with `index.csv` and a folder per source.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// What is wrong in their labels.
    #[arg(long, default_value = "models/corrections.toml")]
    corrections: PathBuf,
    /// A new folder like it: masks put right, photographs as links to those of DIR (copies where a system has none).
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(args: &CorrectArgs) -> Result<()> {
    if args.out.exists() {
        return Err(anyhow!("{} is there already: name a new folder", args.out.display())).context(BadInput);
    }
    let data = index::read(&args.data).context(BadInput)?;
    let list = corrections(&args.corrections, &data)?;
    // Half a folder would be in the way of the next try, and it is ours.
    fill(args, data, &list).inspect_err(|_| drop(fs::remove_dir_all(&args.out)))
}

fn fill(args: &CorrectArgs, data: DataSet, list: &Corrections) -> Result<()> {
    let bar = bar(data.items.len() as u64, "correcting");
    let (mut rejected, mut usable, mut changed) = (data.rejected, 0, 0);
    for item in &data.items {
        match decode(item) {
            Ok((rgb, mask)) => {
                usable += 1;
                changed += usize::from(write(item, &rgb, &mask, list, &args.out)?);
            }
            Err(reason) => rejected.push(reason),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    tell_skipped(&rejected, usable)?;
    let index = args.out.join("index.csv");
    fs::copy(args.data.join("index.csv"), &index).with_context(|| index.display().to_string())?;
    tracing::info!("{}: labels of {changed} of {usable} images are put right", args.out.display());
    Ok(())
}

/// Writes an image's labels and links its photograph. Whether they were changed.
fn write(item: &Item, rgb: &RgbImage, mask: &GrayImage, list: &Corrections, out: &Path) -> Result<bool> {
    let mut corrected = mask.clone();
    list.apply(item, rgb, &mut corrected);
    let place = |kind: &str, ending: &str| -> Result<PathBuf> {
        let place = out.join(&item.source).join(kind).join(format!("{}.{ending}", item.name));
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        Ok(place)
    };
    let labels = place("masks", "png")?;
    corrected.save(&labels).with_context(|| format!("cannot write {}", labels.display()))?;
    let photograph = place("images", "jpg")?;
    link(&item.image, &photograph).with_context(|| format!("cannot write {}", photograph.display()))?;
    Ok(corrected != *mask)
}

/// Photographs are large: where the system has links, one is made.
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    let from = fs::canonicalize(from)?;
    #[cfg(unix)]
    return std::os::unix::fs::symlink(from, to);
    #[cfg(not(unix))]
    fs::copy(from, to).map(drop)
}
