//! Where a plant stands across the rows, in a picture that may have been taken at a slant.

/// By what share the ground looks larger (below zero: smaller) than in the picture's middle, one shorter side of the
/// picture further across the rows; distances between rows change by its square. A camera in a hand is seldom level, and
/// a drill's rows are seldom quite as far apart as each other. Slants along the rows, which make them converge, brought
/// nothing.
const SLANTS: [f32; 3] = [0.0, -0.4, 0.4];

/// A direction across the rows of a picture, and how the ground shrinks in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// Middle of the picture, in pixels.
    middle: (f32, f32),
    /// Unit vector across the rows.
    pub(super) across: (f32, f32),
    /// One of [`SLANTS`], per pixel.
    slant: f32,
}

impl View {
    /// The views in which rows lie across `angle` (radians, from the picture's horizontal down), in a picture of this width
    /// and height in pixels: first as if it were taken from straight above.
    pub(super) fn across(angle: f32, (width, height): (f32, f32)) -> [Self; SLANTS.len()] {
        let (sin, cos) = angle.sin_cos();
        let middle = (width / 2.0, height / 2.0);
        SLANTS.map(|slant| Self { middle, across: (cos, sin), slant: slant / width.min(height) })
    }

    /// Whether it assumes a picture from straight above.
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
        let [level, one_way, the_other] = View::across(0.0, (800.0, 600.0));
        assert!(level.is_level() && !one_way.is_level() && !the_other.is_level());
        let places = |view: View| [100.0, 400.0, 700.0].map(|x| view.place(x, 77.0));
        let alike = |found: [f32; 3], wanted: [f32; 3]| {
            found.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-3)
        };
        assert!(alike(places(level), [-300.0, 0.0, 300.0]));
        let [left, middle, right] = places(one_way);
        assert!(middle == 0.0 && right > 1.2 * 300.0 && -left < 300.0 / 1.15, "{left} {right}");
        assert!(alike(places(the_other), [-right, 0.0, -left]));
        // Straight down instead of across.
        let [level, ..] = View::across(std::f32::consts::FRAC_PI_2, (800.0, 600.0));
        assert!((level.place(1.0, 500.0) - 200.0).abs() < 1e-3);
    }

    #[test]
    fn on_a_strip_that_reaches_beyond_the_horizon_places_keep_their_order() {
        for view in View::across(0.0, (4000.0, 100.0)) {
            let places: Vec<f32> = (0..=100_u16).map(|i| view.place(f32::from(i) * 40.0, 50.0)).collect();
            assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
        }
    }
}
