//! The network computed by LibTorch.

use super::{Activation, Conv, DEVIATION, Layers, MEAN, Params};
use tch::{Kind, TchError, Tensor};

/// Computes with the given parameters; gradients flow where the parameters ask for them.
pub struct TorchLayers<'a> {
    params: &'a Params,
    precision: Kind,
}

impl<'a> TorchLayers<'a> {
    /// In single precision.
    pub fn new(params: &'a Params) -> Self {
        Self { params, precision: Kind::Float }
    }

    /// Convolutions in `precision`, parameters and the result in single precision.
    pub fn in_precision(params: &'a Params, precision: Kind) -> Self {
        Self { params, precision }
    }
}

/// The same values with channels innermost, which LibTorch's convolutions are fastest on.
/// # Errors
/// If `x` does not have four dimensions.
pub(super) fn channels_last(x: &Tensor) -> Result<Tensor, TchError> {
    x.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])
}

impl Layers for TorchLayers<'_> {
    type Value = Tensor;
    type Error = TchError;

    fn standardise(&mut self, rgb: &Tensor) -> Result<Tensor, TchError> {
        let row =
            |values: [f32; 3]| Tensor::f_from_slice(&values)?.f_view([1, 3, 1, 1])?.f_to_device(rgb.device());
        let x = rgb.f_sub(&row(MEAN)?)?.f_mul(&row(DEVIATION.map(f32::recip))?)?;
        channels_last(&x)?.f_to_kind(self.precision)
    }

    fn conv(&mut self, name: &str, x: &Tensor, conv: Conv) -> Result<Tensor, TchError> {
        let (weight, bias) = self.params.conv(name)?;
        let (weight, bias) = (weight.f_to_kind(self.precision)?, bias.f_to_kind(self.precision)?);
        let (before, after) = conv.padding();
        let step = [conv.stride; 2];
        let y = if before == after {
            x.f_conv2d(&weight, Some(&bias), step, [before; 2], [1, 1], conv.groups)?
        } else {
            let padded = x.f_constant_pad_nd([before, after, before, after])?;
            padded.f_conv2d(&weight, Some(&bias), step, [0, 0], [1, 1], conv.groups)?
        };
        match conv.then {
            Activation::Linear => Ok(y),
            // Not `clamp`: its backward pass is not vectorised and took a fifth of a step.
            Activation::Relu6 => y.f_relu6(),
        }
    }

    fn add(&mut self, _: &str, a: &Tensor, b: &Tensor) -> Result<Tensor, TchError> {
        a.f_add(b)
    }

    fn double(&mut self, _: &str, x: &Tensor) -> Result<Tensor, TchError> {
        let (_, _, height, width) = x.size4()?;
        x.f_upsample_nearest2d([2 * height, 2 * width], 2., 2.)
    }

    fn double_smooth(&mut self, _: &str, x: &Tensor) -> Result<Tensor, TchError> {
        let (_, _, height, width) = x.size4()?;
        x.f_to_kind(Kind::Float)?.f_upsample_bilinear2d([2 * height, 2 * width], false, 2., 2.)
    }
}
