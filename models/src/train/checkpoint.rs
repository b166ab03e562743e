//! The state of a run on disk.
//!
//! # Invariants
//! - The file is replaced by a rename after it is synced: a kill leaves the old or the new one, whole.
//! - Crops depend on seed and step only, so a run continued from a checkpoint takes the very steps
//!   it would have taken.

use super::Config;
use super::optimiser::Optimiser;
use crate::net::Params;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use tch::{Device, TchError, Tensor, no_grad};

/// Everything a run needs to continue.
pub struct State {
    /// The weights that learn.
    pub params: Params,
    /// Their running mean: what is validated and released.
    pub average: Params,
    /// Moments of the gradients.
    pub optimiser: Optimiser,
    /// Steps taken.
    pub step: u32,
    /// Best validation score so far.
    pub best: f64,
    /// Validations since then.
    pub stale: u32,
}

/// Why a checkpoint could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// LibTorch refused.
    #[error("checkpoint: {0}")]
    Torch(#[from] TchError),
    /// The file system refused.
    #[error("checkpoint: {0}")]
    File(#[from] std::io::Error),
    /// The file is of another network or run.
    #[error(
        "checkpoint: no tensor `{0}`: it belongs to another network or configuration; start a new folder"
    )]
    Missing(String),
}

impl State {
    /// A run before its first step.
    /// # Errors
    /// If LibTorch cannot allocate.
    pub fn new(params: Params) -> Result<Self, TchError> {
        let (average, optimiser) = (params.detached_copy()?, Optimiser::new(&params)?);
        Ok(Self { params, average, optimiser, step: 0, best: f64::NEG_INFINITY, stale: 0 })
    }

    /// Whether validation has not improved for as long as the configuration waits.
    pub const fn is_stale(&self, config: &Config) -> bool {
        self.stale >= config.patience
    }

    /// Writes everything to `path`, whole or not at all.
    /// # Errors
    /// [`CheckpointError`].
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let mut tensors = Vec::new();
        let mut add = |name: String, tensor: &Tensor| -> Result<(), TchError> {
            tensors.push((name, tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?));
            Ok(())
        };
        for (name, tensor) in self.params.iter() {
            add(format!("param.{name}"), tensor)?;
        }
        for (name, tensor) in self.average.iter() {
            add(format!("average.{name}"), tensor)?;
        }
        for (name, (mean, square)) in &self.optimiser.moments {
            add(format!("mean.{name}"), mean)?;
            add(format!("square.{name}"), square)?;
        }
        let counters = [f64::from(self.step), self.best, f64::from(self.stale)];
        add("counters".into(), &Tensor::f_from_slice(&counters)?)?;
        let part = path.with_extension("part");
        Tensor::write_safetensors(&tensors, &part)?;
        File::open(&part)?.sync_all()?;
        fs::rename(&part, path)?;
        Ok(())
    }

    /// Continues this fresh state from `path`.
    /// # Errors
    /// [`CheckpointError`]; the state is then not to be used.
    pub fn resume(&mut self, path: &Path) -> Result<(), CheckpointError> {
        let stored: BTreeMap<_, _> = Tensor::read_safetensors(path)?.into_iter().collect();
        let copy = |name: String, into: &Tensor| -> Result<(), CheckpointError> {
            let from = stored.get(&name).filter(|from| from.size() == into.size());
            let from = from.ok_or(CheckpointError::Missing(name))?;
            Ok(no_grad(|| into.shallow_clone().f_copy_(from))?)
        };
        for (name, tensor) in self.params.iter() {
            copy(format!("param.{name}"), tensor)?;
        }
        for (name, tensor) in self.average.iter() {
            copy(format!("average.{name}"), tensor)?;
        }
        for (name, (mean, square)) in &self.optimiser.moments {
            copy(format!("mean.{name}"), mean)?;
            copy(format!("square.{name}"), square)?;
        }
        let counters = Tensor::f_zeros([3], (tch::Kind::Double, Device::Cpu))?;
        copy("counters".into(), &counters)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "written from u32")]
        let count = |at: i64| -> Result<u32, TchError> { Ok(counters.f_double_value(&[at])? as u32) };
        (self.step, self.stale) = (count(0)?, count(2)?);
        self.best = counters.f_double_value(&[1])?;
        Ok(())
    }
}
