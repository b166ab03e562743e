//! Which range each value of the network takes on real images: what static quantisation is made from.

use crate::net::{Conv, Layers, Params, TorchLayers, segment};
use std::collections::BTreeMap;
use tch::{Kind, TchError, Tensor, no_grad};

/// How a value maps to 8 bits: `value = (byte - zero) × scale`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Step between neighbouring bytes.
    pub scale: f32,
    /// The byte that is zero.
    pub zero: u8,
}

impl Range {
    /// The finest step that covers `low..=high` and zero.
    fn covering(low: f64, high: f64) -> Self {
        let (low, high) = (low.min(0.), high.max(0.));
        let scale = ((high - low) / 255.).max(1e-9);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..=255")]
        let zero = (-low / scale).round().clamp(0., 255.) as u8;
        #[expect(clippy::cast_possible_truncation, reason = "single precision is what the file holds")]
        let scale = scale as f32;
        Self { scale, zero }
    }
}

/// Sums over images of the smallest and the largest value, and how many images, by value name. The mean over
/// images is what counts: one odd image does not coarsen the steps of all others.
#[derive(Debug, Default)]
pub struct Calibration {
    seen: BTreeMap<String, (f64, f64, u32)>,
}

/// Room beyond the mean extremes, so that an image somewhat beyond the mean is not clipped.
const MARGIN: f64 = 1.05;

impl Calibration {
    /// Runs one image, `rgb` (`[1, 3, h, w]` in 0..=1), through the network and notes the range of every value.
    /// # Errors
    /// If LibTorch refuses.
    pub fn observe(&mut self, params: &Params, rgb: &Tensor) -> Result<(), TchError> {
        let mut layers = Recording { inner: TorchLayers::new(params), seen: &mut self.seen };
        no_grad(|| segment(&mut layers, rgb)).map(drop)
    }

    /// The range of a value that never exceeds `limit`.
    /// # Errors
    /// If it was never observed.
    pub fn range(&self, name: &str, limit: f64) -> Result<Range, TchError> {
        let seen = self.seen.get(name);
        let (low, high, images) =
            *seen.ok_or_else(|| TchError::Convert(format!("`{name}` was not calibrated")))?;
        let share = MARGIN / f64::from(images);
        Ok(Range::covering(low * share, (high * share).min(limit)))
    }
}

/// Computes like [`TorchLayers`] and adds up the extremes of every value.
struct Recording<'a> {
    inner: TorchLayers<'a>,
    seen: &'a mut BTreeMap<String, (f64, f64, u32)>,
}

impl Recording<'_> {
    fn note(&mut self, name: &str, value: Tensor) -> Result<Tensor, TchError> {
        let (low, high) = value.f_aminmax(None, false)?;
        let extreme = |x: Tensor| x.f_to_kind(Kind::Double)?.f_double_value(&[]);
        let (low, high) = (extreme(low)?, extreme(high)?);
        let seen = self.seen.entry(name.to_owned()).or_default();
        *seen = (seen.0 + low, seen.1 + high, seen.2 + 1);
        Ok(value)
    }
}

impl Layers for Recording<'_> {
    type Value = Tensor;
    type Error = TchError;

    fn standardise(&mut self, rgb: &Tensor) -> Result<Tensor, TchError> {
        let value = self.inner.standardise(rgb)?;
        self.note("standardised", value)
    }

    fn conv(&mut self, name: &str, x: &Tensor, conv: Conv) -> Result<Tensor, TchError> {
        let value = self.inner.conv(name, x, conv)?;
        self.note(name, value)
    }

    fn add(&mut self, name: &str, a: &Tensor, b: &Tensor) -> Result<Tensor, TchError> {
        let value = self.inner.add(name, a, b)?;
        self.note(name, value)
    }

    fn double(&mut self, name: &str, x: &Tensor) -> Result<Tensor, TchError> {
        let value = self.inner.double(name, x)?;
        self.note(name, value)
    }

    fn double_smooth(&mut self, name: &str, x: &Tensor) -> Result<Tensor, TchError> {
        self.inner.double_smooth(name, x)
    }
}
