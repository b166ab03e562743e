//! Class maps by LibTorch, for validation while training and for parity with the ONNX file.

use super::{Params, STRIDE, TorchLayers, segment};
use image::{GrayImage, RgbImage};
use tch::{Kind, TchError, Tensor, no_grad};

/// Bytes as a `[n, 3, side, side]` tensor in 0..=1.
/// # Errors
/// If the bytes are not that many.
pub fn rgb_tensor(bytes: &[u8], count: i64, height: i64, width: i64) -> Result<Tensor, TchError> {
    let flat = Tensor::f_from_slice(bytes)?.f_view([count, height, width, 3])?;
    flat.f_permute([0, 3, 1, 2])?.f_to_kind(Kind::Float)?.f_div_scalar(255.)
}

/// The most likely class of every pixel of an image at working size. Sides are padded to multiples of
/// [`STRIDE`] by repeating the border.
/// # Errors
/// If LibTorch refuses.
pub fn class_map(params: &Params, rgb: &RgbImage) -> Result<GrayImage, TchError> {
    let (width, height) = rgb.dimensions();
    let side = |length: u32| i64::from(length);
    let missing = |length: u32| side(length.next_multiple_of(STRIDE) - length);
    let scores = no_grad(|| {
        let x = rgb_tensor(rgb.as_raw(), 1, side(height), side(width))?;
        let x = x.f_replication_pad2d([0, missing(width), 0, missing(height)])?;
        segment(&mut TorchLayers::new(params), &x)
    })?;
    let classes = scores.f_argmax(1, false)?.f_narrow(1, 0, side(height))?.f_narrow(2, 0, side(width))?;
    let classes = classes.f_to_kind(Kind::Uint8)?.f_contiguous()?;
    let mut map = GrayImage::new(width, height);
    let count = map.as_raw().len();
    classes.f_copy_data_u8(&mut map, count)?;
    Ok(map)
}
