//! What a training run is made of: a recipe in TOML and its file of corrections, checked.

use super::is_held_out;
use crate::augment::Strength;
use crate::data::corrections::{Absent, Corrections, CorrectionsError};
use crate::data::{DataSet, Item};
use crate::net::STRIDE;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A training run. Together with the data it determines the result.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Of every random choice.
    pub seed: u64,
    /// Optimiser steps.
    pub steps: u32,
    /// Crops per step.
    pub batch: u32,
    /// Side of a crop in pixels; a multiple of 32.
    pub crop_px: u32,
    /// Encoder blocks (of 16, from the input) that keep their `ImageNet` weights.
    pub frozen_blocks: usize,
    /// Number format of the convolutions while training; weights and sums stay in single precision.
    pub precision: Precision,
    /// Whether the decoder is fitted to the size of the encoder's features before the first step.
    pub condition_decoder: bool,
    /// Share of steps whose crops exchange the statistics of their early features ([`crate::net::MixedStyles`]).
    pub mix_share: f32,
    /// Peak learning rate of the decoder, per size of a channel's weights.
    pub learning_rate: f64,
    /// Steps in which only the decoder learns. An encoder that is pulled by a decoder that knows nothing yet
    /// unlearns what it brings (Kumar et al. 2022, "Fine-tuning can distort pretrained features").
    pub decoder_first_steps: u32,
    /// Afterwards the encoder learns at this fraction of the rate.
    pub encoder_rate_factor: f64,
    /// Decoupled weight decay per unit of learning rate.
    pub weight_decay: f64,
    /// Steps over which the learning rate rises from zero; afterwards it falls along a cosine.
    pub warmup_steps: u32,
    /// Decay of the running mean of the weights, per step.
    pub ema_decay: f64,
    /// Smoothing of the labels: some plants were missed by who labelled them.
    pub label_smoothing: f64,
    /// Weight of soil, weed, sugar beet, potato, other crop in the cross-entropy.
    pub class_weights: [f32; 5],
    /// Added to the scores of soil, weed, sugar beet, potato, other crop in the released weights: what cross-validation
    /// over unseen groups asks for.
    pub score_offsets: [f32; 5],
    /// Share of crops around a pixel of soil, weed, sugar beet, potato, other crop.
    pub class_shares: [f64; 5],
    /// Share of pasted plants that are soil (none), weed, sugar beet, potato, other crop.
    pub paste_shares: [f64; 5],
    /// Share of crops per source, within each class. A source not named is not trained on.
    pub sources: BTreeMap<String, f64>,
    /// Groups (`source/group`) kept for validation; a group is all of one camera and site.
    pub hold_out: Vec<String>,
    /// Steps between validations.
    pub validate_every: u32,
    /// Validation images per source, evenly taken.
    pub validate_images: usize,
    /// Validations without a better score after which training stops, and the weights of the best are released.
    pub patience: u32,
    /// Steps between checkpoints.
    pub checkpoint_every: u32,
    /// Single plants to paste in.
    pub seedlings: Option<Seedlings>,
    /// Changes to the crops.
    pub augment: Strength,
    /// A file of corrections, relative to the recipe's folder. None once [`Self::corrections`] holds what it says.
    #[serde(default, skip_serializing)]
    pub corrections_file: Option<PathBuf>,
    /// What is put right of the labels before they are learnt from. Nothing where neither key is there.
    #[serde(default, skip_serializing_if = "Corrections::is_none")]
    pub corrections: Corrections,
}

/// A number format of convolutions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    Single,
    /// 16 bits with the range of 32: faster where the processor has instructions for it (AMX, AVX512-BF16).
    BFloat16,
}

impl Precision {
    /// As LibTorch calls it.
    pub const fn kind(self) -> tch::Kind {
        match self {
            Self::Single => tch::Kind::Float,
            Self::BFloat16 => tch::Kind::BFloat16,
        }
    }
}

/// A folder of single seedlings, relative to the data folder, and the class of its species.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seedlings {
    /// The folder.
    pub folder: PathBuf,
    /// Class id per subfolder.
    pub species: BTreeMap<String, u8>,
}

