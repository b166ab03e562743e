//! What the receiver says of the true pose: white noise, slow noise, and stretches without a fixed solution.

use super::config::{FixChange, GnssSim};
use super::stream::{Purpose, normal, stream};
use super::vehicle::{Trajectory, TrueMotion};
use crate::drivers::{Fix, FixQuality, FixSource};
use kompas_field::units::{Metres, MetresPerSecond, Radians, RadiansPerSecond, Seconds};
use kompas_field::{FieldPlane, Point2, RobotInstant, Stamped};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Code positions: per axis.
const SINGLE_SIGMA_M: f64 = 1.5;
/// A base station sends once a second.
const CORRECTION_S: f64 = 1.0;
/// Age of corrections when there are none to speak of.
const STALE_CORRECTION_S: f64 = 20.0;

/// No receiver claims less, also where no noise is drawn: an error of nought is no claim.
const LEAST_CLAIM_M: f64 = 0.001;

/// Slow noise on one axis: first-order Gauss–Markov with standard deviation 1.
#[derive(Debug, Clone, Copy)]
struct Slow(f64);

impl Slow {
    fn step(&mut self, keep: f64, rng: &mut ChaCha8Rng) {
        self.0 = keep * self.0 + (1.0 - keep * keep).sqrt() * normal(rng);
    }
}

/// The simulated receiver with odometry.
#[derive(Debug)]
pub struct SimGnss {
    drive: Arc<Trajectory>,
    plane: FieldPlane,
    settings: GnssSim,
    rng: ChaCha8Rng,
    /// East, north, heading.
    slow: [Slow; 3],
    /// Fixes since the route's beginning, whether given out or before the program's start.
    count: u64,
}

impl SimGnss {
    pub(super) fn new(drive: Arc<Trajectory>, plane: FieldPlane, settings: GnssSim, seed: u64) -> Self {
        let mut rng = stream(seed, Purpose::Gnss);
        let slow = std::array::from_fn(|_| Slow(normal(&mut rng)));
        let mut gnss = Self { drive, plane, settings, rng, slow, count: 0 };
        // The noise before a restart is drawn and dropped: the fixes after it are those of an unbroken run.
        while gnss.seconds() < gnss.drive.seconds_before_start() {
            gnss.draw();
        }
        gnss
    }

    fn seconds(&self) -> f64 {
        self.count as f64 / self.settings.rate_hz
    }

    /// The next fix's noise: east, north, heading, speed, turn rate in units of one standard deviation.
    fn draw(&mut self) -> [f64; 5] {
        let keep = (-1.0 / (self.settings.rate_hz * self.settings.slow_time_s)).exp();
        for slow in &mut self.slow {
            slow.step(keep, &mut self.rng);
        }
        self.count += 1;
        std::array::from_fn(|_| normal(&mut self.rng))
    }

    fn fix(&self, motion: &TrueMotion, white: [f64; 5]) -> Fix {
        let Self { settings, slow: [slow_east, slow_north, slow_heading], .. } = self;
        let (quality, shift_m) = solution_at(&settings.changes, motion.distance);
        let (white_m, slow_m) = match quality {
            FixQuality::Fixed => (settings.white_sigma_m, settings.slow_sigma_m),
            FixQuality::Float => (settings.white_sigma_m, settings.float_sigma_m),
            FixQuality::Single | FixQuality::None => (0.3, SINGLE_SIGMA_M),
        };
        let stray = |white: f64, slow: Slow| white * white_m + slow.0 * slow_m;
        let true_place = motion.pose.position;
        let place = Point2::new(
            true_place.x + shift_m[0] + stray(white[0], *slow_east),
            true_place.y + shift_m[1] + stray(white[1], *slow_north),
        );
        // Multipath bends the heading slowly; half of its error is slow.
        let heading_deg =
            settings.heading_sigma_deg * (white[2] + slow_heading.0) * std::f64::consts::FRAC_1_SQRT_2;
        let age = match quality {
            FixQuality::Fixed | FixQuality::Float => 0.2 + self.seconds() % CORRECTION_S,
            FixQuality::Single | FixQuality::None => STALE_CORRECTION_S,
        };
        Fix {
            place: if quality == FixQuality::None {
                self.plane.origin()
            } else {
                self.plane.to_geodetic(place)
            },
            heading: motion.pose.heading + Radians::new(heading_deg.to_radians()),
            quality,
            sigma: Metres::new(white_m.hypot(slow_m).max(LEAST_CLAIM_M)),
            correction_age: Seconds::new(age),
            speed: motion.wheel_speed + MetresPerSecond::new(white[3] * settings.speed_sigma_mps),
            turn_rate: motion.turn_rate
                + RadiansPerSecond::new((white[4] * settings.turn_rate_sigma_degps).to_radians()),
        }
    }
}

