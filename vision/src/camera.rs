//! Pinhole camera with Brown–Conrady distortion, as mounted on the robot: pixel ⇄ flat ground.
//!
//! # Axes
//! Camera: x along columns, y down rows, z along the optical axis (`OpenCV`'s). Hanging level (all angles 0)
//! the optical axis points straight down and the top of the picture looks forward, so camera x is robot
//! right and camera y is robot back. Mounted: first the picture turns by `yaw_deg` about the optical axis
//! (counter-clockwise seen from above), then the axis tilts to the left by `roll_deg`, then forward by
//! `pitch_deg`.
//!
//! The ground is the plane z = 0 of the robot. A leaf at height p above it lands too far out, by
//! x · p / (H − p) for a camera at height H: use the stem.

use kompas_field::rig::CameraRig;
use kompas_field::units::Metres;
use kompas_field::{Point2, RobotFrame};
use nalgebra::{Rotation3, Vector3};

mod distortion;
pub use distortion::Distortion;

/// A camera that looks at the ground.
#[expect(clippy::struct_field_names, reason = "a transform is named target-from-source")]
#[derive(Debug, Clone, PartialEq)]
pub struct Camera {
    size_px: [u32; 2],
    focal_px: [f64; 2],
    centre_px: [f64; 2],
    distortion: Distortion,
    /// Columns: camera axes in the robot frame.
    robot_from_camera: Rotation3<f64>,
    /// The lens, above the ground.
    lens_m: Vector3<f64>,
}

impl Camera {
    /// As mounted.
    pub fn new(rig: &CameraRig) -> Self {
        let level = Rotation3::from_basis_unchecked(&[-Vector3::y(), -Vector3::x(), -Vector3::z()]);
        let yaw = Rotation3::from_axis_angle(&Vector3::z_axis(), rig.yaw_deg.to_radians());
        let roll = Rotation3::from_axis_angle(&Vector3::x_axis(), rig.roll_deg.to_radians());
        let pitch = Rotation3::from_axis_angle(&Vector3::y_axis(), -rig.pitch_deg.to_radians());
        Self {
            size_px: [rig.width_px, rig.height_px],
            focal_px: [rig.focal_x_px, rig.focal_y_px],
            centre_px: [rig.centre_x_px, rig.centre_y_px],
            distortion: Distortion::new(rig.distortion),
            robot_from_camera: pitch * roll * yaw * level,
            lens_m: Vector3::new(rig.forward_m, rig.left_m, rig.height_m),
        }
    }

    /// Columns and rows.
    pub const fn size_px(&self) -> [u32; 2] {
        self.size_px
    }

    /// The point under the lens.
    pub fn nadir(&self) -> Point2<RobotFrame> {
        Point2::new(self.lens_m.x, self.lens_m.y)
    }

    /// Of the lens above the ground.
    pub fn height(&self) -> Metres {
        Metres::new(self.lens_m.z)
    }

    /// Where the line of sight through `pixel` meets the ground. `None` at or above the horizon, and where
    /// the distortion model holds for no such pixel.
    pub fn ground_from_pixel(&self, pixel: [f64; 2]) -> Option<Point2<RobotFrame>> {
        let bent = [0, 1].map(|i| (pixel[i] - self.centre_px[i]) / self.focal_px[i]);
        let [x, y] = self.distortion.straight(bent)?;
        let ray = self.robot_from_camera * Vector3::new(x, y, 1.0);
        let reach = -self.lens_m.z / ray.z;
        let ground = self.lens_m + ray * reach;
        (ray.z < 0.0 && ground.x.is_finite() && ground.y.is_finite()).then(|| Point2::new(ground.x, ground.y))
    }

    /// Where a point on the ground appears; the pixel may lie outside the picture ([`Camera::sees`]). `None`
    /// behind the camera and where the distortion model folds back on itself.
    pub fn pixel_from_ground(&self, ground: Point2<RobotFrame>) -> Option<[f64; 2]> {
        let ray = self.robot_from_camera.inverse() * (Vector3::new(ground.x, ground.y, 0.0) - self.lens_m);
        if ray.z <= 0.0 {
            return None;
        }
        let bent = self.distortion.bent([ray.x / ray.z, ray.y / ray.z])?;
        let pixel = [0, 1].map(|i| bent[i] * self.focal_px[i] + self.centre_px[i]);
        pixel.iter().all(|c| c.is_finite()).then_some(pixel)
    }

    /// Whether `pixel` lies in the picture.
    pub fn sees(&self, pixel: [f64; 2]) -> bool {
        (0..2).all(|i| (0.0..=f64::from(self.size_px[i])).contains(&pixel[i]))
    }

    /// Ground area that one pixel covers, square metres; `None` where it does not meet the ground.
    pub fn pixel_area_m2(&self, pixel: [f64; 2]) -> Option<f64> {
        let at = |dx, dy| self.ground_from_pixel([pixel[0] + dx, pixel[1] + dy]);
        let (left, right, up, down) = (at(-0.5, 0.0)?, at(0.5, 0.0)?, at(0.0, -0.5)?, at(0.0, 0.5)?);
        let (across, along) = ([right.x - left.x, right.y - left.y], [down.x - up.x, down.y - up.y]);
        Some((across[0] * along[1] - across[1] * along[0]).abs())
    }

    /// Ground sampling distance: the side of a square with the area that one pixel covers, metres.
    pub fn gsd_m_at(&self, pixel: [f64; 2]) -> Option<f64> {
        self.pixel_area_m2(pixel).map(f64::sqrt)
    }

    /// The outline of the picture on the ground, `per_side` points on each side (at least 1), from the top
    /// left corner clockwise in the picture; not closed. `None` when a part of it sees no ground.
    pub fn footprint(&self, per_side: u32) -> Option<Vec<Point2<RobotFrame>>> {
        let [w, h] = self.size_px.map(f64::from);
        let corners = [[0.0, 0.0], [w, 0.0], [w, h], [0.0, h]];
        let per_side = per_side.max(1);
        let mut outline = Vec::with_capacity(4 * per_side as usize);
        for side in 0..4 {
            let (from, to) = (corners[side], corners[(side + 1) % 4]);
            for step in 0..per_side {
                let t = f64::from(step) / f64::from(per_side);
                outline.push(self.ground_from_pixel([0, 1].map(|i| from[i] + t * (to[i] - from[i])))?);
            }
        }
        Some(outline)
    }
}

#[cfg(test)]
mod tests;
