//! `kompas-model crops`: shows what training sees.

use super::train::{check_names, cores, read_pool};
use super::{DataArgs, recipe};
use anyhow::{Context, Result};
use clap::Args;
use image::{Rgb, RgbImage};
use kompas_models::CLASS_COLOURS;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct CropsArgs {
    #[command(flatten)]
    data: DataArgs,
    /// The run's configuration.
    #[arg(long, default_value = "models/plants.toml")]
    config: PathBuf,
    /// Where the picture goes: crops above, their classes below.
    #[arg(long)]
    out: PathBuf,
    /// Batches to show, from step 0.
    #[arg(long, default_value_t = 4)]
    batches: u32,
}

pub(crate) fn run(args: &CropsArgs) -> Result<()> {
    let config = recipe(&args.config)?;
    let data = args.data.read()?;
    let folder = &args.data.folder;
    check_names(&config, &data, folder)?;
    let pool = read_pool(&data, folder, &config, cores())?;
    let side = config.crop_px;
    let mut sheet = RgbImage::new(config.batch * side, args.batches * side * 2);
    for row in 0..args.batches {
        for (column, crop) in (0..).zip(pool.batch(&config, row)) {
            for (at, (rgb, class)) in (0..).zip(crop.bytes().chunks_exact(3).zip(&crop.mask)) {
                let (x, y) = (column * side + at % side, 2 * row * side + at / side);
                sheet.put_pixel(x, y, Rgb([rgb[0], rgb[1], rgb[2]]));
                let colour = CLASS_COLOURS.get(usize::from(*class)).copied().unwrap_or([255, 0, 255]);
                sheet.put_pixel(x, y + side, Rgb(colour));
            }
        }
    }
    sheet.save(&args.out).with_context(|| format!("cannot write {}", args.out.display()))
}
