//! A training run: crops in, checkpoints, event files and the best weights out.

mod batches;
mod checkpoint;
mod config;
mod events;
mod loss;
mod optimiser;
mod pool;

use batches::{Batch, Batches};
pub use checkpoint::{CheckpointError, State};
pub use config::{Config, ConfigError, Precision, Seedlings};
pub use events::Events;
pub use loss::loss;
pub use pool::{Pool, is_held_out};

use crate::evaluate::{iou, mean_plant_iou};
use crate::net::{MixedStyles, ParamError, Params, TorchLayers, condition, segment};
use crate::torch_segmenter::scores;
use image::RgbImage;
use kompas_field::PlantClass;
use kompas_vision::metrics::{Confusion, SizeMismatch};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tch::{Kind, TchError, Tensor};

/// Batches that a fresh decoder is fitted to before the first step.
const CONDITIONING_BATCHES: u32 = 4;

/// Why a run stopped early.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// LibTorch refused.
    #[error(transparent)]
    Torch(#[from] TchError),
    /// Parameters could not be read or written.
    #[error(transparent)]
    Params(#[from] ParamError),
    /// The state could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// An event file could not be written.
    #[error("event file: {0}")]
    Events(#[from] std::io::Error),
    /// A class map of the wrong size: a fault of ours.
    #[error(transparent)]
    Size(#[from] SizeMismatch),
    /// Nothing to learn from.
    #[error("no image of the configured sources is left to train on")]
    NoScenes,
    /// Loss or gradient is not a number any more; what was learnt until then stays.
    #[error(
        "step {step}: the loss is {loss}, its gradient {gradient} long: lower learning_rate, in a new folder"
    )]
    Diverged {
        /// Where.
        step: u32,
        /// What the loss became.
        loss: f64,
        /// The length of its gradient.
        gradient: f64,
    },
}

/// What a run tells while it goes.
pub trait Watch {
    /// After a step: its loss and gradient length.
    fn step(&mut self, step: u32, loss: f64, gradient: f64);
    /// After a validation.
    fn validated(&mut self, step: u32, score: f64, per_group: &BTreeMap<String, Confusion>);
}

/// Files of a run in its folder.
pub struct RunFiles {
    /// Whole state, for going on.
    pub checkpoint: PathBuf,
    /// Running mean of the weights at the best validation.
    pub best: PathBuf,
    /// Running mean of the weights at the last step.
    pub last: PathBuf,
    /// The same with the configured score offsets: what is exported. Of the best weights where validation ended the run.
    pub release: PathBuf,
}

impl RunFiles {
    /// Their names in `folder`.
    pub fn in_folder(folder: &Path) -> Self {
        let file = |name: &str| folder.join(name);
        Self {
            checkpoint: file("checkpoint.safetensors"),
            best: file("best.safetensors"),
            last: file("last.safetensors"),
            release: file("release.safetensors"),
        }
    }
}

/// Trains until the configured steps are done, and releases the weights of the last, or until validation has not improved
/// for `patience` validations, and releases those of the best. A run that has ended so stays as it is.
/// # Errors
/// [`TrainError`].
pub fn train(
    state: &mut State,
    pool: &Pool,
    config: &Config,
    files: &RunFiles,
    events: &mut Events,
    watch: &mut dyn Watch,
) -> Result<(), TrainError> {
    if pool.sizes().0 == 0 {
        return Err(TrainError::NoScenes);
    }
    if state.is_stale(config) {
        return release(state, config, files);
    }
    if state.step == 0 && config.condition_decoder {
        let batch = Batch::of(pool, config, (0..CONDITIONING_BATCHES).map(|i| u32::MAX - i));
        condition(&state.params, &batch.tensors(state.params.device())?.0)?;
    }
    let first = state.step;
    state.params.train_only(|name| config.trains_at(first, name))?;
    std::thread::scope(|scope| {
        for batch in Batches::start(scope, pool, config, first) {
            if state.step == config.decoder_first_steps {
                state.params.train_only(|name| config.trains(name))?;
            }
            step(state, &batch, config, events, watch)?;
            let done = state.step == config.steps;
            if state.step.is_multiple_of(config.validate_every) || done {
                validate(state, pool, config, files, events, watch)?;
            }
            let ends = done || state.is_stale(config);
            if state.step.is_multiple_of(config.checkpoint_every) || ends {
                state.write(&files.checkpoint)?;
                state.average.write(&files.last)?;
            }
            if ends {
                break;
            }
        }
        release(state, config, files)
    })
}

/// Writes what is released: of a run that got no better its best.
fn release(state: &State, config: &Config, files: &RunFiles) -> Result<(), TrainError> {
    let best = if state.is_stale(config) { Some(Params::read(&files.best)?) } else { None };
    let released = best.as_ref().unwrap_or(&state.average).with_score_offsets(&config.score_offsets)?;
    Ok(released.write(&files.release)?)
}

fn step(
    state: &mut State,
    batch: &Batch,
    config: &Config,
    events: &mut Events,
    watch: &mut dyn Watch,
) -> Result<(), TrainError> {
    let device = state.params.device();
    let (rgb, target) = batch.tensors(device)?;
    let mut layers = TorchLayers::in_precision(&state.params, config.precision.kind());
    // A stream of its own, far from those of the crops.
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    rng.set_stream(u64::MAX - u64::from(state.step));
    let scores = if rng.random::<f32>() < config.mix_share {
        segment(&mut MixedStyles::new(layers, batch.count(), &mut rng), &rgb)?
    } else {
        segment(&mut layers, &rgb)?
    };
    let weights = Tensor::f_from_slice(&config.class_weights)?.f_to_device(device)?;
    let loss = loss(&scores, &target, &weights, config.label_smoothing)?;
    loss.f_backward()?;
    let rate = config.rate_at(state.step);
    let pace = |name: &str| {
        if name.starts_with("encoder.") {
            (rate * config.encoder_rate_factor, state.step.saturating_sub(config.decoder_first_steps))
        } else {
            (rate, state.step)
        }
    };
    let gradient = state.optimiser.step(&state.params, pace, config.weight_decay)?;
    let loss = loss.f_double_value(&[])?;
    if !loss.is_finite() || !gradient.is_finite() {
        return Err(TrainError::Diverged { step: state.step + 1, loss, gradient });
    }
    optimiser::follow(&state.average, &state.params, config.ema_decay, state.step)?;
    state.step += 1;
    watch.step(state.step, loss, gradient);
    if state.step.is_multiple_of(10) {
        events.scalars(
            state.step,
            &[("train/loss", loss), ("train/gradient", gradient), ("train/rate", rate)],
        )?;
    }
    Ok(())
}

/// The most likely class of every pixel.
fn class_ids(params: &Params, rgb: &RgbImage) -> Result<Vec<u8>, TchError> {
    let classes = scores(params, rgb)?.f_argmax(1, false)?;
    let classes = classes.f_narrow(1, 0, rgb.height().into())?.f_narrow(2, 0, rgb.width().into())?;
    let classes = classes.f_to_kind(Kind::Uint8)?.f_contiguous()?;
    let mut ids = vec![0; classes.numel()];
    let count = ids.len();
    classes.f_copy_data_u8(&mut ids, count)?;
    Ok(ids)
}

fn validate(
    state: &mut State,
    pool: &Pool,
    config: &Config,
    files: &RunFiles,
    events: &mut Events,
    watch: &mut dyn Watch,
) -> Result<(), TrainError> {
    let mut per_source: BTreeMap<String, Confusion> = BTreeMap::new();
    for scene in &pool.validation {
        let map = class_ids(&state.average, &scene.rgb)?;
        let part = pool::validated_as(&scene.item, config);
        per_source.entry(part).or_default().add(&scene.mask, &map)?;
    }
    let scores: Vec<f64> = per_source.values().filter_map(mean_plant_iou).collect();
    if scores.is_empty() {
        return state.average.write(&files.best).map_err(Into::into); // nothing to choose by: the latest
    }
    let score = scores.iter().sum::<f64>() / scores.len() as f64;
    let mut scalars = vec![("validation/score".to_owned(), score)];
    for (source, confusion) in &per_source {
        for (class, name) in PlantClass::ALL.into_iter().zip(crate::CLASS_NAMES) {
            scalars.extend(iou(confusion, class).map(|iou| (format!("validation/{source}/{name}"), iou)));
        }
    }
    let scalars: Vec<_> = scalars.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    events.scalars(state.step, &scalars)?;
    watch.validated(state.step, score, &per_source);
    if score > state.best {
        (state.best, state.stale) = (score, 0);
        state.average.write(&files.best)?;
    } else {
        state.stale += 1;
    }
    Ok(())
}
