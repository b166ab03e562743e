//! Data sets, training, evaluation and export of the plant recognition model.
//!
//! ```text
//! data ─► scene ─► augment ─► train (net over tch) ─► checkpoint ─► onnx ─► card
//!                                   └── the same net::segment writes both ──┘
//! ```
//! Nothing here is needed to run a robot: the ONNX file and its card are the contract with `kompas-vision`.

pub mod adapt;
pub mod augment;
pub mod card;
pub mod components;
pub mod composites;
pub mod data;
pub mod evaluate;
pub mod gallery;
pub mod net;
pub mod onnx;
mod parallel;
pub mod through;
pub mod torch_segmenter;
pub mod train;

/// Names of the pixel classes by id, as they stand in reports and model cards.
pub const CLASS_NAMES: [&str; 5] = ["soil", "weed", "sugar_beet", "potato", "other_crop"];

/// Colours of the pixel classes by id in pictures: brown, red, green, blue, yellow.
pub const CLASS_COLOURS: [[u8; 3]; 5] =
    [[90, 60, 30], [230, 40, 40], [40, 200, 60], [40, 120, 255], [240, 220, 40]];