/// What is wrong with a configuration: place, cause, remedy.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, a key too many or too few, a value of the wrong type.
    #[error("the configuration does not parse: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A folder of seedlings that is not there.
    #[error("seedlings: {} is no folder: put the seedlings there, or take [seedlings] out of the configuration", path.display())]
    NoSeedlings {
        /// The folder.
        path: PathBuf,
    },
    /// A group that is to be kept from training and is not there: under another name it would be trained on.
    #[error(
        "hold_out: no image is of the group `{name}`: correct the name or take it out; there are {groups:?}"
    )]
    NotHeldOut {
        /// As the configuration has it.
        name: String,
        /// The groups of the data.
        groups: Vec<String>,
    },
    /// Every image is of another source, held out or for validation.
    #[error(
        "sources: no training image that is not held out is of {named:?}; the data have {there:?}: name one of those that has some"
    )]
    NothingToLearn {
        /// The sources of the configuration.
        named: Vec<String>,
        /// Those of the data.
        there: Vec<String>,
    },
    /// A list of corrections that cannot be used.
    #[error("corrections_file: {}: {cause}", path.display())]
    CorrectionsFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: CorrectionsError,
    },
    /// The same of a list in the recipe itself.
    #[error("corrections: {0}")]
    Corrections(CorrectionsError),
    /// A value that cannot be trained with.
    #[error("{key} = {value}: {rule}")]
    Value {
        /// The key.
        key: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        rule: &'static str,
    },
}

