//! `kompas-model cross-validate`.

use super::adapt::{adapt, read_config};
use super::train::{Hardware, Start, bar, train_in};
use super::{BadInput, DataArgs};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use kompas_models::card::{data_digest, sha256_hex};
use kompas_models::data::{DataSet, Item, refuse_if_too_many};
use kompas_models::evaluate::{Conditions, evaluate};
use kompas_models::net::Params;
use kompas_models::torch_segmenter::TorchSegmenter;
use kompas_models::train::Config;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub(crate) struct CrossValidateArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Groups (`source/group`, comma-separated) left out together: one fold. Give it once per fold.
    #[arg(long = "fold", required = true)]
    folds: Vec<String>,
    /// The recipe; its own `hold_out` is replaced.
    #[arg(long, default_value = "models/plants.toml")]
    config: PathBuf,
    /// Steps per fold instead of the recipe's.
    #[arg(long)]
    steps: Option<u32>,
    /// Folder with a run per fold: finished ones are kept, interrupted ones go on.
    #[arg(long)]
    out: PathBuf,
    /// `ImageNet` weights of the encoder (models/setup-encoder.sh).
    #[arg(long, default_value = "vendor/encoder/efficientnet-lite0.safetensors")]
    encoder: PathBuf,
    /// Judge every picture by itself: where a group is not of one field and day, and to see what a field's other pictures
    /// are worth
    #[arg(long)]
    alone: bool,
    /// Also teach every fold each of its groups from their photographs without their labels, by this recipe
    /// (models/adapt.toml), and report what that is worth
    #[arg(long, value_name = "CONFIG")]
    adapt: Option<PathBuf>,
    #[command(flatten)]
    hardware: Hardware,
}

/// Trains once per fold without its groups and writes the figures of those groups, at the photographs' own size.
pub(crate) fn run(args: &CrossValidateArgs) -> Result<()> {
    let (text, recipe) = read(&args.config)?;
    let adapted_by = args.adapt.as_deref().map(read_config).transpose()?;
    let data = args.data.read()?;
    let conditions = Conditions { alone: args.alone, ..Conditions::default() };
    let (mut figures, mut adapted) = (BTreeMap::new(), BTreeMap::new());
    for (number, fold) in args.folds.iter().enumerate() {
        let hold_out: Vec<String> = fold.split(',').map(|group| group.trim().to_owned()).collect();
        let groups = left_out(&data, &hold_out);
        if groups.len() < hold_out.len() {
            return Err(anyhow!("the fold {fold} names a group of which there is no image"))
                .context(BadInput);
        }
        let config = Config { hold_out, steps: args.steps.unwrap_or(recipe.steps), ..recipe.clone() };
        let folder = args.out.join(format!("fold{number}"));
        let start = Start::Pretrained(&args.encoder);
        let files =
            train_in(&folder, &config, data.clone(), &args.data.folder, &start, &args.hardware)?.release;
        for (group, items) in &groups {
            figures.insert(group.clone(), measured(&files, items, conditions)?);
            let Some(recipe) = &adapted_by else { continue };
            let recipe = Config { hold_out: config.hold_out.clone(), ..recipe.clone() };
            let photographs: Vec<PathBuf> = items.iter().map(|item| item.image.clone()).collect();
            let out = folder.join(group.replace('/', "-"));
            let (data, folder) = (data.clone(), &args.data.folder);
            let learnt = adapt(&files, &photographs, data, folder, &recipe, &out, &args.hardware)?;
            adapted.insert(group.clone(), measured(&learnt.release, items, conditions)?);
        }
        let mut report = json!({
            "left_out": figures,
            "folds": args.folds,
            "steps": config.steps,
            "judged_alone": args.alone,
            "configuration_sha256": sha256_hex(text.as_bytes()),
            "data_sha256": data_digest(&data),
        });
        if let Some(recipe) = &adapted_by {
            report["adapted"] = json!(adapted);
            report["adapted_steps"] = json!(recipe.steps);
        }
        let path = args.out.join("cross-validation.json");
        std::fs::write(&path, format!("{report:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
        tracing::info!("fold {fold}: {}", json!(figures));
    }
    Ok(())
}

/// The text of a recipe, and what it says.
fn read(path: &Path) -> Result<(String, Config)> {
    let place = || path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(place).context(BadInput)?;
    let recipe = Config::parse(&text).with_context(place).context(BadInput)?;
    Ok((text, recipe))
}

/// The images of these groups (`source/group`), group by group.
fn left_out(data: &DataSet, groups: &[String]) -> BTreeMap<String, Vec<Item>> {
    let mut found: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for item in &data.items {
        let group = format!("{}/{}", item.source, item.group);
        if groups.contains(&group) {
            found.entry(group).or_default().push(item.clone());
        }
    }
    found
}

/// Figures of these weights on the images of one group.
fn measured(weights: &Path, items: &[Item], conditions: Conditions) -> Result<Value> {
    let mut model = TorchSegmenter::new(Params::read(weights)?, weights.display().to_string());
    let bar = bar(items.len() as u64, "evaluating");
    let (found, rejected) = evaluate(&mut model, items, conditions, || bar.inc(1))?;
    bar.finish_and_clear();
    refuse_if_too_many(&rejected, items.len()).context(BadInput)?;
    let figures = found.into_values().next().context("no image of the group could be evaluated")?;
    Ok(figures.to_json())
}
