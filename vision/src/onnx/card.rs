//! What a model card must say before its network may run. The card says much more; the rest is for people.

use super::ModelError;
use kompas_field::{Digest, PlantClass};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The part of a model card that the robot obeys.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ModelCard {
    /// The model's name in records.
    pub name: String,
    /// Class names in the order of the network's output planes.
    pub classes: Vec<String>,
    /// Model files beside the card, and the hash of each.
    pub files: BTreeMap<String, ModelFile>,
    /// Scores are divided by this before they become confidences; 1 where the card is silent.
    #[serde(default = "one")]
    pub temperature: f64,
}

/// One file of a model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ModelFile {
    /// Of its bytes.
    pub sha256: Digest,
}

const fn one() -> f64 {
    1.0
}

/// Class names by id, as cards and model files spell them.
pub const CLASS_NAMES: [&str; PlantClass::ALL.len()] = ["soil", "weed", "sugar_beet", "potato", "other_crop"];

/// `plants.onnx` and `plants.int8.onnx` both have `plants.card.json`.
pub fn card_path(model: &Path) -> PathBuf {
    let name = model.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    model.with_file_name(format!("{stem}.card.json"))
}

impl ModelCard {
    /// Reads a card.
    ///
    /// # Errors
    /// [`ModelError::NoCard`] or [`ModelError::BadCard`].
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ModelError::NoCard { path: path.to_owned(), source })?;
        serde_json::from_str(&text).map_err(|source| ModelError::BadCard { path: path.to_owned(), source })
    }

    /// Refuses `bytes` of the file `model` unless the card names it with this hash and these classes.
    ///
    /// # Errors
    /// [`ModelError::NotOnCard`], [`ModelError::WrongHash`], [`ModelError::WrongClasses`],
    /// [`ModelError::BadTemperature`].
    pub fn admit(&self, model: &Path, bytes: &[u8]) -> Result<Digest, ModelError> {
        let name = model.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(file) = self.files.get(&name) else {
            let known = self.files.keys().cloned().collect();
            return Err(ModelError::NotOnCard { model: model.to_owned(), known });
        };
        let found = Digest::of_bytes(bytes);
        if found != file.sha256 {
            return Err(ModelError::WrongHash { model: model.to_owned(), found, wanted: file.sha256 });
        }
        check_classes(model, "the card", &self.classes)?;
        #[expect(clippy::cast_possible_truncation, reason = "as it is used")]
        let is_usable = self.temperature > 0.0 && (self.temperature as f32).is_normal();
        if !is_usable {
            return Err(ModelError::BadTemperature(self.temperature));
        }
        Ok(found)
    }
}

/// Refuses a class list that is not ours.
pub(super) fn check_classes(
    model: &Path,
    who: &'static str,
    found: &[impl AsRef<str>],
) -> Result<(), ModelError> {
    if found.iter().map(AsRef::as_ref).eq(CLASS_NAMES) {
        return Ok(());
    }
    let found = found.iter().map(|name| name.as_ref().to_owned()).collect();
    Err(ModelError::WrongClasses { model: model.to_owned(), who, found })
}
