//! Camera frames to plants on the ground.
//!
//! ```text
//! RgbImage ─► usable ─► Segmenter (exg, onnx) ─► ClassMap ─► plants ─► Detection   pixels
//!                                                                         │ ground (camera + pose)
//!                                     Plant ◄─ tracking ◄─ GroundDetection ◄┘        metres in FieldFrame
//! ```
//!
//! ```
//! use kompas_field::rig::CameraRig;
//! use kompas_field::units::{Metres, Radians};
//! use kompas_field::{PlantClass, Point2, Pose2, RobotInstant};
//! use kompas_vision::{Camera, ExcessGreen, PlantRules, Segmenter, Tracker, TrackerRules, find_plants, project};
//!
//! // A camera 0.8 m above the ground sees 0.8 mm per pixel; a leaf of 40 px radius right in its middle.
//! let camera = Camera::new(&CameraRig {
//!     width_px: 640, height_px: 480, focal_x_px: 1000.0, focal_y_px: 1000.0, centre_x_px: 320.0, centre_y_px: 240.0,
//!     distortion: [0.0; 5], height_m: 0.8, forward_m: 1.0, left_m: 0.0, pitch_deg: 0.0, roll_deg: 0.0, yaw_deg: 0.0,
//! });
//! let frame = image::RgbImage::from_fn(640, 480, |x, y| {
//!     let leaf = x.abs_diff(320).pow(2) + y.abs_diff(240).pow(2) < 40 * 40;
//!     image::Rgb(if leaf { [60, 130, 50] } else { [130, 110, 90] })
//! });
//!
//! let map = ExcessGreen::default().segment(&frame)?;
//! let plants = find_plants(&map, &PlantRules::at_gsd(0.0008));
//! let north = Pose2::new(Point2::new(10.0, 20.0), Radians::new(std::f64::consts::FRAC_PI_2));
//! let seen = project(&plants, &camera, &north, Metres::new(0.01));
//! let mut tracker = Tracker::new(TrackerRules::default());
//! tracker.update(RobotInstant::START, &seen);
//!
//! let weed = &tracker.plants()[0];
//! assert_eq!(weed.class(), PlantClass::Weed);
//! assert!(weed.position.distance(Point2::new(10.0, 21.0)).get() < 0.001);
//! assert!((weed.area_cm2 - 32.2).abs() < 2.0);
//! # Ok::<(), kompas_vision::SegmentError>(())
//! ```
//!
//! Every stage is a pure function of its inputs or a value without clock, thread or file. No training, no
//! ROS, no network.
//!
//! Pixel coordinates: column, row; the middle of the first pixel is `[0.5, 0.5]`, the far corner of the
//! picture is `[width, height]`.

pub mod camera;
pub mod consensus;
pub mod exg;
pub mod ground;
pub mod leaves;
pub mod light;
pub mod load;
pub mod metrics;
pub mod normalise;
pub mod onnx;
pub mod plants;
pub mod scores;
pub mod segment;
pub mod stitch;
pub mod tiles;
pub mod tracking;
pub mod usable;

pub use camera::Camera;
pub use consensus::FieldMemory;
pub use exg::ExcessGreen;
pub use ground::{GroundDetection, Leaf, project};
pub use onnx::{OnnxOptions, OnnxSegmenter};
pub use plants::{Detection, PlantRules, find_plants};
pub use segment::{ClassMap, SegmentError, Segmenter};
pub use stitch::segment_in_tiles;
pub use tracking::{Plant, Tracker, TrackerRules};
pub use usable::Unusable;
