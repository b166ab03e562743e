//! What turns a picture into plant classes per pixel.

use crate::consensus::FieldMemory;
use image::RgbImage;
use kompas_field::PlantClass;

/// Picture in, class per pixel out. Implementations are interchangeable: same input size, same ids, same
/// meaning of confidence.
pub trait Segmenter: Send {
    /// Names method and version in records, for example `exg-1` or `plants@sha256:…`.
    fn id(&self) -> &str;

    /// The class of every pixel of `image`, in a map of the same size. What earlier pictures of the same field have shown
    /// is heard, and this one is added to it (`field`; some segmenters neither hear nor add).
    ///
    /// # Errors
    /// [`SegmentError`] when no map can be made. A frame that carries nothing to see is not an error of
    /// the segmenter: [`crate::usable::unusable`] is asked first.
    fn segment_in(&mut self, image: &RgbImage, field: &mut FieldMemory) -> Result<ClassMap, SegmentError>;

    /// The class of every pixel of a picture of which nothing else is known.
    ///
    /// # Errors
    /// As [`Segmenter::segment_in`].
    fn segment(&mut self, image: &RgbImage) -> Result<ClassMap, SegmentError> {
        self.segment_in(image, &mut FieldMemory::default())
    }
}

/// Why no class map could be made.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// Nothing to look at.
    #[error("the picture has no pixels ({width}×{height}); a camera or file delivered an empty frame")]
    Empty {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The two halves of a map differ in size.
    #[error("a {width}×{height} map needs {expected} pixels; {got} came")]
    WrongLength {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
        /// Columns × rows.
        expected: usize,
        /// What came.
        got: usize,
    },
    /// The engine that runs the network failed.
    #[error("inference with {model} failed")]
    Inference {
        /// [`Segmenter::id`].
        model: String,
        /// The engine's own error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Class and confidence per pixel, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassMap {
    width: u32,
    height: u32,
    class_ids: Vec<u8>,
    confidence: Vec<u8>,
}

impl ClassMap {
    /// From ids ([`PlantClass::id`]; others are treated as [`PlantClass::IGNORE_ID`]) and confidences, 0 to
    /// 255 for 0 to 1, each row by row.
    ///
    /// # Errors
    /// [`SegmentError::Empty`] or [`SegmentError::WrongLength`].
    pub fn new(
        width: u32,
        height: u32,
        class_ids: Vec<u8>,
        confidence: Vec<u8>,
    ) -> Result<Self, SegmentError> {
        if width == 0 || height == 0 {
            return Err(SegmentError::Empty { width, height });
        }
        let expected = width as usize * height as usize;
        for got in [class_ids.len(), confidence.len()] {
            if got != expected {
                return Err(SegmentError::WrongLength { width, height, expected, got });
            }
        }
        Ok(Self { width, height, class_ids, confidence })
    }

    /// Columns.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Class ids, row by row.
    pub fn class_ids(&self) -> &[u8] {
        &self.class_ids
    }

    /// Confidence in the class, 0 to 255, row by row.
    pub fn confidence(&self) -> &[u8] {
        &self.confidence
    }

    /// Ids and confidences of one row.
    pub fn row(&self, row: u32) -> (&[u8], &[u8]) {
        let width = self.width as usize;
        let range = row as usize * width..(row as usize + 1) * width;
        (&self.class_ids[range.clone()], &self.confidence[range])
    }

    /// How many pixels carry `class`.
    pub fn count(&self, class: PlantClass) -> usize {
        self.class_ids.iter().map(|&id| usize::from(id == class.id())).sum()
    }

    /// The buffers, for the next frame to use again.
    pub fn into_parts(self) -> (Vec<u8>, Vec<u8>) {
        (self.class_ids, self.confidence)
    }
}
