//! `kompas-model evaluate`, `predict` and `card`.

use super::{BadInput, DataArgs, recipe, tell_skipped, weights};
use anyhow::{Context, Result};
use clap::Args;
use kompas_models::card::{CardFacts, card, sha256_hex};
use kompas_models::data::corrections::Corrections;
use kompas_models::data::{DataSet, Item, evenly};
use kompas_models::evaluate::{Conditions, SourceFigures, evaluate};
use kompas_models::net::Params;
use kompas_models::through::Through;
use kompas_models::torch_segmenter::TorchSegmenter;
use kompas_models::{CLASS_COLOURS, CLASS_NAMES};
use kompas_vision::consensus::{Consensus, RowSearch};
use kompas_vision::load::{MEMORY_LIMIT_BYTES, load_picture};
use kompas_vision::normalise::ZOOMS;
use kompas_vision::onnx::Scale;
use kompas_vision::usable::unusable;
use kompas_vision::{OnnxOptions, OnnxSegmenter, Segmenter, onnx};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub(crate) struct EvaluateArgs {
    /// An ONNX file with its card beside it, or the weights of a run (`.safetensors`).
    #[arg(long)]
    model: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Only images of this split (train, val, test).
    #[arg(long)]
    split: Option<String>,
    /// Only images of this source.
    #[arg(long)]
    source: Option<String>,
    /// Only images of this group.
    #[arg(long)]
    group: Option<String>,
    /// At most this many images per source, evenly taken.
    #[arg(long)]
    limit: Option<usize>,
    /// Sizes to look at, as multiples of the working size, instead of the released ones; the first decides about the
    /// others where leaves are wide.
    #[arg(long, value_delimiter = ',', value_parser = super::zoom)]
    zooms: Vec<f64>,
    /// How much the plant around a pixel counts beside its own scores, instead of the released weight
    #[arg(long, default_value_t = Consensus::RELEASED.weight, value_parser = weight)]
    consensus: f32,
    /// Evaluate on what a camera so many times nearer would see: a window around a plant of the crop, enlarged
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=16))]
    closer: Option<u32>,
    /// Evaluate on what the camera would see through haze, in evening light or with half of the colour
    #[arg(long, value_enum)]
    through: Option<Through>,
    /// Take neither haze nor colour cast off a picture: to see what that is worth
    #[arg(long)]
    without_light: bool,
    /// Do not look at pictures smaller where their leaves are wide: to see what it is worth
    #[arg(long)]
    without_fit: bool,
    /// Do not look for rows of crop, for the crop of the field and for what it looks like: to see what they are worth
    #[arg(long)]
    without_rows: bool,
    /// Judge every picture by itself: where a group is not of one field and day, and to see what a field's other pictures
    /// are worth
    #[arg(long)]
    alone: bool,
    /// Give figures of pixels by labels corrected as this file says, too (`models/corrections.toml`)
    #[arg(long, value_name = "FILE", conflicts_with = "closer")]
    corrections: Option<PathBuf>,
    /// Keep what the model makes of every picture in this folder: 8-bit class ids, as the masks
    #[arg(long, value_name = "DIR")]
    maps: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct PredictArgs {
    /// A photograph.
    image: PathBuf,
    /// An ONNX file with its card beside it, or the weights of a run (`.safetensors`).
    #[arg(long, default_value = "models/released/plants.onnx")]
    model: PathBuf,
    /// The photograph with its classes laid over it.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct CardArgs {
    /// Weights the model files were written from: the figures are theirs.
    #[arg(long)]
    weights: PathBuf,
    /// Model files in one folder; the card is written beside them.
    #[arg(long, required = true, num_args = 1..)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    data: DataArgs,
    /// The run's configuration.
    #[arg(long)]
    config: PathBuf,
    /// How the weights came about, for people.
    #[arg(long)]
    training: String,
    /// What scores are divided by before they become confidences (`kompas-model offsets --temperatures`)
    #[arg(long, default_value = "1", value_parser = super::temperature)]
    temperature: f64,
    /// Sources, licences and limits, as JSON.
    #[arg(long)]
    notes: PathBuf,
    /// Take the figures from the card that stands beside the files, if it names the first of them with its hash.
    #[arg(long)]
    keep_figures: bool,
    /// At most this many images per source for the figures, evenly taken from validation and test splits.
    #[arg(long, default_value = "1000")]
    limit: NonZeroUsize,
}

/// What the plant around a pixel may count.
fn weight(text: &str) -> Result<f32, String> {
    let number = text.trim().parse().ok().filter(|weight: &f32| weight.is_finite() && *weight >= 0.);
    number.ok_or_else(|| "a number from 0 on".to_owned())
}

/// How a model looks at pictures.
pub(super) struct Look {
    /// Multiples of the working size.
    pub(super) zooms: &'static [f64],
    /// What counts beside a pixel's own scores.
    pub(super) consensus: Consensus,
    /// Whether pictures whose leaves are wide are looked at smaller.
    pub(super) fits_leaves: bool,
    /// Whether haze and colour cast are taken off.
    pub(super) corrects_light: bool,
}

