//! `kompas-model gallery`.

use super::{BadInput, DataArgs, tell_skipped};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use kompas_models::gallery::{Ranked, rank, sheet};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct GalleryArgs {
    #[command(flatten)]
    data: DataArgs,
    /// An ONNX file with its card beside it, or the weights of a run (`.safetensors`).
    #[arg(long, default_value = "models/released/plants.onnx")]
    model: PathBuf,
    /// Splits to take images from.
    #[arg(long, value_delimiter = ',', default_value = "val,test")]
    splits: Vec<String>,
    /// Only images of these groups (`source/group`).
    #[arg(long, value_delimiter = ',')]
    groups: Vec<String>,
    /// Best and worst images per source.
    #[arg(long, default_value_t = 10)]
    count: usize,
    /// At most this many images per source, evenly taken.
    #[arg(long)]
    limit: Option<usize>,
    /// Judge every picture by itself, not as one of its group's field
    #[arg(long)]
    alone: bool,
    /// Folder for the pictures (photograph, labels, prediction) and `tables.md`.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(args: &GalleryArgs) -> Result<()> {
    let data = args.data.read()?;
    let wanted = |item: &kompas_models::data::Item| {
        let group = item.full_group();
        args.splits.contains(&item.split) && (args.groups.is_empty() || args.groups.contains(&group))
    };
    let items = super::evaluate::choose(&data, wanted, args.limit);
    if items.is_empty() {
        return Err(anyhow!("no image of the splits {:?}", args.splits)).context(BadInput);
    }
    let mut model = super::evaluate::open(&args.model, &super::evaluate::Look::RELEASED)?;
    let bar = super::train::bar(items.len() as u64, "ranking");
    let ranking = rank(model.as_mut(), &items, args.alone, || bar.inc(1))?;
    bar.finish_and_clear();
    tell_skipped(&ranking.rejected, items.len() - ranking.rejected.len())?;
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    let mut page = String::new();
    for (source, list) in &ranking.per_source {
        let count = args.count.min(list.len() / 2);
        let (best, worst) = (&list[..count], &list[list.len() - count..]);
        writeln!(page, "## {source}: {} images\n", list.len())?;
        for (kind, chosen) in [("best", best), ("worst", worst)] {
            page.push_str(&table(kind, chosen)?);
            for (number, image) in chosen.iter().enumerate() {
                let picture = sheet(image, 480)
                    .map_err(|why| anyhow!("cannot draw {}: {}", why.place, why.reason))
                    .context(BadInput)?;
                let path = args.out.join(format!("{source}-{kind}-{number:02}.png"));
                picture.save(&path).with_context(|| path.display().to_string())?;
            }
        }
        writeln!(page, "{}\n", in_common(worst, list))?;
    }
    let path = args.out.join("tables.md");
    std::fs::write(&path, page).with_context(|| path.display().to_string())?;
    tracing::info!("{} written, pictures beside it", path.display());
    Ok(())
}

fn table(kind: &str, images: &[Ranked]) -> Result<String> {
    let mut text =
        format!("| {kind} | group | score | largest mistake | of plant pixels |\n|---|---|---|---|---|\n");
    for Ranked { item, score, mistake, .. } in images {
        let (name, group, share) = (&item.name, &item.group, 100. * mistake.share);
        writeln!(text, "| {name} | {group} | {score:.3} | {} | {share:.0} % |", mistake.name())?;
    }
    text.push('\n');
    Ok(text)
}

/// What the worst images share, against all of their source: mistakes by number, plant cover, brightness.
fn in_common(worst: &[Ranked], all: &[Ranked]) -> String {
    let mut mistakes: BTreeMap<String, usize> = BTreeMap::new();
    for image in worst {
        *mistakes.entry(image.mistake.name()).or_default() += 1;
    }
    let mut mistakes: Vec<_> = mistakes.into_iter().collect();
    mistakes.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), name.clone()));
    let named: Vec<_> = mistakes.iter().map(|(name, count)| format!("{name} ({count})")).collect();
    let median = |list: &[Ranked], of: fn(&Ranked) -> f64| {
        let mut values: Vec<f64> = list.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.)
    };
    format!(
        "The worst have in common: {}; plants cover {:.2} % of them (median; {:.2} % of all), brightness {:.2} \
         ({:.2} of all).",
        named.join(", "),
        100. * median(worst, |image| image.cover),
        100. * median(all, |image| image.cover),
        median(worst, |image| image.brightness),
        median(all, |image| image.brightness),
    )
}
