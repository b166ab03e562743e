//! Training with the colours and textures of other crops.

use super::{Conv, Layers, TorchLayers, torch::channels_last};
use rand::{Rng, RngExt, seq::SliceRandom};
use tch::{Kind, TchError, Tensor};

/// Early layers after which features still tell camera, light and soil rather than plants.
const AFTER: [&str; 2] = ["encoder.block0.project", "encoder.block2"];

/// Computes like [`TorchLayers`], but gives every crop of the batch, per channel, a mean and a spread on the way
/// to those of another: the network learns what does not depend on them. (Zhou et al. 2021, `MixStyle`; shares are
/// drawn evenly here, theirs from a beta distribution.)
pub struct MixedStyles<'a> {
    inner: TorchLayers<'a>,
    order: Vec<i64>,
    shares: Vec<f32>,
}

impl<'a> MixedStyles<'a> {
    /// For a batch of `count` crops.
    pub fn new(inner: TorchLayers<'a>, count: usize, rng: &mut impl Rng) -> Self {
        let mut order: Vec<i64> = (0..).take(count).collect();
        order.shuffle(rng);
        let shares = (0..count).map(|_| rng.random_range(0.0..0.6)).collect();
        Self { inner, order, shares }
    }

    fn mixed(&self, name: &str, x: Tensor) -> Result<Tensor, TchError> {
        if !AFTER.contains(&name) {
            return Ok(x);
        }
        let kind = x.kind();
        let x = x.f_to_kind(Kind::Float)?;
        let places = [2_i64, 3];
        let mean = x.f_mean_dim(places.as_slice(), true, Kind::Float)?;
        let spread = x.f_std_dim(places.as_slice(), false, true)?.f_add_scalar(1e-4)?;
        let order = Tensor::f_from_slice(&self.order)?.f_to_device(x.device())?;
        let share = Tensor::f_from_slice(&self.shares)?.f_to_device(x.device())?.f_view([-1, 1, 1, 1])?;
        let towards = |own: &Tensor| {
            let other = own.f_index_select(0, &order)?;
            own.f_add(&other.f_sub(own)?.f_mul(&share)?)
        };
        let (new_mean, new_spread) = (towards(&mean)?, towards(&spread)?);
        let mixed = x.f_sub(&mean)?.f_mul(&new_spread.f_div(&spread)?)?.f_add(&new_mean)?;
        channels_last(&mixed)?.f_to_kind(kind)
    }
}

impl Layers for MixedStyles<'_> {
    type Value = Tensor;
    type Error = TchError;

    fn standardise(&mut self, rgb: &Tensor) -> Result<Tensor, TchError> {
        self.inner.standardise(rgb)
    }

    fn conv(&mut self, name: &str, x: &Tensor, conv: Conv) -> Result<Tensor, TchError> {
        let y = self.inner.conv(name, x, conv)?;
        self.mixed(name, y)
    }

    fn add(&mut self, name: &str, a: &Tensor, b: &Tensor) -> Result<Tensor, TchError> {
        let sum = self.inner.add(name, a, b)?;
        self.mixed(name, sum)
    }

    fn double(&mut self, name: &str, x: &Tensor) -> Result<Tensor, TchError> {
        self.inner.double(name, x)
    }

    fn double_smooth(&mut self, name: &str, x: &Tensor) -> Result<Tensor, TchError> {
        self.inner.double_smooth(name, x)
    }
}
