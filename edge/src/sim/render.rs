//! Pictures of the ground through the rig's camera model.
//!
//! Which ground a pixel sees does not change while the camera hangs where it hangs: it is computed once.
//! A picture is then: ground (soil tile or photographs), shadows, plants, light, noise.

use super::config::SimToml;
use super::ground::Ground;
use super::photos::PhotoCache;
use super::stream::{Purpose, normal, stream};
use super::wander::Wander;
use super::world::World;
use image::RgbImage;
use kompas_field::rig::CameraRig;
use kompas_field::units::{Metres, Seconds};
use kompas_field::{FieldFrame, Point2, Pose2, RobotFrame, Transform2};
use kompas_vision::Camera;
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

mod light;
mod plant;
mod tile;

use light::Light;

#[cfg(test)]
mod tests;

/// Pixels that see no ground.
const SKY: [u8; 3] = [200, 214, 226];

/// Draws what the camera sees.
pub struct Renderer {
    world: Arc<World>,
    camera: Camera,
    /// Ground in the robot frame per pixel, row by row; NaN where a pixel sees none.
    ground_m: Vec<[f32; 2]>,
    /// Side of the ground square under the middle pixel.
    gsd_m: f64,
    lens_height_m: f64,
    footprint: Vec<Point2<RobotFrame>>,
    light: Option<Light>,
    exposure: Wander,
    cache: Option<PhotoCache>,
    seed: u64,
}

impl Renderer {
    /// A renderer for the camera as mounted. `None` when its picture holds the horizon: then what is in view
    /// has no end.
    pub fn new(world: Arc<World>, rig: &CameraRig, settings: &SimToml) -> Option<Self> {
        let camera = Camera::new(rig);
        let footprint = camera.footprint(8)?;
        let gsd_m = camera.gsd_m_at([f64::from(rig.width_px) / 2.0, f64::from(rig.height_px) / 2.0])?;
        let mut ground_m = Vec::with_capacity(rig.width_px as usize * rig.height_px as usize);
        for row in 0..rig.height_px {
            for col in 0..rig.width_px {
                let pixel = [f64::from(col) + 0.5, f64::from(row) + 0.5];
                #[expect(clippy::cast_possible_truncation, reason = "metres around the robot")]
                let place =
                    camera.ground_from_pixel(pixel).map_or([f32::NAN; 2], |p| [p.x as f32, p.y as f32]);
                ground_m.push(place);
            }
        }
        let mut rng = stream(settings.seed, Purpose::Light);
        // Photographs bring their own light and noise: their pixels stay as they are.
        let light = settings
            .photos
            .is_none()
            .then(|| Light::new([rig.width_px, rig.height_px], settings.camera.noise_sigma, &mut rng));
        let exposure = Wander::new(&mut rng, settings.camera.exposure_sigma_share, 6.0);
        let cache = match (world.ground(), &settings.photos) {
            (Ground::Photos(ground), Some(photos)) => Some(PhotoCache::new(ground, photos.cache_mb, gsd_m)),
            _ => None,
        };
        let (seed, lens_height_m) = (settings.seed, rig.height_m);
        Some(Self { world, camera, ground_m, gsd_m, lens_height_m, footprint, light, exposure, cache, seed })
    }

    /// The camera model used.
    pub const fn camera(&self) -> &Camera {
        &self.camera
    }

    /// Outline of the picture on the ground, in the robot frame.
    pub fn footprint(&self) -> &[Point2<RobotFrame>] {
        &self.footprint
    }

    /// Outline of the picture on the ground from `pose`.
    pub fn footprint_at(&self, pose: &Pose2<FieldFrame>) -> Vec<Point2<FieldFrame>> {
        let field_from_robot = Transform2::<FieldFrame, RobotFrame>::at(pose);
        self.footprint.iter().map(|&point| &field_from_robot * point).collect()
    }

    /// The picture from `pose`. `number` seeds its noise, `time` since the route's beginning sets its light.
    pub fn render(&mut self, pose: &Pose2<FieldFrame>, number: u64, time: Seconds) -> RgbImage {
        let [width, height] = self.camera.size_px();
        let mut pixels = vec![0u8; self.ground_m.len() * 3];
        let world = Arc::clone(&self.world);
        match world.ground() {
            Ground::Drawn { soil, sprites } => {
                tile::paint(soil, pose, &self.ground_m, &mut pixels);
                let outline = self.footprint_at(pose);
                // A plant reaches into the picture from outside by its radius and shadow.
                let mut in_view: Vec<u32> = world.around(&outline, Metres::new(0.5)).collect();
                in_view.sort_unstable();
                plant::paint(self, &world, sprites, pose, &in_view, &mut pixels);
                if let Some(light) = &self.light {
                    let exposure = 1.0 + self.exposure.at(time.get());
                    let field_from_robot = Transform2::<FieldFrame, RobotFrame>::at(pose);
                    let brightness = |col: u32, row: u32| {
                        let pixel = self.ground_m[(row * width + col) as usize];
                        let here = &field_from_robot * Point2::new(f64::from(pixel[0]), f64::from(pixel[1]));
                        exposure * if here.is_finite() { soil.brightness(here) } else { 1.0 }
                    };
                    light.apply(&mut pixels, brightness, &mut self.noise_rng(number));
                }
            }
            Ground::Photos(photos) => {
                if let Some(cache) = &mut self.cache {
                    photos.paint(cache, pose, &self.ground_m, &mut pixels);
                }
            }
        }
        for (pixel, place) in pixels.chunks_exact_mut(3).zip(&self.ground_m) {
            if place[0].is_nan() {
                pixel.copy_from_slice(&SKY);
            }
        }
        // The buffer has the size by construction; an empty picture would be a bug to see, not to hide.
        RgbImage::from_raw(width, height, pixels).unwrap_or_default()
    }

    fn noise_rng(&self, number: u64) -> ChaCha8Rng {
        // Odd multiplier: different pictures get different seeds.
        stream(self.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15), Purpose::PictureNoise)
    }
}

/// A table of noise with standard deviation `sigma`, drawn from at random offsets.
fn noise_table(sigma: f64, len: usize, rng: &mut ChaCha8Rng) -> Vec<i16> {
    #[expect(clippy::cast_possible_truncation, reason = "a few grey levels")]
    let table = (0..len).map(|_| (normal(rng) * sigma).round() as i16).collect();
    table
}

/// A place in a table of `len` from which `wanted` values follow.
fn offset(len: usize, wanted: usize, rng: &mut ChaCha8Rng) -> usize {
    rng.random_range(0..len.saturating_sub(wanted).max(1))
}
