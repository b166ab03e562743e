//! What finds plants, at the size at which it should see a picture.

use super::SetupError;
use crate::config::{Look, SegmenterChoice};
use crate::eyes::gsd_m;
use kompas_field::rig::CameraRig;
use kompas_vision::consensus::Consensus;
use kompas_vision::normalise::{GROUND_M, MAX_SIDE};
use kompas_vision::onnx::{OnnxOptions, OnnxSegmenter, Scale, find_library};
use kompas_vision::{Camera, ExcessGreen, Segmenter};

/// A frame 1280 px wide keeps its own pixels: working size shrinks it to 1024.
const ONE_SIZE: &[f64] = &[1.25];

/// A tile of a drone's photograph keeps its own pixels at working size, where the tiles of 128 px that the network learnt
/// potatoes from are doubled. With an earlier model: at half that size potato 0.804 and weed 0.633 instead of 0.885 and 0.687, and
/// at these two 0.868 and 0.673 (models/README.md). Where leaves are wide they are looked at smaller.
const FROM_THE_AIR: &[f64] = &[1.5, 2.0];

/// As much ground per pixel as in training, but never smaller than by the picture's own size: a camera so near is there
/// for seedlings, and where leaves are wide they are looked at smaller anyway. Never more than a frame may cost.
fn by_ground(rig: &CameraRig) -> Scale {
    let picture_m = gsd_m(&Camera::new(rig), rig);
    let long = f64::from(rig.width_px.max(rig.height_px).max(1));
    let own = f64::from(MAX_SIDE) / long;
    let scale = (picture_m / GROUND_M).clamp(own, 2.0 * own);
    Scale::ByGsd { picture_m, wanted_m: picture_m / scale }
}

/// Tilted by more, rows that are evenly spaced on the ground are not in the picture.
const LEVEL_DEG: f64 = 5.0;

fn hangs_level(camera: &CameraRig) -> bool {
    camera.pitch_deg.abs().max(camera.roll_deg.abs()) <= LEVEL_DEG
}

/// What finds plants, ready to look at a picture of `camera`; without one, at tiles of photographs from the air, whatever
/// [`Look`] is chosen but [`Look::OneSize`].
///
/// # Errors
/// [`SetupError::Model`], [`SetupError::NoOnnxRuntime`].
pub fn open_segmenter(
    choice: &SegmenterChoice,
    camera: Option<&CameraRig>,
) -> Result<Box<dyn Segmenter>, SetupError> {
    match choice {
        SegmenterChoice::ExcessGreen => Ok(Box::new(ExcessGreen::default())),
        SegmenterChoice::Onnx { model, library, provider, threads, look } => {
            let library = library.clone().or_else(find_library).ok_or(SetupError::NoOnnxRuntime)?;
            let mut options =
                OnnxOptions { provider: *provider, threads: *threads, ..OnnxOptions::new(library) };
            if camera.is_some_and(hangs_level) {
                options.consensus = Consensus::LEVEL;
            }
            match (look, camera) {
                (Look::OneSize, _) => options.zooms = ONE_SIZE,
                (Look::Ground, Some(rig)) => {
                    options.scale = by_ground(rig);
                    options.zooms = &[1.0];
                }
                (Look::SeveralSizes | Look::Ground, None) => options.zooms = FROM_THE_AIR,
                (Look::SeveralSizes, Some(_)) => {}
            }
            Ok(Box::new(OnnxSegmenter::load(model, options)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels the network sees per pixel of a camera that looks straight down from `height_m`.
    fn seen(height_m: f64) -> f64 {
        let rig = CameraRig {
            width_px: 1280,
            height_px: 960,
            focal_x_px: 640.0,
            focal_y_px: 640.0,
            centre_x_px: 640.0,
            centre_y_px: 480.0,
            distortion: [0.0; 5],
            height_m,
            forward_m: 1.0,
            left_m: 0.0,
            pitch_deg: 0.0,
            roll_deg: 0.0,
            yaw_deg: 0.0,
        };
        let Scale::ByGsd { picture_m, wanted_m } = by_ground(&rig) else { return f64::NAN };
        assert!((picture_m - height_m / 640.0).abs() < 1e-6, "{picture_m}");
        picture_m / wanted_m
    }

    #[test]
    fn a_far_camera_is_brought_to_the_ground_of_training_and_bounds_hold() {
        assert!((seen(1.6) - 0.0025 / 0.001_75).abs() < 1e-6, "2.5 mm a pixel");
        assert!((seen(0.1) - 0.8).abs() < 1e-6, "not smaller than 1024 px across");
        assert!((seen(150.0) - 1.6).abs() < 1e-6, "not larger than 2048 px across");
    }
}
