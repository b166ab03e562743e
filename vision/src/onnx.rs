//! The network behind the [`Segmenter`] trait, run by ONNX Runtime.
//!
//! Picture → working size ([`crate::normalise`]) and light ([`crate::light`]), at every zoom → tiles of multiples of 32 px →
//! scores per class, averaged over the zooms at the picture's own size → class and confidence.
//!
//! A model is refused at load, by name of the fault, unless its card is there, names the file with its hash
//! and lists the classes in our order, and the network takes one image and gives one map of it.

use crate::consensus::{Colours, Consensus, FieldMemory};
use crate::leaves;
use crate::light::Light;
use crate::normalise;
use crate::scores::{ScoreMap, are_numbers, judged};
use crate::segment::{ClassMap, SegmentError, Segmenter};
use crate::stitch::stitched;
use crate::tiles::{Tile, tiles};
use image::RgbImage;
use kompas_field::Digest;
use std::path::{Path, PathBuf};

mod card;
mod engine;
mod planes;

pub use card::{CLASS_NAMES, ModelCard, ModelFile, card_path};
pub use engine::{Engine, EngineError, Provider};

/// Sides of what the network sees are multiples of this.
const STRIDE: u32 = 32;
/// Seen twice by neighbouring tiles; more than half of what the network looks at around a pixel.
const OVERLAP_PX: u32 = 96;
/// A picture that the network would see longer than this is judged part by part: bounds memory.
const PART_PX: u32 = 2048;

/// How a network is run.
#[derive(Debug, Clone, PartialEq)]
pub struct OnnxOptions {
    /// `libonnxruntime.so`; [`find_library`] knows the usual places.
    pub library: PathBuf,
    /// What computes it.
    pub provider: Provider,
    /// Threads per inference; one, and several robots' workers, beats several.
    pub threads: usize,
    /// Longest side of a tile, rounded down to a multiple of 32, at least 128. Bounds memory: a tile of
    /// 1280 × 1280 needs about 1 GB with a small network.
    pub tile_px: u32,
    /// How the picture is scaled before the network sees it.
    pub scale: Scale,
    /// Sizes it is looked at, as multiples of that scale; the scores are averaged. What the first shows decides about
    /// the others ([`leaves::zooms`]), except with [`Scale::BySize`].
    pub zooms: &'static [f64],
    /// What counts beside a pixel's own scores.
    pub consensus: Consensus,
    /// Whether haze and colour cast are taken off a picture ([`crate::light`]).
    pub corrects_light: bool,
}

/// How a picture is scaled before the network sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// By the picture's size, as in training ([`normalise::working_size`]), and smaller where leaves are wider than
    /// any the network has learnt from ([`leaves::zooms`]).
    ByLeaves,
    /// By the picture's size alone.
    BySize,
    /// From the picture's ground sampling distance to the one wanted, both in metres per pixel; smaller where leaves are
    /// too wide.
    ByGsd {
        /// Of the picture.
        picture_m: f64,
        /// That the network should see.
        wanted_m: f64,
    },
}

impl OnnxOptions {
    /// On the processor, one thread, scaled as in training.
    pub const fn new(library: PathBuf) -> Self {
        let scale = Scale::ByLeaves;
        Self {
            library,
            provider: Provider::Cpu,
            threads: 1,
            tile_px: 1280,
            scale,
            zooms: normalise::ZOOMS,
            consensus: Consensus::RELEASED,
            corrects_light: true,
        }
    }
}

/// `libonnxruntime.so` beside the program, in `lib` beside it, or in `vendor/onnxruntime` of a folder above
/// it or above the current one (a build from the repository).
pub fn find_library() -> Option<PathBuf> {
    let program = std::env::current_exe().ok();
    let beside = program.as_deref().and_then(Path::parent);
    let near = beside.into_iter().flat_map(|folder| [folder.to_owned(), folder.join("lib")]);
    let current = std::env::current_dir().ok();
    let starts = [beside, current.as_deref()];
    let above = starts.into_iter().flatten().flat_map(|start| start.ancestors());
    let vendored = above.map(|folder| folder.join("vendor/onnxruntime"));
    near.chain(vendored).map(|folder| folder.join("libonnxruntime.so")).find(|path| path.is_file())
}