impl FixSource for SimGnss {
    fn fixes_until(&mut self, until: RobotInstant) -> Vec<Stamped<Fix>> {
        let mut fixes = Vec::new();
        loop {
            let after_start = self.seconds() - self.drive.seconds_before_start();
            let true_at = RobotInstant::START.after(Seconds::new(after_start));
            if true_at > until {
                return fixes;
            }
            let white = self.draw();
            fixes.push(Stamped::new(true_at, self.fix(&self.drive.at(true_at), white)));
        }
    }
}

/// What the receiver has at that place, and how far off it is.
fn solution_at(changes: &[FixChange], distance: Metres) -> (FixQuality, [f64; 2]) {
    let here = |change: &&FixChange| distance.get() >= change.from_m && distance.get() < change.until_m;
    changes
        .iter()
        .rfind(here)
        .map_or((FixQuality::Fixed, [0.0; 2]), |change| (change.quality, change.shift_m))
}

#[cfg(test)]
mod tests {
    use super::super::config::VehicleSim;
    use super::super::route::{Route, RouteLeg};
    use super::*;
    use kompas_field::Geodetic;

    fn gnss(settings: GnssSim, start_m: f64) -> (SimGnss, Arc<Trajectory>) {
        let points = [[0.0, 0.0], [2000.0, 0.0]].map(Point2::from).to_vec();
        let route = Route::new(&[RouteLeg { points, treating: true, reverse: false }]).unwrap();
        let drive = Arc::new(Trajectory::new(route, &VehicleSim::default(), 4, Metres::new(start_m)));
        let plane = FieldPlane::at(Geodetic::etrs89(52.87, 6.95)).unwrap();
        (SimGnss::new(Arc::clone(&drive), plane, settings, 4), drive)
    }

    fn error_m(fix: &Stamped<Fix>, drive: &Trajectory, plane: FieldPlane) -> [f64; 2] {
        let (said, is) = (plane.to_field(fix.value.place).unwrap(), drive.at(fix.true_at).pose.position);
        [said.x - is.x, said.y - is.y]
    }

    #[test]
    fn noise_has_the_stated_size_and_memory() {
        let settings = GnssSim { slow_time_s: 10.0, ..GnssSim::default() };
        let (mut gnss, drive) = gnss(settings.clone(), 0.0);
        let plane = gnss.plane;
        let fixes = gnss.fixes_until(RobotInstant::from_nanos(1_800_000_000_000));
        assert_eq!(fixes.len(), 36_001);
        let errors: Vec<f64> = fixes.iter().map(|fix| error_m(fix, &drive, plane)[0]).collect();
        let n = errors.len() as f64;
        let variance = errors.iter().map(|e| e * e).sum::<f64>() / n;
        let stated = settings.white_sigma_m.hypot(settings.slow_sigma_m);
        assert!((variance.sqrt() / stated - 1.0).abs() < 0.2, "{} {stated}", variance.sqrt());
        let lag = errors.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / n / variance;
        let expected = settings.slow_sigma_m.powi(2) / stated.powi(2);
        assert!((lag - expected).abs() < 0.1, "{lag} {expected}");
        assert!(fixes.iter().all(|fix| fix.value.sigma == Metres::new(stated)));
    }

    #[test]
    fn the_script_changes_the_quality() {
        let change = |from_m, until_m, quality| FixChange { from_m, until_m, quality, shift_m: [0.0; 2] };
        let changes = vec![change(20.0, 40.0, FixQuality::Float), change(40.0, 50.0, FixQuality::None)];
        let (mut gnss, drive) = gnss(GnssSim { changes, ..GnssSim::default() }, 0.0);
        for fix in gnss.fixes_until(drive.instant_at(Metres::new(80.0))) {
            let expected = match drive.at(fix.true_at).distance.get() {
                d if (20.0..40.0).contains(&d) => FixQuality::Float,
                d if (40.0..50.0).contains(&d) => FixQuality::None,
                _ => FixQuality::Fixed,
            };
            assert_eq!(fix.value.quality, expected);
        }
    }

    #[test]
    fn a_restart_hears_the_same_fixes_and_none_twice() {
        let (mut whole, drive) = gnss(GnssSim::default(), 0.0);
        let (mut rest, _) = gnss(GnssSim::default(), 500.0);
        let cut = drive.instant_at(Metres::new(500.0));
        let before = whole.fixes_until(cut).len();
        let [a, b] = [
            whole.fixes_until(cut.after(Seconds::new(5.0))),
            rest.fixes_until(RobotInstant::from_nanos(5_000_000_000)),
        ];
        assert!(before > 0 && a.len() >= 99);
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(&b) {
            assert!((a.value.place.lat_deg - b.value.place.lat_deg).abs() < 1e-10);
            assert!((a.value.speed - b.value.speed).abs().get() < 1e-6);
        }
    }
}
