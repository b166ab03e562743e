//! `kompas-model cross-validate`.

use super::adapt::{adapt, check_sources, read_config};
use super::train::{Hardware, Start, bar, check_fits_weights, train_in};
use super::{BadInput, DataArgs, recipe, tell_skipped};
use anyhow::{Context, Result, anyhow};
use clap::Args;
use kompas_models::card::{data_digest, sha256_hex};
use kompas_models::data::scene::decode;
use kompas_models::data::{DataSet, Item, Rejected};
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
    /// The recipe; its own `hold_out` is replaced, and it takes all of its steps, whatever its `patience`.
    #[arg(long, default_value = "models/plants.toml")]
    config: PathBuf,
    /// Steps per fold instead of the recipe's.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
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
    /// Also teach every fold the photographs of its groups without their labels, by this recipe (models/adapt.toml), and
    /// report what that is worth; the groups of a fold are taken for one field, also with `--alone`
    #[arg(long, value_name = "CONFIG")]
    adapt: Option<PathBuf>,
    #[command(flatten)]
    hardware: Hardware,
}

/// Trains once per fold without its groups and writes the figures of those groups, at the photographs' own size.
pub(crate) fn run(args: &CrossValidateArgs) -> Result<()> {
    let recipe = recipe(&args.config)?;
    let adapted_by = args.adapt.as_deref().map(read_config).transpose()?;
    let data = args.data.read()?;
    let folds = args.folds.iter().map(|fold| groups_of(fold, &data)).collect::<Result<Vec<_>>>()?;
    for groups in &folds {
        without(groups, &recipe).check_against(&data, &args.data.folder).context(BadInput)?;
    }
    for (groups, recipe) in folds.iter().flat_map(|groups| adapted_by.iter().map(move |by| (groups, by))) {
        let recipe = without(groups, recipe);
        recipe.check_against(&data, &args.data.folder).context(BadInput)?;
        check_sources(&data, &recipe)?;
    }
    // Now, not after hours: what is left out is read last, and learnt from by itself after it.
    adapted_by.as_ref().map_or(Ok(()), check_fits_weights)?;
    for (group, items) in folds.iter().flatten() {
        let rejected: Vec<Rejected> = items.iter().filter_map(|item| decode(item).err()).collect();
        tell_skipped(&rejected, items.len() - rejected.len())
            .with_context(|| format!("the group '{group}', which is to be left out"))?;
    }
    let corrections = Some(&recipe.corrections);
    let conditions = Conditions { alone: args.alone, corrections, ..Conditions::default() };
    let (mut figures, mut adapted) = (BTreeMap::new(), BTreeMap::new());
    for (number, groups) in folds.iter().enumerate() {
        let config = Config { steps: args.steps.unwrap_or(recipe.steps), ..without(groups, &recipe) };
        let folder = args.out.join(format!("fold{number}"));
        let start = Start::Pretrained(&args.encoder);
        let files = train_in(&folder, &config, &data, &args.data.folder, &start, &args.hardware)?.release;
        for (group, items) in groups {
            figures.insert(group, measured(&files, items, conditions)?);
        }
        if let Some(recipe) = &adapted_by {
            let recipe = without(groups, recipe);
            let images = |items: &Vec<Item>| items.iter().map(|item| item.image.clone()).collect();
            let series: Vec<Vec<PathBuf>> = groups.values().map(images).collect();
            let (out, from) = (folder.join("adapted"), &args.data.folder);
            let learnt = adapt(&files, &series, data.clone(), from, &recipe, &out, &args.hardware)?;
            for (group, items) in groups {
                adapted.insert(group, measured(&learnt.release, items, conditions)?);
            }
        }
        let mut report = json!({
            "left_out": figures,
            "folds": args.folds,
            "steps": config.steps,
            "judged_alone": args.alone,
            "configuration_sha256": sha256_hex(toml::to_string(&recipe)?.as_bytes()),
            "data_sha256": data_digest(&data),
        });
        if let Some(recipe) = &adapted_by {
            report["adapted"] = json!(adapted);
            report["adapted_steps"] = json!(recipe.steps);
            report["adapt_configuration_sha256"] = json!(sha256_hex(toml::to_string(recipe)?.as_bytes()));
        }
        let path = args.out.join("cross-validation.json");
        std::fs::write(&path, format!("{report:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
        tracing::info!("fold {}: {}", args.folds[number], json!({"left_out": figures, "adapted": adapted}));
    }
    Ok(())
}

/// The recipe without the groups of a fold, whose labels are neither learnt from nor stopped by.
fn without(groups: &BTreeMap<String, Vec<Item>>, recipe: &Config) -> Config {
    Config { hold_out: groups.keys().cloned().collect(), patience: u32::MAX, ..recipe.clone() }
}

/// The images of the groups (`source/group`, comma-separated) of a fold, group by group.
fn groups_of(fold: &str, data: &DataSet) -> Result<BTreeMap<String, Vec<Item>>> {
    let mut groups = BTreeMap::new();
    for group in fold.split(',').map(str::trim) {
        let items: Vec<Item> = data.items.iter().filter(|item| item.full_group() == group).cloned().collect();
        if items.is_empty() {
            return Err(anyhow!("the fold '{fold}': no image is of the group '{group}'")).context(BadInput);
        }
        groups.insert(group.to_owned(), items);
    }
    Ok(groups)
}

/// Figures of these weights on the images of one group.
fn measured(weights: &Path, items: &[Item], conditions: Conditions) -> Result<Value> {
    let mut model = TorchSegmenter::new(Params::read(weights)?, weights.display().to_string());
    let bar = bar(items.len() as u64, "evaluating");
    let (found, rejected) = evaluate(&mut model, items, conditions, || bar.inc(1))?;
    bar.finish_and_clear();
    tell_skipped(&rejected, items.len() - rejected.len())?;
    let figures = found.into_values().next().context("no image of the group could be evaluated")?;
    Ok(figures.to_json())
}
