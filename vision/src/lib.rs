//! Camera frames to plants on the ground.
//!
//! ```text
//! RgbImage ─► usable ─► Segmenter (exg, onnx) ─► ClassMap ─► plants ─► Detection   pixels
//!                                                                         │ ground (camera + pose)
//!                                     Plant ◄─ tracking ◄─ GroundDetection ◄┘        metres in FieldFrame
//! ```
//!
//! Every stage is a pure function of its inputs or a value without clock, thread or file. No training, no
//! ROS, no network.
//!
//! Pixel coordinates: column, row; the middle of the first pixel is `[0.5, 0.5]`, the far corner of the
//! picture is `[width, height]`.

pub mod camera;
pub mod exg;
pub mod ground;
pub mod load;
pub mod metrics;
pub mod normalise;
pub mod onnx;
pub mod plants;
pub mod segment;
pub mod tiles;
pub mod tracking;
pub mod usable;

pub use camera::Camera;
pub use exg::ExcessGreen;
pub use ground::{GroundDetection, project};
pub use onnx::{OnnxOptions, OnnxSegmenter};
pub use plants::{Detection, PlantRules, find_plants};
pub use segment::{ClassMap, SegmentError, Segmenter};
pub use tracking::{Plant, Tracker, TrackerRules};
pub use usable::Unusable;
