//! A start for the decoder from which it learns at once.

use super::{Activation, Conv, Layers, Params, TorchLayers, segment};
use tch::{TchError, Tensor, no_grad};

/// Rescales every convolution of the decoder, per channel, so that on `rgb` (`[n, 3, h, w]` in 0..=1) its
/// sums have mean zero and variance one; what batch normalisation does at its first step, folded in. The
/// encoder's features differ in size a hundredfold, and so would what the decoder makes of them.
/// # Errors
/// If LibTorch refuses.
pub fn condition(params: &Params, rgb: &Tensor) -> Result<(), TchError> {
    no_grad(|| segment(&mut Conditioning { inner: TorchLayers::new(params), params }, rgb)).map(drop)
}

struct Conditioning<'a> {
    inner: TorchLayers<'a>,
    params: &'a Params,
}

impl Layers for Conditioning<'_> {
    type Value = Tensor;
    type Error = TchError;

    fn standardise(&mut self, rgb: &Tensor) -> Result<Tensor, TchError> {
        self.inner.standardise(rgb)
    }

    fn conv(&mut self, name: &str, x: &Tensor, conv: Conv) -> Result<Tensor, TchError> {
        if !name.starts_with("decoder.") {
            return self.inner.conv(name, x, conv);
        }
        let sums = self.inner.conv(name, x, Conv { then: Activation::Linear, ..conv })?;
        let channels = [0_i64, 2, 3];
        let mean = sums.f_mean_dim(channels.as_slice(), false, tch::Kind::Float)?;
        let spread = sums.f_std_dim(channels.as_slice(), false, false)?.f_clamp_min(1e-3)?;
        let (weight, bias) = self.params.conv(name)?;
        drop(weight.shallow_clone().f_div_(&spread.f_view([-1, 1, 1, 1])?)?);
        drop(bias.shallow_clone().f_sub_(&mean)?.f_div_(&spread)?);
        self.inner.conv(name, x, conv)
    }

    fn add(&mut self, name: &str, a: &Tensor, b: &Tensor) -> Result<Tensor, TchError> {
        self.inner.add(name, a, b)
    }

    fn double(&mut self, name: &str, x: &Tensor) -> Result<Tensor, TchError> {
        self.inner.double(name, x)
    }

    fn double_smooth(&mut self, name: &str, x: &Tensor) -> Result<Tensor, TchError> {
        self.inner.double_smooth(name, x)
    }
}
