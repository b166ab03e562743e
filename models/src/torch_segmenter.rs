//! The network behind the [`Segmenter`] trait, computed by LibTorch: what the ONNX file is held against.

use crate::net::{CLASSES, Params, STRIDE, TorchLayers, rgb_tensor, segment};
use image::RgbImage;
use kompas_vision::consensus::{self, Colours, Consensus, FieldMemory};
use kompas_vision::leaves;
use kompas_vision::normalise::{Exposure, ZOOMS, resized, working_size};
use kompas_vision::{ClassMap, SegmentError, Segmenter};
use tch::{Device, Kind, TchError, Tensor, no_grad};

/// A [`Segmenter`] from the weights of a run.
pub struct TorchSegmenter {
    params: Params,
    id: String,
    zooms: &'static [f64],
    consensus: Consensus,
    fits_leaves: bool,
}

impl TorchSegmenter {
    /// With these weights, called `id` in records.
    pub fn new(params: Params, id: String) -> Self {
        Self { params, id, zooms: ZOOMS, consensus: Consensus::RELEASED, fits_leaves: true }
    }

    /// The same, looking at pictures at these multiples of their working size.
    #[must_use]
    pub fn with_zooms(self, zooms: &'static [f64]) -> Self {
        Self { zooms, ..self }
    }

    /// The same, with this counting beside a pixel's own scores.
    #[must_use]
    pub fn with_consensus(self, consensus: Consensus) -> Self {
        Self { consensus, ..self }
    }

    /// The same, scaled by the picture's size alone, however wide its leaves are.
    #[must_use]
    pub fn without_fit(self) -> Self {
        Self { fits_leaves: false, ..self }
    }

    /// Scores of a picture at every zoom, or smaller where its leaves are wide.
    /// # Errors
    /// If LibTorch refuses.
    pub fn look(&self, image: &RgbImage) -> Result<Looks, TchError> {
        let (width, height) = image.dimensions();
        let (w, h) = working_size(width, height);
        let exposure = Exposure::of(&resized(image, w, h));
        let scores = leaves::looks(
            self.zooms,
            |zoom| self.look_at(image, (w, h), zoom, exposure),
            |Look { scores, width, height, .. }, zooms| {
                if self.fits_leaves {
                    leaves::zooms(scores, *width as usize, *height as usize, zooms)
                } else {
                    zooms.to_owned()
                }
            },
        )?;
        Ok(Looks { width, height, scores })
    }

    fn look_at(
        &self,
        image: &RgbImage,
        (w, h): (u32, u32),
        zoom: f64,
        exposure: Exposure,
    ) -> Result<Look, TchError> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand pixels")]
        let zoomed = |side: u32| (f64::from(side) * zoom).round().max(1.) as u32;
        let (w, h) = (zoomed(w), zoomed(h));
        let mut seen = resized(image, w, h);
        let colours = Colours::of(&seen);
        exposure.apply(&mut seen);
        let scores = scores(&self.params, &seen)?;
        let scores = scores.f_narrow(2, 0, h.into())?.f_narrow(3, 0, w.into())?.f_contiguous()?;
        let mut values = vec![0.; scores.numel()];
        let count = values.len();
        scores.f_copy_data(&mut values, count)?;
        Ok(Look { scores: values, width: w, height: h, colours, zoom })
    }

    /// Class and confidence of every pixel, `offsets` added to the scores of the classes: the pixels of a plant agree and
    /// hear what the `field` has shown, and scores at every zoom, interpolated to the picture's size, are averaged.
    /// # Errors
    /// If LibTorch refuses.
    pub fn judge(
        &self,
        looks: &Looks,
        offsets: [f32; 5],
        field: &mut FieldMemory,
    ) -> Result<ClassMap, SegmentError> {
        let failed = |source| SegmentError::Inference { model: self.id.clone(), source: Box::new(source) };
        let (class, confidence) = looks.classes(offsets, self.consensus, field).map_err(failed)?;
        ClassMap::new(looks.width, looks.height, class, confidence)
    }
}

/// Scores of a picture at every size it was looked at.
pub struct Looks {
    width: u32,
    height: u32,
    scores: Vec<Look>,
}

/// A picture at one size.
struct Look {
    /// Five planes.
    scores: Vec<f32>,
    width: u32,
    height: u32,
    colours: Colours,
    /// Of the working size.
    zoom: f64,
}

impl Looks {
    fn classes(
        &self,
        offsets: [f32; 5],
        rules: Consensus,
        field: &mut FieldMemory,
    ) -> Result<(Vec<u8>, Vec<u8>), TchError> {
        let mut sum: Option<Tensor> = None;
        for Look { scores, width: w, height: h, colours, zoom } in &self.scores {
            let mut values = scores.clone();
            let pixels = values.len() / offsets.len();
            for (plane, offset) in values.chunks_exact_mut(pixels).zip(offsets) {
                for score in plane {
                    *score += offset;
                }
            }
            consensus::agree(&mut values, *w as usize, *h as usize, rules, colours, field.at(*zoom));
            let scores = Tensor::f_from_slice(&values)?.f_view([1, CLASSES, i64::from(*h), i64::from(*w)])?;
            let size = [i64::from(self.height), i64::from(self.width)];
            let scores = scores.f_upsample_bilinear2d(size, false, None, None)?;
            sum = Some(match sum {
                None => scores,
                Some(sum) => sum.f_add(&scores)?,
            });
        }
        let sum = sum.ok_or_else(|| TchError::Convert("no zoom to look at".into()))?;
        let mean = sum.f_div_scalar(self.scores.len() as f64)?;
        let (confidence, class) = mean.f_softmax(1, Kind::Float)?.f_max_dim(1, false)?;
        let confidence = confidence.f_mul_scalar(255.)?.f_round()?;
        let bytes = |x: Tensor| -> Result<Vec<u8>, TchError> {
            let x = x.f_to_kind(Kind::Uint8)?.f_contiguous()?;
            let mut out = vec![0; x.numel()];
            let count = out.len();
            x.f_copy_data_u8(&mut out, count)?;
            Ok(out)
        };
        Ok((bytes(class)?, bytes(confidence)?))
    }
}

/// Class scores of an image at working size, its sides padded to multiples of [`STRIDE`] by their last pixels.
/// # Errors
/// If LibTorch refuses.
pub fn scores(params: &Params, working: &RgbImage) -> Result<Tensor, TchError> {
    let (width, height) = working.dimensions();
    let missing = |length: u32| i64::from(length.next_multiple_of(STRIDE) - length);
    no_grad(|| {
        let x = rgb_tensor(working.as_raw(), 1, height.into(), width.into(), params.device())?;
        let x = x.f_replication_pad2d([0, missing(width), 0, missing(height)])?;
        segment(&mut TorchLayers::new(params), &x)?.f_to_device(Device::Cpu)
    })
}

impl Segmenter for TorchSegmenter {
    fn id(&self) -> &str {
        &self.id
    }

    fn segment_in(&mut self, image: &RgbImage, field: &mut FieldMemory) -> Result<ClassMap, SegmentError> {
        let (width, height) = image.dimensions();
        if width == 0 || height == 0 {
            return Err(SegmentError::Empty { width, height });
        }
        let looks = self
            .look(image)
            .map_err(|source| SegmentError::Inference { model: self.id.clone(), source: Box::new(source) })?;
        self.judge(&looks, [0.; 5], field)
    }
}
