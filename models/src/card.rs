//! The model card: written by the program, obeyed by the robot, read by people.

use crate::CLASS_NAMES;
use crate::data::corrections::Corrections;
use crate::data::{DataSet, Item, Labels};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

/// SHA-256 of bytes in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

/// One digest for a data set: of its list of images with sizes, groups and splits, sorted.
pub fn data_digest(data: &DataSet) -> String {
    let line = |item: &Item| {
        let (width, height) = item.size;
        format!("{},{},{},{},{width},{height}\n", item.source, item.name, item.group, item.split)
    };
    let lines: BTreeSet<String> = data.items.iter().map(line).collect();
    sha256_hex(lines.into_iter().collect::<String>().as_bytes())
}

/// One digest for what a run learns from: as [`data_digest`], and of photographs and labels themselves, in their order. A
/// file that cannot be read counts as empty.
pub fn content_digest(data: &DataSet) -> String {
    let mut digest = Sha256::new();
    let mut add = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    };
    add(data_digest(data).as_bytes());
    for item in &data.items {
        let file = |path: &Path| std::fs::read(path).unwrap_or_default();
        add(format!("{}/{}", item.source, item.name).as_bytes());
        add(&file(&item.image));
        match &item.labels {
            Labels::Mask { path, translate } => {
                add(&file(path));
                add(format!("{translate:?}").as_bytes());
            }
            Labels::Shapes(shapes) => add(format!("{shapes:?}").as_bytes()),
        }
    }
    hexadecimal(&digest.finalize())
}

/// What a card is made of.
pub struct CardFacts<'a> {
    /// The model's name in records.
    pub name: &'a str,
    /// File name and bytes of every model file the card covers.
    pub files: &'a [(String, Vec<u8>)],
    /// The data trained on and evaluated with.
    pub data: &'a DataSet,
    /// The run's recipe, as written.
    pub config: &'a str,
    /// What it put right of the labels.
    pub corrections: &'a Corrections,
    /// Steps the weights were trained for, and where they started.
    pub training: &'a str,
    /// What scores are divided by before they become confidences.
    pub temperature: f64,
    /// Figures per source and split.
    pub figures: &'a Value,
    /// Where the data come from and under which licence, and what the model must not be used for.
    pub notes: &'a Value,
}

/// The card.
pub fn card(facts: &CardFacts<'_>) -> Value {
    let files: BTreeMap<_, _> = (facts.files.iter())
        .map(|(name, bytes)| (name, json!({ "sha256": sha256_hex(bytes), "bytes": bytes.len() })))
        .collect();
    json!({
        "name": facts.name,
        "classes": CLASS_NAMES,
        "files": files,
        "input": "image: float32 [n, 3, height, width], RGB in 0..1 at working size and common exposure \
                  (kompas_vision::normalise), sides divisible by 32",
        "output": "scores: float32 [n, 5, height, width], one logit per class",
        "training": facts.training,
        "temperature": facts.temperature,
        "configuration": facts.config,
        "corrections": facts.corrections,
        "data_sha256": data_digest(facts.data),
        "figures": facts.figures,
        "notes": facts.notes,
    })
}
