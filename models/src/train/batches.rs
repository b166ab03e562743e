//! Crops packed for the network, made ahead of it.

use super::{Config, Pool};
use crate::net::rgb_tensor;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;
use tch::{Device, Kind, TchError, Tensor};

/// Batches each thread makes ahead of the network.
const AHEAD: usize = 3;

/// The crops of one step.
pub(super) struct Batch {
    count: usize,
    side: u32,
    rgb: Vec<u8>,
    mask: Vec<u8>,
}

impl Batch {
    /// The crops that `pool` makes for each of `steps`.
    pub(super) fn of(pool: &Pool, config: &Config, steps: impl Iterator<Item = u32>) -> Self {
        let mut batch = Self { count: 0, side: config.crop_px, rgb: Vec::new(), mask: Vec::new() };
        for crop in steps.flat_map(|step| pool.batch(config, step)) {
            batch.count += 1;
            batch.rgb.extend(crop.bytes());
            batch.mask.extend(crop.mask);
        }
        batch
    }

    /// How many crops it holds.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Input `[n, 3, side, side]` in 0..=1 and class ids `[n, side, side]`.
    /// # Errors
    /// If LibTorch cannot allocate.
    pub(super) fn tensors(&self, device: Device) -> Result<(Tensor, Tensor), TchError> {
        let (count, side) = (i64::try_from(self.count).unwrap_or(i64::MAX), i64::from(self.side));
        let ids = Tensor::f_from_slice(&self.mask)?.f_to_device(device)?;
        let target = ids.f_view([count, side, side])?.f_to_kind(Kind::Int64)?;
        Ok((rgb_tensor(&self.rgb, count, side, side, device)?, target))
    }
}

/// The batches of the steps from `first` on, made by the pool's threads in turn, handed out in order.
pub(super) struct Batches {
    /// One per thread; each sends every so manieth step.
    makers: Vec<Receiver<Batch>>,
    next: usize,
}

impl Batches {
    /// Starts the threads; they end with the last step or when this is dropped.
    pub(super) fn start<'scope, 'env>(
        scope: &'scope Scope<'scope, 'env>,
        pool: &'env Pool,
        config: &'env Config,
        first: u32,
    ) -> Self {
        let stride = pool.threads();
        let start = |offset: usize| {
            let (sender, made) = sync_channel(AHEAD);
            scope.spawn(move || {
                for step in (first..config.steps).skip(offset).step_by(stride) {
                    if sender.send(Batch::of(pool, config, std::iter::once(step))).is_err() {
                        return; // the other side stopped
                    }
                }
            });
            made
        };
        Self { makers: (0..stride).map(start).collect(), next: 0 }
    }
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let batch = self.makers[self.next].recv().ok();
        self.next = (self.next + 1) % self.makers.len();
        batch
    }
}
