//! The network behind the [`Segmenter`] trait, computed by LibTorch: what the ONNX file is held against.

use crate::net::{Params, STRIDE, TorchLayers, rgb_tensor, segment};
use image::RgbImage;
use kompas_vision::consensus::{Colours, Consensus, FieldMemory};
use kompas_vision::leaves;
use kompas_vision::light::Light;
use kompas_vision::normalise::{ZOOMS, resized, working_size};
use kompas_vision::scores::{ScoreMap, are_numbers, judged};
use kompas_vision::tiles::Tile;
use kompas_vision::{ClassMap, SegmentError, Segmenter};
use tch::{Device, TchError, Tensor, no_grad};

/// A [`Segmenter`] from the weights of a run.
pub struct TorchSegmenter {
    params: Params,
    id: String,
    zooms: &'static [f64],
    consensus: Consensus,
    fits_leaves: bool,
    corrects_light: bool,
    temperature: f64,
}

impl TorchSegmenter {
    /// With these weights, called `id` in records.
    pub fn new(params: Params, id: String) -> Self {
        Self {
            params,
            id,
            zooms: ZOOMS,
            consensus: Consensus::RELEASED,
            fits_leaves: true,
            corrects_light: true,
            temperature: 1.,
        }
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

    /// The same, haze and colour cast left as they are.
    #[must_use]
    pub fn without_light(self) -> Self {
        Self { corrects_light: false, ..self }
    }

    /// The same, so many times less sure: what a card says.
    #[must_use]
    pub fn with_temperature(self, temperature: f64) -> Self {
        Self { temperature, ..self }
    }

    /// Scores of a picture at every zoom, or smaller where its leaves are wide.
    /// # Errors
    /// If LibTorch refuses.
    pub fn look(&self, image: &RgbImage) -> Result<Looks, TchError> {
        let (width, height) = image.dimensions();
        let (w, h) = working_size(width, height);
        let working = resized(image, w, h);
        let light = if self.corrects_light { Light::of(&working) } else { Light::as_it_is(&working) };
        let scores = leaves::looks(
            self.zooms,
            |zoom| self.look_at(image, (w, h), zoom, light),
            |first, zooms| if self.fits_leaves { first.scores.zooms(zooms) } else { zooms.to_owned() },
        )?;
        Ok(Looks { width, height, scores })
    }

    fn look_at(
        &self,
        image: &RgbImage,
        (w, h): (u32, u32),
        zoom: f64,
        light: Light,
    ) -> Result<Look, TchError> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few thousand pixels")]
        let zoomed = |side: u32| (f64::from(side) * zoom).round().max(1.) as u32;
        let (w, h) = (zoomed(w), zoomed(h));
        let mut seen = resized(image, w, h);
        light.correct(&mut seen);
        let colours = Colours::of(&seen);
        light.expose(&mut seen);
        let scores = scores(&self.params, &seen)?;
        let row_length = w.next_multiple_of(STRIDE);
        let scores = scores.f_contiguous()?;
        let mut values = vec![0.; scores.numel()];
        let count = values.len();
        scores.f_copy_data(&mut values, count)?;
        if !are_numbers(&values) {
            return Err(TchError::Convert(
                "the network answers with what is no number: its weights are at fault".into(),
            ));
        }
        let mut map = ScoreMap::new(w, h);
        map.keep(&Tile { left: 0, top: 0, width: w, height: h, keep: [0, 0, w, h] }, &values, row_length);
        Ok(Look { scores: map, colours, zoom })
    }

    /// Class and confidence of every pixel, `offsets` added to the scores of the classes: the pixels of a plant agree and
    /// hear what the `field` has shown, and scores at every zoom, interpolated to the picture's size, are averaged.
    /// # Errors
    /// [`SegmentError::Empty`].
    pub fn judge(
        &self,
        looks: &Looks,
        offsets: [f32; 5],
        field: &mut FieldMemory,
    ) -> Result<ClassMap, SegmentError> {
        self.agreed(looks, offsets, field).judged(self.temperature)
    }

    /// The same before it is known how sure that is.
    pub fn agreed(&self, looks: &Looks, offsets: [f32; 5], field: &mut FieldMemory) -> Agreed {
        let maps = looks.scores.iter().map(|look| {
            let mut map = look.scores.clone();
            map.offset(offsets);
            map.agree(self.consensus, &look.colours, field.at(look.zoom));
            map
        });
        Agreed { width: looks.width, height: looks.height, maps: maps.collect() }
    }
}

/// Scores of a picture at every size after everything was heard.
pub struct Agreed {
    width: u32,
    height: u32,
    maps: Vec<ScoreMap>,
}

impl Agreed {
    /// Class and confidence of every pixel; a higher `temperature` is less sure, and changes no class.
    /// # Errors
    /// [`SegmentError::Empty`].
    pub fn judged(&self, temperature: f64) -> Result<ClassMap, SegmentError> {
        #[expect(clippy::cast_possible_truncation, reason = "near 1")]
        judged(&self.maps, self.width, self.height, temperature as f32)
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
    scores: ScoreMap,
    colours: Colours,
    /// Of the working size.
    zoom: f64,
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
