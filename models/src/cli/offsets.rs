//! `kompas-model offsets`.

use super::evaluate::choose;
use super::{BadInput, DataArgs, weights};
use anyhow::{Context, Result};
use clap::Args;
use kompas_models::CLASS_NAMES;
use kompas_models::data::Item;
use kompas_models::data::scene::decode;
use kompas_models::evaluate::SourceFigures;
use kompas_models::torch_segmenter::TorchSegmenter;
use kompas_vision::metrics::Calibration;
use kompas_vision::{ClassMap, FieldMemory};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct OffsetsArgs {
    /// Weights of a run (`.safetensors`) or a 32-bit ONNX file, best of one that has not seen the groups. `last.safetensors`
    /// carries no offsets; `release.safetensors` carries those of its recipe, and what is tried is added to them.
    #[arg(long)]
    weights: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Only images of this group; may be given several times.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// At most this many images per source, evenly taken.
    #[arg(long)]
    limit: Option<usize>,
    /// Added to the scores of soil, weed, sugar beet, potato and other crop as the file gives them: five numbers with commas;
    /// may be given several times.
    #[arg(long = "try", value_name = "OFFSETS", required = true, allow_hyphen_values = true)]
    candidates: Vec<String>,
    /// Say how far confidence is from the share of right pixels when scores are divided by these: which `temperature` a card
    /// should have
    #[arg(long, value_delimiter = ',', value_parser = super::temperature)]
    temperatures: Vec<f64>,
}

fn parse(text: &str) -> Result<[f32; 5]> {
    let number = |part: &str| part.trim().parse().ok().filter(|number: &f32| number.is_finite());
    let numbers: Option<Vec<f32>> = text.split(',').map(number).collect();
    numbers
        .and_then(|numbers| <[f32; 5]>::try_from(numbers).ok())
        .with_context(|| format!("'{text}' is not five numbers with commas, as in 0,0,1.5,0,0"))
        .context(BadInput)
}

/// What one candidate makes of one group.
#[derive(Default)]
struct Found {
    figures: SourceFigures,
    field: FieldMemory,
    /// At each of the temperatures.
    calibration: Vec<Calibration>,
}

/// Looks at every picture once, judges it with each candidate, and prints the figures per group and candidate.
pub(crate) fn run(args: &OffsetsArgs) -> Result<()> {
    let candidates = args.candidates.iter().map(|text| parse(text)).collect::<Result<Vec<_>>>()?;
    let model = TorchSegmenter::new(weights(&args.weights)?, "weights".into());
    let data = args.data.read()?;
    let items =
        choose(&data, |item: &Item| args.groups.is_empty() || args.groups.contains(&item.group), args.limit);
    if items.is_empty() {
        return Err(anyhow::anyhow!("no image of these groups in the data")).context(BadInput);
    }
    let bar = super::train::bar(items.len() as u64, "looking");
    let mut found: BTreeMap<(String, usize), Found> = BTreeMap::new();
    for item in &items {
        bar.inc(1);
        let (rgb, mask) = decode(item)
            .map_err(|wrong| anyhow::anyhow!("{}: {}", wrong.place, wrong.reason))
            .context(BadInput)?;
        let sure = vec![255; mask.as_raw().len()];
        let truth = ClassMap::new(mask.width(), mask.height(), mask.into_raw(), sure)?;
        let looks = model.look(&rgb)?;
        for (number, offsets) in candidates.iter().enumerate() {
            let found = found.entry((item.full_group(), number)).or_default();
            let agreed = model.agreed(&looks, *offsets, &mut found.field);
            found.figures.add(&truth, &agreed.judged(1.0)?, item.gsd_mm)?;
            found.calibration.resize_with(args.temperatures.len(), Calibration::default);
            for (calibration, temperature) in found.calibration.iter_mut().zip(&args.temperatures) {
                calibration.add(truth.class_ids(), &agreed.judged(*temperature)?)?;
            }
        }
    }
    bar.finish_and_clear();
    let mut out = std::io::stdout().lock();
    for ((group, number), found) in &found {
        let figures = found.figures.to_json();
        let class = |name| figures["iou"][name].as_f64().map_or("–".into(), |iou| format!("{iou:.3}"));
        let row: Vec<String> = CLASS_NAMES.iter().map(|name| format!("{name} {}", class(*name))).collect();
        let errors = args.temperatures.iter().zip(&found.calibration).map(|(temperature, calibration)| {
            let error = calibration.error().map_or("–".into(), |error| format!("{error:.3}"));
            format!("; calibration error {error} at {temperature}")
        });
        let errors: Vec<String> = errors.collect();
        let rate = |name: &str| figures["plants"][name][0].as_f64().unwrap_or(f64::NAN);
        writeln!(
            out,
            "{group} [{}]: {}; weeds treated {:.3}, crop hit {:.3}{}",
            args.candidates[*number],
            row.join(", "),
            rate("weeds_treated_rate"),
            rate("crop_hit_rate"),
            errors.concat()
        )?;
    }
    Ok(())
}