/// Why a model may not run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The model file cannot be read.
    #[error("cannot read the model {}", path.display())]
    NoModel {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// No card, no use.
    #[error("cannot read the model card {}: a model without its card is not used", path.display())]
    NoCard {
        /// Where the card should be.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The card is no card.
    #[error("{} is not a model card", path.display())]
    BadCard {
        /// The file.
        path: PathBuf,
        /// Where it is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The card is of other files.
    #[error("the card beside {} does not name it; it names {known:?}", model.display())]
    NotOnCard {
        /// The file.
        model: PathBuf,
        /// What the card names.
        known: Vec<String>,
    },
    /// The file is not the one the card was written for.
    #[error("{} has SHA-256 {found}, its card says {wanted}: the file is damaged or replaced; fetch it again", model.display())]
    WrongHash {
        /// The file.
        model: PathBuf,
        /// Of its bytes.
        found: Digest,
        /// On the card.
        wanted: Digest,
    },
    /// Its planes mean something else.
    #[error("{} has the classes {found:?} ({who}); ours are {CLASS_NAMES:?}, in this order", model.display())]
    WrongClasses {
        /// The file.
        model: PathBuf,
        /// Card or file.
        who: &'static str,
        /// In its order.
        found: Vec<String>,
    },
    /// Nothing can be divided by it.
    #[error(
        "the card's temperature is {0}: it is a positive number, near 1; take the card that came with the model"
    )]
    BadTemperature(f64),
    /// The engine refuses.
    #[error("the model cannot be run")]
    Engine(#[from] EngineError),
}

/// A [`Segmenter`] from an ONNX file and its card.
pub struct OnnxSegmenter {
    engine: Engine,
    id: String,
    temperature: f32,
    options: OnnxOptions,
    /// The planes of one tile.
    planes: Vec<f32>,
}

impl OnnxSegmenter {
    /// Loads `model` with the card beside it, and runs it once on a small picture.
    ///
    /// # Errors
    /// [`ModelError`] names what is wrong.
    pub fn load(model: &Path, options: OnnxOptions) -> Result<Self, ModelError> {
        let bytes =
            std::fs::read(model).map_err(|source| ModelError::NoModel { path: model.to_owned(), source })?;
        let card = ModelCard::read(&card_path(model))?;
        let digest = card.admit(model, &bytes)?;
        let engine = Engine::load(&options.library, options.provider, options.threads, model, &bytes)?;
        if let Some(classes) = engine.classes() {
            card::check_classes(model, "the file itself", &classes.split(',').collect::<Vec<_>>())?;
        }
        let id = format!("{}@sha256:{}", card.name, digest.short());
        #[expect(clippy::cast_possible_truncation, reason = "a temperature near 1")]
        let temperature = card.temperature as f32;
        let mut segmenter = Self { engine, id, temperature, options, planes: Vec::new() };
        let probe = RgbImage::from_fn(64, 96, |x, y| image::Rgb([x, y, x ^ y].map(|v| v.to_le_bytes()[0])));
        let whole = Tile { left: 0, top: 0, width: 64, height: 96, keep: [0, 0, 64, 96] };
        segmenter.score(&probe, &whole, |shape, _| shape.to_vec()).map_err(ModelError::Engine).and_then(
            |shape| {
                let fits = shape == [1, 5, 96, 64];
                let found = format!("a picture of 96 × 64 gives {shape:?}");
                let refusal = || EngineError::Shape { model: model.to_owned(), found };
                if fits { Ok(()) } else { Err(refusal().into()) }
            },
        )?;
        Ok(segmenter)
    }

    /// Runs the network on one tile of a prepared picture; sides grow to multiples of 32 by repeating the
    /// last pixels.
    fn score<T>(
        &mut self,
        prepared: &RgbImage,
        tile: &Tile,
        read: impl FnOnce(&[i64], &[f32]) -> T,
    ) -> Result<T, EngineError> {
        let size = [tile.height.next_multiple_of(STRIDE), tile.width.next_multiple_of(STRIDE)];
        planes::planes(prepared, tile, size, &mut self.planes);
        let read = |shape: &[i64], scores: &[f32]| are_numbers(scores).then(|| read(shape, scores));
        self.engine.run(&self.planes, size.map(|side| side as usize), read)?.ok_or(EngineError::NotANumber)
    }

    /// Pixels the network sees per pixel of the picture, across and down, before zooming.
    fn scale(&self, width: u32, height: u32) -> [f64; 2] {
        match self.options.scale {
            Scale::ByLeaves | Scale::BySize => {
                let (w, h) = normalise::working_size(width, height);
                [f64::from(w) / f64::from(width), f64::from(h) / f64::from(height)]
            }
            Scale::ByGsd { picture_m, wanted_m } => [picture_m / wanted_m; 2],
        }
    }

    fn paint(&mut self, image: &RgbImage, field: &mut FieldMemory) -> Result<ClassMap, SegmentError> {
        let (width, height) = image.dimensions();
        let scale = self.scale(width, height);
        let light = {
            let (w, h) = normalise::working_size(width, height);
            let working = normalise::resized(image, w, h);
            if self.options.corrects_light { Light::of(&working) } else { Light::as_it_is(&working) }
        };
        let native = |working_px: u32| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
            let px = (f64::from(working_px) / scale[0].min(scale[1])).ceil() as u32;
            px.max(1)
        };
        let parts = tiles(width, height, native(PART_PX), native(OVERLAP_PX));
        stitched(image, &parts, |_| true, |region| self.part(region, scale, light, field))
    }

    /// The class map of a part of a picture.
    fn part(
        &mut self,
        image: &RgbImage,
        scale: [f64; 2],
        light: Light,
        field: &mut FieldMemory,
    ) -> Result<ClassMap, SegmentError> {
        let fitted = self.options.scale != Scale::BySize;
        let looks = leaves::looks(
            self.options.zooms,
            |zoom| Ok((self.look(image, scale.map(|scale| scale * zoom), light)?, zoom)),
            |((first, _), _), zooms| if fitted { first.zooms(zooms) } else { zooms.to_owned() },
        )?;
        let maps = looks.into_iter().map(|((mut map, colours), zoom)| {
            map.agree(self.options.consensus, &colours, field.at(zoom));
            map
        });
        let (width, height) = image.dimensions();
        judged(&maps.collect::<Vec<_>>(), width, height, self.temperature)
    }

    /// What the network says of a picture seen `scale` times as large, across and down, and its colours.
    fn look(
        &mut self,
        image: &RgbImage,
        scale: [f64; 2],
        light: Light,
    ) -> Result<(ScoreMap, Colours), SegmentError> {
        let side = (self.options.tile_px / STRIDE * STRIDE).max(4 * STRIDE);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let scaled = |side: u32, scale: f64| (f64::from(side) * scale).round().clamp(1.0, 40_000.0) as u32;
        let (w, h) = (scaled(image.width(), scale[0]), scaled(image.height(), scale[1]));
        let mut prepared = normalise::resized(image, w, h);
        light.correct(&mut prepared);
        let colours = Colours::of(&prepared);
        light.expose(&mut prepared);
        let mut map = ScoreMap::new(w, h);
        for tile in tiles(w, h, side, OVERLAP_PX) {
            let kept = self.score(&prepared, &tile, |_, scores| {
                map.keep(&tile, scores, tile.width.next_multiple_of(STRIDE));
            });
            kept.map_err(|source| SegmentError::Inference {
                model: self.id.clone(),
                source: Box::new(source),
            })?;
        }
        Ok((map, colours))
    }
}

impl Segmenter for OnnxSegmenter {
    fn id(&self) -> &str {
        &self.id
    }

    fn segment_in(&mut self, image: &RgbImage, field: &mut FieldMemory) -> Result<ClassMap, SegmentError> {
        let (width, height) = image.dimensions();
        if width == 0 || height == 0 {
            return Err(SegmentError::Empty { width, height });
        }
        self.paint(image, field)
    }
}