impl Look {
    /// As the robot does.
    pub(super) const RELEASED: Self =
        Self { zooms: ZOOMS, consensus: Consensus::RELEASED, fits_leaves: true, corrects_light: true };
}

pub(super) fn open(path: &Path, look: &Look) -> Result<Box<dyn Segmenter>> {
    if path.extension().is_some_and(|extension| extension == "safetensors") {
        tch::set_num_threads(1);
        let bytes = std::fs::read(path).with_context(|| path.display().to_string()).context(BadInput)?;
        let params = Params::read(path).context(BadInput)?;
        let id = format!("weights@sha256:{}", &sha256_hex(&bytes)[..12]);
        let model = TorchSegmenter::new(params, id).with_zooms(look.zooms).with_consensus(look.consensus);
        let model = if look.fits_leaves { model } else { model.without_fit() };
        return Ok(Box::new(if look.corrects_light { model } else { model.without_light() }));
    }
    let library = onnx::find_library().context("ONNX Runtime is missing: run vision/setup-onnxruntime.sh")?;
    let Look { zooms, consensus, corrects_light, .. } = *look;
    let mut options = OnnxOptions { zooms, consensus, corrects_light, ..OnnxOptions::new(library) };
    if !look.fits_leaves {
        options.scale = Scale::BySize;
    }
    Ok(Box::new(OnnxSegmenter::load(path, options).context(BadInput)?))
}

/// A photograph from a file: any depth and colour, upright.
pub(super) fn picture(path: &Path) -> Result<image::RgbImage> {
    load_picture(path, MEMORY_LIMIT_BYTES).context(BadInput)
}

/// The items that `wanted` accepts, at most `limit` per source.
pub(super) fn choose(data: &DataSet, wanted: impl Fn(&Item) -> bool, limit: Option<usize>) -> Vec<Item> {
    let mut by_source: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    for item in data.items.iter().filter(|item| wanted(item)) {
        by_source.entry(&item.source).or_default().push(item);
    }
    let thinned = by_source.into_values().flat_map(|items| evenly(&items, limit.unwrap_or(usize::MAX)));
    thinned.cloned().collect()
}

fn figures(
    model: &mut dyn Segmenter,
    items: &[Item],
    conditions: Conditions,
) -> Result<BTreeMap<String, SourceFigures>> {
    let bar = super::train::bar(items.len() as u64, "evaluating");
    let (figures, rejected) = evaluate(model, items, conditions, || bar.inc(1))?;
    bar.finish_and_clear();
    tell_skipped(&rejected, items.len() - rejected.len())?;
    Ok(figures)
}

pub(crate) fn run(args: &EvaluateArgs) -> Result<()> {
    let zooms = if args.zooms.is_empty() { ZOOMS } else { args.zooms.clone().leak() };
    let mut model = open(
        &args.model,
        &Look {
            zooms,
            consensus: Consensus {
                weight: args.consensus,
                rows: if args.without_rows { RowSearch::Off } else { RowSearch::AnySlant },
            },
            fits_leaves: !args.without_fit,
            corrects_light: !args.without_light,
        },
    )?;
    let data = args.data.read()?;
    let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
    let wanted = |item: &Item| {
        is(&args.split, &item.split) && is(&args.source, &item.source) && is(&args.group, &item.group)
    };
    let items = choose(&data, wanted, args.limit);
    if items.is_empty() {
        return Err(anyhow::anyhow!(
            "no image of that split, source and group in {}",
            args.data.folder.display()
        ))
        .context(BadInput);
    }
    let corrections = args.corrections.as_deref().map(|path| corrections(path, &data)).transpose()?;
    let conditions = Conditions {
        closer: args.closer,
        through: args.through,
        alone: args.alone,
        maps: args.maps.as_deref(),
        corrections: corrections.as_ref(),
    };
    let figures = figures(model.as_mut(), &items, conditions)?;
    if figures.is_empty() {
        return Err(anyhow::anyhow!("none of the {} images shows crop to be nearer to", items.len()))
            .context(BadInput);
    }
    let mut out = std::io::stdout().lock();
    if args.json {
        let per_source: BTreeMap<_, _> =
            figures.iter().map(|(name, figures)| (name, figures.to_json())).collect();
        writeln!(out, "{}", json!({ "per_source": per_source }))?;
        return Ok(());
    }
    for (source, figures) in &figures {
        let figures = figures.to_json();
        let row = |labels: &serde_json::Value| {
            let class = |name| labels["iou"][name].as_f64().map_or("–".into(), |iou| format!("{iou:.3}"));
            CLASS_NAMES.map(|name| format!("{name} {}", class(name))).join(", ")
        };
        writeln!(
            out,
            "{source} ({} images): {}; plants {}",
            figures["images"],
            row(&figures),
            figures["plants"]
        )?;
        if let Some(corrected) = figures.get("corrected_labels") {
            writeln!(out, "{source}, by corrected labels: {}", row(corrected))?;
        }
    }
    Ok(())
}

