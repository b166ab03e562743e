//! The one place that turns compass degrees into mathematics' radians and back.
//!
//! Outside (TOML, JSON, screens): degrees from north, clockwise. Inside: radians from east, counter-clockwise.

use crate::units::Radians;
use std::f64::consts::{FRAC_PI_2, PI, TAU};

/// Inside angle of a compass heading; in (−π, π].
pub fn from_compass_deg(heading_deg: f64) -> Radians {
    wrap(Radians::new(FRAC_PI_2 - heading_deg.to_radians()))
}

/// Compass heading of an inside angle; in [0, 360).
pub fn to_compass_deg(heading: Radians) -> f64 {
    let degrees = (FRAC_PI_2 - heading.get()).to_degrees().rem_euclid(360.0);
    if degrees >= 360.0 { 0.0 } else { degrees }
}

/// The same direction in (−π, π].
pub fn wrap(angle: Radians) -> Radians {
    let turned = angle.get().rem_euclid(TAU);
    Radians::new(if turned > PI { turned - TAU } else { turned })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_four_winds() {
        for (compass_deg, inside) in [(0.0, FRAC_PI_2), (90.0, 0.0), (180.0, -FRAC_PI_2), (270.0, PI)] {
            assert!((from_compass_deg(compass_deg).get() - inside).abs() < 1e-12, "{compass_deg}");
        }
    }

    proptest! {
        #[test]
        fn compass_round_trip(heading_deg in 0.0..360.0f64) {
            let back = to_compass_deg(from_compass_deg(heading_deg));
            let off = (back - heading_deg).abs();
            prop_assert!(off < 1e-9 || (360.0 - off) < 1e-9);
        }
    }
}
