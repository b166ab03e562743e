//! Pixels in, tensors out.

use tch::{Device, Kind, TchError, Tensor};

/// Interleaved bytes as a `[n, 3, height, width]` tensor in 0..=1 on `device`.
/// # Errors
/// If the bytes are not that many.
pub fn rgb_tensor(
    bytes: &[u8],
    count: i64,
    height: i64,
    width: i64,
    device: Device,
) -> Result<Tensor, TchError> {
    let flat = Tensor::f_from_slice(bytes)?.f_to_device(device)?.f_view([count, height, width, 3])?;
    flat.f_permute([0, 3, 1, 2])?.f_to_kind(Kind::Float)?.f_div_scalar(255.)
}
