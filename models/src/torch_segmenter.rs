//! The network behind the [`Segmenter`] trait, computed by LibTorch: what the ONNX file is held against.

use crate::net::{Params, STRIDE, TorchLayers, rgb_tensor, segment};
use image::RgbImage;
use image::imageops::{FilterType, resize};
use kompas_vision::normalise::prepare;
use kompas_vision::{ClassMap, SegmentError, Segmenter};
use tch::{Kind, TchError, Tensor, no_grad};

/// A [`Segmenter`] from the weights of a run.
pub struct TorchSegmenter {
    params: Params,
    id: String,
}

impl TorchSegmenter {
    /// With these weights, called `id` in records.
    pub fn new(params: Params, id: String) -> Self {
        Self { params, id }
    }

    fn map(&self, image: &RgbImage) -> Result<(RgbImage, Vec<u8>, Vec<u8>), TchError> {
        let working = prepare(image);
        let (width, height) = working.dimensions();
        let scores = scores(&self.params, &working)?;
        let (confidence, class) = scores.f_softmax(1, Kind::Float)?.f_max_dim(1, false)?;
        let confidence = confidence.f_mul_scalar(255.)?.f_round()?;
        let bytes = |x: Tensor| -> Result<Vec<u8>, TchError> {
            let x = x.f_narrow(1, 0, height.into())?.f_narrow(2, 0, width.into())?;
            let x = x.f_to_kind(Kind::Uint8)?.f_contiguous()?;
            let mut out = vec![0; x.numel()];
            let count = out.len();
            x.f_copy_data_u8(&mut out, count)?;
            Ok(out)
        };
        Ok((working, bytes(class)?, bytes(confidence)?))
    }
}

/// Class scores of an image at working size, its sides padded to multiples of [`STRIDE`] by their last pixels.
/// # Errors
/// If LibTorch refuses.
pub fn scores(params: &Params, working: &RgbImage) -> Result<Tensor, TchError> {
    let (width, height) = working.dimensions();
    let missing = |length: u32| i64::from(length.next_multiple_of(STRIDE) - length);
    no_grad(|| {
        let x = rgb_tensor(working.as_raw(), 1, height.into(), width.into())?;
        let x = x.f_replication_pad2d([0, missing(width), 0, missing(height)])?;
        segment(&mut TorchLayers::new(params), &x)
    })
}

impl Segmenter for TorchSegmenter {
    fn id(&self) -> &str {
        &self.id
    }

    fn segment(&mut self, image: &RgbImage) -> Result<ClassMap, SegmentError> {
        let (width, height) = image.dimensions();
        if width == 0 || height == 0 {
            return Err(SegmentError::Empty { width, height });
        }
        let (working, class, confidence) = self
            .map(image)
            .map_err(|source| SegmentError::Inference { model: self.id.clone(), source: Box::new(source) })?;
        let (w, h) = working.dimensions();
        if (w, h) == (width, height) {
            return ClassMap::new(width, height, class, confidence);
        }
        let back = |bytes: Vec<u8>| {
            let small = image::GrayImage::from_raw(w, h, bytes).unwrap_or_default();
            resize(&small, width, height, FilterType::Nearest).into_raw()
        };
        ClassMap::new(width, height, back(class), back(confidence))
    }
}
