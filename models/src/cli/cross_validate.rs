//! `kompas-model cross-validate`.

use super::train::{Hardware, Start, bar, train_in};
use super::{BadInput, DataArgs};
use anyhow::{Context, Result, ensure};
use clap::Args;
use kompas_models::card::{data_digest, sha256_hex};
use kompas_models::evaluate::{Conditions, evaluate};
use kompas_models::net::Params;
use kompas_models::torch_segmenter::TorchSegmenter;
use kompas_models::train::Config;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

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
    #[command(flatten)]
    hardware: Hardware,
}

/// Trains once per fold without its groups and writes the figures of those groups, at the photographs' own size.
pub(crate) fn run(args: &CrossValidateArgs) -> Result<()> {
    let text = std::fs::read_to_string(&args.config).context(BadInput)?;
    let recipe = Config::parse(&text).context(BadInput)?;
    let mut figures = BTreeMap::new();
    for (number, fold) in args.folds.iter().enumerate() {
        let hold_out: Vec<String> = fold.split(',').map(|group| group.trim().to_owned()).collect();
        let data = args.data.read()?;
        let left_out: Vec<_> = (data.items.iter())
            .filter(|item| hold_out.contains(&format!("{}/{}", item.source, item.group)))
            .cloned()
            .collect();
        ensure!(!left_out.is_empty(), "no image belongs to the fold {fold}");
        let config = Config { hold_out, steps: args.steps.unwrap_or(recipe.steps), ..recipe.clone() };
        let folder = args.out.join(format!("fold{number}"));
        let files =
            train_in(&folder, &config, &args.data, &Start::Pretrained(&args.encoder), &args.hardware)?;
        let mut model = TorchSegmenter::new(Params::read(&files.release)?, format!("fold {number}"));
        let bar = bar(left_out.len() as u64, "evaluating");
        // Groups are reported one by one, so each counts as a source of its own.
        let by_group = left_out.into_iter().map(|item| {
            let source = format!("{}/{}", item.source, item.group);
            kompas_models::data::Item { source, ..item }
        });
        let conditions = Conditions { alone: args.alone, ..Conditions::default() };
        let (found, _) = evaluate(&mut model, &by_group.collect::<Vec<_>>(), conditions, || bar.inc(1))?;
        bar.finish_and_clear();
        figures.extend(found.iter().map(|(group, figures)| (group.clone(), figures.to_json())));
        let report = json!({
            "left_out": figures,
            "folds": args.folds,
            "steps": config.steps,
            "judged_alone": args.alone,
            "configuration_sha256": sha256_hex(text.as_bytes()),
            "data_sha256": data_digest(&data),
        });
        let path = args.out.join("cross-validation.json");
        std::fs::write(&path, format!("{report:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
        tracing::info!("fold {fold}: {}", json!(figures));
    }
    Ok(())
}
