//! `AdamW` whose whole state can be stored, and the running mean of the weights.

use crate::net::Params;
use std::collections::BTreeMap;
use tch::{TchError, Tensor, no_grad};

const MOMENTUM: f64 = 0.9;
const SCALE_MOMENTUM: f64 = 0.999;
const EPSILON: f64 = 1e-8;
/// Gradients longer than this are shortened to it: one odd crop does not undo a hundred steps.
const MAX_GRADIENT: f64 = 5.;

/// First and second moment per trained parameter.
pub struct Optimiser {
    /// Moments by parameter name.
    pub moments: BTreeMap<String, (Tensor, Tensor)>,
}

impl Optimiser {
    /// At rest.
    /// # Errors
    /// If LibTorch cannot allocate.
    pub fn new(params: &Params) -> Result<Self, TchError> {
        let trained = params.iter().filter(|(_, tensor)| tensor.requires_grad());
        let moments = trained
            .map(|(name, tensor)| {
                let tensor = tensor.f_detach()?;
                Ok((name.to_owned(), (tensor.f_zeros_like()?, tensor.f_zeros_like()?)))
            })
            .collect::<Result<_, TchError>>()?;
        Ok(Self { moments })
    }

    /// One step down the gradients, which are cleared. `step` counts from zero. Returns the gradient's length.
    /// # Errors
    /// If LibTorch refuses.
    pub fn step(
        &mut self,
        params: &Params,
        step: u32,
        rate: impl Fn(&str) -> f64,
        decay: f64,
    ) -> Result<f64, TchError> {
        no_grad(|| {
            let mut squares = 0.;
            let mut trained = Vec::new();
            for (name, param) in params.iter().filter(|(_, param)| param.requires_grad()) {
                let gradient = param.f_grad()?;
                if gradient.defined() {
                    squares += gradient.f_square()?.f_sum(tch::Kind::Float)?.f_double_value(&[])?;
                    trained.push((name, param, gradient));
                }
            }
            let length = squares.sqrt();
            let shorten = (MAX_GRADIENT / length.max(1e-12)).min(1.);
            let time = f64::from(step) + 1.;
            let (first, second) = (1. - MOMENTUM.powf(time), 1. - SCALE_MOMENTUM.powf(time));
            for (name, param, mut gradient) in trained {
                let Some((mean, square)) = self.moments.get_mut(name) else { continue };
                let scaled = gradient.f_mul_scalar(shorten)?;
                *mean = mean.f_lerp(&scaled, 1. - MOMENTUM)?;
                *square = square.f_lerp(&scaled.f_square()?, 1. - SCALE_MOMENTUM)?;
                let spread = square.f_div_scalar(second)?.f_sqrt()?.f_add_scalar(EPSILON)?;
                let rate = rate(name);
                let mut param = param.shallow_clone();
                if param.dim() > 1 {
                    drop(param.f_mul_scalar_(1. - rate * decay)?);
                }
                drop(param.f_sub_(&mean.f_div(&spread)?.f_mul_scalar(rate / first)?)?);
                drop(gradient.f_zero_()?);
            }
            Ok(length)
        })
    }
}

/// Moves `average` towards `params`. Early on it follows faster, so that it does not remember the start.
/// # Errors
/// If LibTorch refuses.
pub(super) fn follow(average: &Params, params: &Params, decay: f64, step: u32) -> Result<(), TchError> {
    let decay = decay.min((1. + f64::from(step)) / (10. + f64::from(step)));
    no_grad(|| {
        for ((_, average), (_, param)) in
            average.iter().zip(params.iter()).filter(|(_, (_, p))| p.requires_grad())
        {
            drop(average.shallow_clone().f_lerp_(param, 1. - decay)?);
        }
        Ok(())
    })
}