impl Config {
    /// Parses and checks a recipe that lies in `folder`, and reads its file of corrections.
    /// # Errors
    /// [`ConfigError`] names the key, its value and the rule.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text)?;
        let wrong = |key, value: String, rule| Err(ConfigError::Value { key, value, rule });
        if config.crop_px == 0 || !config.crop_px.is_multiple_of(STRIDE) {
            return wrong("crop_px", config.crop_px.to_string(), "a positive multiple of 32");
        }
        if config.batch == 0 || config.steps == 0 {
            return wrong("batch, steps", format!("{}, {}", config.batch, config.steps), "at least 1");
        }
        if !(config.ema_decay >= 0. && config.ema_decay < 1.) {
            return wrong("ema_decay", config.ema_decay.to_string(), "at least 0 and below 1");
        }
        if !(config.learning_rate > 0. && config.learning_rate < 1.) {
            return wrong("learning_rate", config.learning_rate.to_string(), "above 0 and below 1");
        }
        if config.sources.is_empty() || config.sources.values().any(|share| share.is_nan() || *share <= 0.) {
            return wrong("sources", format!("{:?}", config.sources), "at least one, every share above 0");
        }
        let weights = config.class_weights.map(f64::from);
        for (key, of, least) in [
            ("class_shares", &config.class_shares, 1),
            ("class_weights", &weights, 1),
            ("paste_shares", &config.paste_shares, 0),
        ] {
            let counts = |value: &&f64| **value > 0.;
            let is_share = |value: &f64| value.is_finite() && *value >= 0.;
            if !of.iter().all(is_share) || of.iter().filter(counts).count() < least {
                let rule = "five numbers, none below 0; of class_shares and class_weights one above";
                return wrong(key, format!("{of:?}"), rule);
            }
        }
        if !(config.label_smoothing >= 0. && config.label_smoothing < 1.) {
            return wrong("label_smoothing", config.label_smoothing.to_string(), "at least 0 and below 1");
        }
        if let Some((key, share)) =
            config.augment.shares().into_iter().find(|(_, share)| !(0. ..=1.).contains(share))
        {
            return wrong(key, share.to_string(), "a share, 0 to 1");
        }
        if config.patience == 0 {
            return wrong("patience", "0".into(), "at least 1; 4294967295 never stops");
        }
        let species = config.seedlings.iter().flat_map(|seedlings| &seedlings.species);
        if let Some((name, class)) = species.into_iter().find(|(_, class)| !(1..=4).contains(*class)) {
            return wrong("seedlings.species", format!("{name} = {class}"), "the class of a plant, 1 to 4");
        }
        let augment = &config.augment;
        if !(augment.scale_min > 0. && augment.scale_min <= augment.scale_max) {
            let value = format!("{} to {}", augment.scale_min, augment.scale_max);
            return wrong("augment.scale", value, "0 < scale_min <= scale_max");
        }
        if config.validate_every == 0 || config.checkpoint_every == 0 {
            return wrong("validate_every, checkpoint_every", "0".into(), "at least 1");
        }
        config.corrections.check().map_err(ConfigError::Corrections)?;
        if let Some(file) = config.corrections_file.take() {
            if !config.corrections.is_none() {
                return wrong(
                    "corrections_file",
                    file.display().to_string(),
                    "not beside [corrections]: one of the two",
                );
            }
            let path = folder.join(file);
            config.corrections =
                Corrections::read(&path).map_err(|cause| ConfigError::CorrectionsFile { path, cause })?;
        }
        Ok(config)
    }

    /// Holds the names it gives against `data`, read from `folder`, and returns what to tell of those without an image. Data
    /// of some of the sources are enough: less is learnt from, as everybody sees. A group that is to be held out is learnt
    /// from under any other name, so its name must be right.
    /// # Errors
    /// [`ConfigError::NoSeedlings`], [`ConfigError::NotHeldOut`], [`ConfigError::NothingToLearn`].
    pub fn check_against(&self, data: &DataSet, folder: &Path) -> Result<Vec<Absent>, ConfigError> {
        let folders = self.seedlings.iter().flat_map(|Seedlings { folder: inside, species }| {
            species.keys().map(move |name| folder.join(inside).join(name))
        });
        if let Some(path) = folders.into_iter().find(|folder| !folder.is_dir()) {
            return Err(ConfigError::NoSeedlings { path });
        }
        let groups: BTreeSet<String> = data.items.iter().map(Item::full_group).collect();
        let sources: BTreeSet<&String> = data.items.iter().map(|item| &item.source).collect();
        if let Some(name) = self.hold_out.iter().find(|name| !groups.contains(*name)) {
            return Err(ConfigError::NotHeldOut { name: name.clone(), groups: groups.into_iter().collect() });
        }
        let is_learnt = |item: &Item| self.sources.contains_key(&item.source) && !is_held_out(item, self);
        if !data.items.iter().any(is_learnt) {
            let list = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect();
            return Err(ConfigError::NothingToLearn {
                named: list(&mut self.sources.keys()),
                there: list(&mut sources.into_iter()),
            });
        }
        let unknown = self.sources.keys().filter(|name| !sources.contains(name));
        let mut absent: Vec<_> = unknown.map(|name| Absent { key: "sources", name: name.clone() }).collect();
        absent.extend(self.corrections.absent_from(data));
        Ok(absent)
    }

    /// Learning rate of the decoder at `step`.
    pub fn rate_at(&self, step: u32) -> f64 {
        let warmup = f64::from(self.warmup_steps.max(1));
        let rise = (f64::from(step) + 1.) / warmup;
        let done = f64::from(step) / f64::from(self.steps);
        let fall = 0.5 * (1. + (std::f64::consts::PI * done.min(1.)).cos());
        self.learning_rate * rise.min(1.) * fall.max(0.01)
    }

    /// Whether the parameter of this name learns at `step`.
    pub fn trains_at(&self, step: u32, name: &str) -> bool {
        self.trains(name) && (step >= self.decoder_first_steps || !name.starts_with("encoder."))
    }

    /// Whether the parameter of this name ever learns.
    pub fn trains(&self, name: &str) -> bool {
        match name.strip_prefix("encoder.") {
            None => true,
            Some(inner) => inner
                .strip_prefix("block")
                .and_then(|rest| rest.split('.').next())
                .and_then(|block| block.parse::<usize>().ok())
                .is_some_and(|block| block >= self.frozen_blocks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recipe_takes_its_corrections_from_a_file_or_a_table_and_is_kept_whole() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let list = Corrections::read(&folder.join("corrections.toml")).unwrap();
        assert!(list.relabelled.len() > 1);
        for recipe in ["plants.toml", "adapt.toml"] {
            let own = std::fs::read_to_string(folder.join(recipe)).unwrap();
            let config = Config::parse(&own, folder).unwrap();
            assert_eq!(config.corrections, list, "{recipe}");

            let refused = |text: &str| Config::parse(text, folder).unwrap_err().to_string();
            let table = "\n[corrections]\nborder_weeds_ignored = [\"field/a\"]\n";
            let both = refused(&format!("{own}{table}"));
            assert!(both.contains("not beside [corrections]"), "{both}");
            let mut alone: toml::Table = own.parse().unwrap();
            alone.remove("corrections_file");
            let of_table = Config::parse(&format!("{alone}{table}"), Path::new("nowhere")).unwrap();
            assert_eq!(of_table.corrections.border_weeds_ignored, ["field/a"], "{recipe}");
            // What a run keeps of it needs no file beside it.
            let kept = toml::to_string(&config).unwrap();
            let again = Config::parse(&kept, Path::new("nowhere")).unwrap();
            assert_eq!(again.corrections, list, "{recipe}");
            assert_eq!(toml::to_string(&again).unwrap(), kept, "{recipe}");
            let reversed = refused(&kept.replace("[705, 330, 925, 475]", "[925, 330, 705, 475]"));
            assert!(reversed.contains("within = [925, 330, 705, 475]"), "{reversed}");
            assert!(reversed.contains("img_20_046"), "{reversed}");
        }
    }
}
