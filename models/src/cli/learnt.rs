//! What a run learns from, noted in its folder: it goes on only where that is the same.

use super::train::Start;
use super::{BadInput, write_whole};
use anyhow::{Context, Result, anyhow};
use kompas_models::card::{content_digest, sha256_hex};
use kompas_models::data::DataSet;
use serde::{Deserialize, Serialize};
use std::io::ErrorKind;
use std::path::Path;

/// `learnt.json` in the folder of a run.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Learnt {
    /// Of the labelled images, [`content_digest`].
    data_sha256: String,
    /// SHA-256 of the weights it starts from; `None` where they are gone, as they may be once it has begun.
    start_sha256: Option<String>,
}

const NAME: &str = "learnt.json";

impl Learnt {
    pub(super) fn of(data: &DataSet, start: &Start) -> Self {
        let (Start::Pretrained(path) | Start::Weights(path)) = start;
        let start = std::fs::read(path).ok();
        Self { data_sha256: content_digest(data), start_sha256: start.map(|bytes| sha256_hex(&bytes)) }
    }

    /// Refuses to go on with a run in `out` that learnt from something else.
    pub(super) fn check(&self, out: &Path) -> Result<()> {
        let place = out.join(NAME);
        let bytes = match std::fs::read(&place) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                tracing::warn!(
                    "{}: it is not known what this run learnt from, as it is of an earlier version",
                    out.display()
                );
                return Ok(());
            }
            Err(error) => return Err(error).context(place.display().to_string()),
        };
        let refused = |what: &str| Err(anyhow!("{}: {what}", place.display())).context(BadInput);
        let Ok(before) = serde_json::from_slice::<Self>(&bytes) else {
            return refused("it does not say what the run learnt from: choose a new folder");
        };
        if before.data_sha256 != self.data_sha256 {
            return refused("the run learnt from other data: put them back, or choose a new folder");
        }
        match (&before.start_sha256, &self.start_sha256) {
            (Some(before), Some(now)) if before != now => {
                refused("the run started from other weights: start from them, or choose a new folder")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn write(&self, out: &Path) -> Result<()> {
        write_whole(out, NAME, self)
    }
}
