//! `kompas-model composites`.

use super::{BadInput, DataArgs};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use kompas_field::PlantClass;
use kompas_models::CLASS_NAMES;
use kompas_models::composites::{Verdicts, judge};
use kompas_models::data::Item;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct CompositesArgs {
    #[command(flatten)]
    data: DataArgs,
    /// An ONNX file with its card beside it, or the weights of a run (`.safetensors`).
    #[arg(long, default_value = "models/released/plants.onnx")]
    model: PathBuf,
    /// Groups (`source/group`, comma-separated) with beet that the model never saw.
    #[arg(long, value_delimiter = ',', required = true)]
    beet: Vec<String>,
    /// Source with potato; its validation split is taken.
    #[arg(long, default_value = "potato_weed_uav")]
    potato: String,
    /// Composites of each kind.
    #[arg(long, default_value_t = 150)]
    count: usize,
}

/// Prints, as JSON, what potato pasted into beet scenes and beet pasted onto the potato source's soil is taken for.
pub(crate) fn run(args: &CompositesArgs) -> Result<()> {
    let data = args.data.read()?;
    let choose = |wanted: &dyn Fn(&Item) -> bool| -> Vec<Item> {
        data.items.iter().filter(|item| wanted(item)).cloned().collect()
    };
    let beet = choose(&|item| args.beet.contains(&item.full_group()));
    let potato = choose(&|item| item.source == args.potato && item.split == "val");
    let mut model = super::evaluate::open(&args.model, &super::evaluate::Look::RELEASED)?;
    let mut judged = |plants: &[Item], class, scenes: &[Item], seed| -> Result<Verdicts> {
        let verdicts = judge(model.as_mut(), plants, class, scenes, args.count, seed)?;
        verdicts.map_err(|bad| anyhow!("{}: {}", bad.place, bad.reason)).context(BadInput)
    };
    let potato_in_beet = judged(&potato, PlantClass::Potato, &beet, 1)?;
    let beet_on_potato_soil = judged(&beet, PlantClass::SugarBeet, &potato, 2)?;
    let report = json!({
        "composite_potato_in_beet": shown(&potato_in_beet, PlantClass::SugarBeet),
        "composite_beet_on_potato_soil": shown(&beet_on_potato_soil, PlantClass::Potato),
    });
    Ok(writeln!(std::io::stdout().lock(), "{report}")?)
}

fn shown(verdicts: &Verdicts, confused_with: PlantClass) -> Value {
    let by_name = CLASS_NAMES
        .iter()
        .zip(0_u8..)
        .map(|(name, id)| ((*name).to_owned(), json!(verdicts.taken_for.get(&id).copied().unwrap_or(0))));
    json!({
        "plants": verdicts.plants(),
        "taken_for": by_name.collect::<serde_json::Map<String, Value>>(),
        "confused_share": verdicts.share(confused_with),
    })
}