/// A list of corrections; what it names that `data` do not have is told.
pub(super) fn corrections(path: &Path, data: &DataSet) -> Result<Corrections> {
    let place = || path.display().to_string();
    let list = Corrections::read(path).with_context(place).context(BadInput)?;
    for absent in list.absent_from(data) {
        tracing::warn!("{}: {absent}", path.display());
    }
    Ok(list)
}

pub(crate) fn predict(args: &PredictArgs) -> Result<()> {
    let mut model = open(&args.model, &Look::RELEASED)?;
    let mut rgb = picture(&args.image)?;
    if let Some(reason) = unusable(&rgb) {
        return Err(anyhow::anyhow!("{}: unusable: {reason}", args.image.display())).context(BadInput);
    }
    let map = model.segment(&rgb)?;
    for (pixel, &id) in rgb.pixels_mut().zip(map.class_ids()) {
        if let (1.., Some(colour)) = (id, CLASS_COLOURS.get(usize::from(id))) {
            for (value, colour) in pixel.0.iter_mut().zip(colour) {
                *value = value.midpoint(*colour);
            }
        }
    }
    rgb.save(&args.out).with_context(|| format!("cannot write {}", args.out.display()))
}

pub(crate) fn write_card(args: &CardArgs) -> Result<()> {
    let read =
        |path: &Path| std::fs::read(path).with_context(|| path.display().to_string()).context(BadInput);
    let named = |path: &PathBuf| {
        let name = path.file_name().context("a model file has a name")?.to_string_lossy().into_owned();
        Ok((name, read(path)?))
    };
    let files = args.files.iter().map(named).collect::<Result<Vec<_>>>()?;
    let config = String::from_utf8(read(&args.config)?).context(BadInput)?;
    let corrections = recipe(&args.config)?.corrections;
    let notes = serde_json::from_slice(&read(&args.notes)?).context(BadInput)?;
    let data = args.data.read()?;
    let path = onnx::card_path(&args.files[0]);
    let found = if args.keep_figures {
        standing_figures(&path, &files[0], args.temperature)?
    } else {
        let items = choose(&data, |item| item.split != "train", Some(args.limit.get()));
        if items.is_empty() {
            let remedy = "there is nothing to measure: name data with some, or keep a card's figures with --keep-figures";
            return Err(anyhow::anyhow!(
                "no validation or test image in {}: {remedy}",
                args.data.folder.display()
            ))
            .context(BadInput);
        }
        let params = weights(&args.weights)?;
        // Files of 8 bits hold no weights to compare, and are not read so.
        let other = |path: &&PathBuf| {
            kompas_models::onnx::read(path).is_ok_and(|of_file| !params.is_same(&of_file).unwrap_or(false))
        };
        if let Some(path) = args.files.iter().find(other) {
            let (path, weights) = (path.display(), args.weights.display());
            return Err(anyhow::anyhow!(
                "{path} holds other weights than {weights}, of which the figures would be: export it from them"
            ))
            .context(BadInput);
        }
        tch::set_num_threads(1);
        let model = TorchSegmenter::new(params, "weights".into()).with_temperature(args.temperature);
        let found = figures(&mut { model }, &items, Conditions::default())?;
        found.iter().map(|(source, figures)| (source.clone(), figures.to_json())).collect()
    };
    let facts = CardFacts {
        name: "plants",
        files: &files,
        data: &data,
        config: &config,
        corrections: &corrections,
        training: &args.training,
        temperature: args.temperature,
        figures: &found,
        notes: &notes,
    };
    std::fs::write(&path, format!("{:#}\n", card(&facts)))
        .with_context(|| format!("cannot write {}", path.display()))?;
    tracing::info!("{} written", path.display());
    Ok(())
}

/// The figures of a card that was written for the very same file.
fn standing_figures(
    card: &Path,
    (name, bytes): &(String, Vec<u8>),
    temperature: f64,
) -> Result<serde_json::Value> {
    let text = std::fs::read(card).with_context(|| card.display().to_string()).context(BadInput)?;
    let mut standing: serde_json::Value = serde_json::from_slice(&text).context(BadInput)?;
    if standing["files"][name]["sha256"] != sha256_hex(bytes) {
        return Err(anyhow::anyhow!("{} is not of this {name}: measure anew", card.display()))
            .context(BadInput);
    }
    let stood = standing["temperature"].as_f64().unwrap_or(1.0);
    if (stood - temperature).abs() > 1e-9 {
        let remedy = format!("give --temperature {stood}, or measure anew");
        return Err(anyhow::anyhow!(
            "{}: its figures are with a temperature of {stood}: {remedy}",
            card.display()
        ))
        .context(BadInput);
    }
    Ok(standing["figures"].take())
}
