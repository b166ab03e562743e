//! `AdamW` whose whole state can be stored, and the running mean of the weights.

use crate::net::Params;
use std::collections::BTreeMap;
use tch::{TchError, Tensor, no_grad};

const MOMENTUM: f64 = 0.9;
const SCALE_MOMENTUM: f64 = 0.999;
const EPSILON: f64 = 1e-8;
/// Gradients longer than this are shortened to it: one odd crop does not undo a hundred steps.
const MAX_GRADIENT: f64 = 5.;

/// What a step of a bias is measured in.
const BIAS_UNIT: f64 = 0.1;
/// A channel that is nearly dead steps as one of this share of its layer's size.
const LEAST_UNIT: f64 = 0.1;

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

    /// One step down the gradients, which are cleared. `pace` says how fast a parameter learns and how many steps
    /// it has learnt already. Returns the gradient's length; by one that is no number nothing is moved.
    /// # Errors
    /// If LibTorch refuses.
    pub fn step(
        &mut self,
        params: &Params,
        pace: impl Fn(&str) -> (f64, u32),
        decay: f64,
    ) -> Result<f64, TchError> {
        no_grad(|| {
            let mut squares = Vec::new();
            let mut trained = Vec::new();
            for (name, param) in params.iter().filter(|(_, param)| param.requires_grad()) {
                let gradient = param.f_grad()?;
                if gradient.defined() {
                    squares.push(gradient.f_square()?.f_sum(tch::Kind::Float)?);
                    trained.push((name, param, gradient));
                }
            }
            // Summed where they are: asking a GPU for each would wait for it hundreds of times.
            if squares.is_empty() {
                return Ok(0.);
            }
            let length = Tensor::f_stack(&squares, 0)?.f_sum(tch::Kind::Double)?.f_double_value(&[])?.sqrt();
            if !length.is_finite() {
                for (.., mut gradient) in trained {
                    drop(gradient.f_zero_()?);
                }
                return Ok(length);
            }
            let shorten = (MAX_GRADIENT / length.max(1e-12)).min(1.);
            for (name, param, mut gradient) in trained {
                let Some((mean, square)) = self.moments.get_mut(name) else { continue };
                let (rate, age) = pace(name);
                let time = f64::from(age) + 1.;
                let (first, second) = (1. - MOMENTUM.powf(time), 1. - SCALE_MOMENTUM.powf(time));
                let scaled = gradient.f_mul_scalar(shorten)?;
                *mean = mean.f_lerp(&scaled, 1. - MOMENTUM)?;
                *square = square.f_lerp(&scaled.f_square()?, 1. - SCALE_MOMENTUM)?;
                let spread = square.f_div_scalar(second)?.f_sqrt()?.f_add_scalar(EPSILON)?;
                let mut param = param.shallow_clone();
                let unit = unit(&param)?;
                if param.dim() > 1 {
                    drop(param.f_mul_scalar_(1. - rate * decay)?);
                }
                let direction = mean.f_div(&spread)?.f_mul(&unit)?;
                drop(param.f_sub_(&direction.f_mul_scalar(rate / first)?)?);
                drop(gradient.f_zero_()?);
            }
            Ok(length)
        })
    }
}

/// What a step of `param` is measured in: the root mean square of each output channel's weights, a constant for
/// biases. Where batch normalisation was folded in, channels differ a thousandfold in size; steps of one length
/// would wipe out what small channels know and leave large ones as they are. (Shazeer & Stern 2018, Adafactor,
/// section 8, per channel.)
fn unit(param: &Tensor) -> Result<Tensor, TchError> {
    if param.dim() < 2 {
        return Tensor::f_full_like(param, BIAS_UNIT);
    }
    let squares = param.f_square()?;
    let channel = squares.f_mean_dim([1_i64, 2, 3].as_slice(), true, tch::Kind::Float)?.f_sqrt()?;
    let layer = squares.f_mean(tch::Kind::Float)?.f_sqrt()?;
    channel.f_maximum(&layer.f_mul_scalar(LEAST_UNIT)?)
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
