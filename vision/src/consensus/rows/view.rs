//! Where a plant stands across the rows, in a picture that may have been taken at a slant.

/// How much smaller or larger the ground looks one shorter side of the picture further across the rows: a camera in a
/// hand is seldom level, and a drill's rows are seldom quite as far apart as each other. Slants along the rows, which
/// make them converge, brought nothing.
const SLANTS: [f32; 3] = [0.0, -0.4, 0.4];

/// A direction across the rows of a picture, and how the ground shrinks in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// Of the picture, in pixels.
    middle: (f32, f32),
    /// Unit vector.
    pub(super) across: (f32, f32),
    /// Per pixel.
    slant: f32,
}

impl View {
    /// Every way to look along `angle` (radians, from the picture's horizontal down) at a picture of this width and height
    /// in pixels; first as if it was taken from straight above.
    pub(super) fn along(angle: f32, (width, height): (f32, f32)) -> [Self; SLANTS.len()] {
        let (sin, cos) = angle.sin_cos();
        let middle = (width / 2.0, height / 2.0);
        SLANTS.map(|slant| Self { middle, across: (cos, sin), slant: slant / width.min(height) })
    }

    /// Whether the picture is taken for one from straight above.
    pub(super) fn is_level(&self) -> bool {
        self.slant == 0.0
    }

    /// The place of a point of the picture across the rows, in pixels from its middle, as it would be from straight above:
    /// what a projection does to points of a plane, in one dimension (Hartley & Zisserman 2004, *Multiple View
    /// Geometry*, section 2.5).
    pub(super) fn place(&self, x: f32, y: f32) -> f32 {
        let across = (x - self.middle.0) * self.across.0 + (y - self.middle.1) * self.across.1;
        // Beyond the horizon nothing has a place; only the ends of a long strip come near it.
        across / (1.0 + self.slant * across).max(0.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_straight_above_a_place_is_a_distance_and_at_a_slant_distances_grow_on_one_side() {
        let [level, nearer, farther] = View::along(0.0, (800.0, 600.0));
        assert!(level.is_level() && !nearer.is_level() && !farther.is_level());
        let places = |view: View| [100.0, 400.0, 700.0].map(|x| view.place(x, 77.0));
        let alike = |found: [f32; 3], wanted: [f32; 3]| {
            found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-3)
        };
        assert!(alike(places(level), [-300.0, 0.0, 300.0]));
        let [left, middle, right] = places(nearer);
        assert!(middle == 0.0 && right > 1.2 * 300.0 && -left < 300.0 / 1.15, "{left} {right}");
        assert!(alike(places(farther), [-right, 0.0, -left]));
        // Straight down instead of across.
        let [level, ..] = View::along(std::f32::consts::FRAC_PI_2, (800.0, 600.0));
        assert!((level.place(1.0, 500.0) - 200.0).abs() < 1e-3);
    }

    #[test]
    fn a_strip_longer_than_the_horizon_is_far_keeps_places_finite() {
        for view in View::along(0.0, (4000.0, 100.0)) {
            assert!([0.0, 2000.0, 4000.0].iter().all(|&x| view.place(x, 50.0).is_finite()));
        }
    }
}
