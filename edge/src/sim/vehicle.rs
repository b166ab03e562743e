//! Where the robot truly is at any moment: the route, driven at a speed that wavers, beside the path by a
//! steering error, with wheels that slip.

use super::config::VehicleSim;
use super::route::Route;
use super::stream::{Purpose, stream};
use super::wander::Wander;
use kompas_field::frame::heading::wrap;
use kompas_field::units::{Metres, MetresPerSecond, Radians, RadiansPerSecond, Seconds};
use kompas_field::{FieldFrame, Pose2, RobotInstant};

/// Speed is constant over this much path.
const STEP_M: f64 = 0.05;
/// Steering, speed and slip change over about this much path.
const WANDER_M: f64 = 8.0;

/// A turn is measured over twice this.
const NEAR_M: f64 = 0.02;

/// What is true of the robot at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrueMotion {
    /// The point under the antenna.
    pub pose: Pose2<FieldFrame>,
    /// Over ground; negative in reverse.
    pub speed: MetresPerSecond,
    /// What the wheels say of it.
    pub wheel_speed: MetresPerSecond,
    /// Counter-clockwise.
    pub turn_rate: RadiansPerSecond,
    /// Path behind it, from the route's beginning.
    pub distance: Metres,
}

/// A drive: pose by time, time by path distance. Before the start and after the end the robot stands.
#[derive(Debug, Clone)]
pub struct Trajectory {
    route: Route,
    /// Seconds from the route's beginning to `i` · [`STEP_M`]; strictly increasing.
    time_s: Vec<f64>,
    /// Seconds from the route's beginning to [`RobotInstant::START`].
    start_s: f64,
    cross_track: Wander,
    slip: Wander,
}

impl Trajectory {
    /// The drive along `route`; the program starts when `start` of the path lies behind the robot. Where the
    /// robot is at a place of the path does not depend on `start`.
    pub fn new(route: Route, settings: &VehicleSim, seed: u64, start: Metres) -> Self {
        let mut rng = stream(seed, Purpose::Drive);
        let cross_track = Wander::new(&mut rng, settings.cross_track_sigma_m, WANDER_M);
        let slip = Wander::new(&mut rng, settings.slip_sigma_share, WANDER_M);
        let waver = Wander::new(&mut rng, settings.speed_sigma_share, WANDER_M);
        let mut time_s = Vec::with_capacity(step_count(&route) + 1);
        let mut now = 0.0;
        time_s.push(now);
        for (i, speed) in speeds(&route, settings).into_iter().enumerate() {
            // Three standard deviations of the widest setting leave 40 % of the speed: it never stands.
            let factor = (1.0 + waver.at(i as f64 * STEP_M)).max(0.2);
            now += STEP_M / (speed * factor);
            time_s.push(now);
        }
        let mut drive = Self { route, time_s, start_s: 0.0, cross_track, slip };
        drive.start_s = drive.seconds_to(start);
        drive
    }

    /// What is driven.
    pub const fn route(&self) -> &Route {
        &self.route
    }

    fn seconds_to(&self, distance: Metres) -> f64 {
        let at = (distance.get().clamp(0.0, self.route.length().get())) / STEP_M;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the path")]
        let i = (at as usize).min(self.time_s.len() - 2);
        self.time_s[i] + (self.time_s[i + 1] - self.time_s[i]) * (at - i as f64)
    }

    /// When the robot passes `distance`; the start of the program for what lies behind it then.
    pub fn instant_at(&self, distance: Metres) -> RobotInstant {
        RobotInstant::START.after(Seconds::new((self.seconds_to(distance) - self.start_s).max(0.0)))
    }

    /// Seconds of driving before the program's start.
    pub(super) const fn seconds_before_start(&self) -> f64 {
        self.start_s
    }

    /// What is true at `now`.
    pub fn at(&self, now: RobotInstant) -> TrueMotion {
        let seconds = self.start_s + now.since(RobotInstant::START).get();
        let i = self.time_s.partition_point(|&t| t <= seconds).saturating_sub(1);
        let (distance, speed) = match self.time_s.get(i + 1) {
            Some(next) => {
                let lasts = next - self.time_s[i];
                (STEP_M * (i as f64 + (seconds - self.time_s[i]) / lasts), STEP_M / lasts)
            }
            None => (self.route.length().get(), 0.0),
        };
        let distance = Metres::new(distance.clamp(0.0, self.route.length().get()));
        let sign = if self.route.reverses_at(distance) { -1.0 } else { 1.0 };
        let (before, after) =
            (self.pose_at(distance - Metres::new(NEAR_M)), self.pose_at(distance + Metres::new(NEAR_M)));
        let turned = wrap(after.heading - before.heading).get();
        TrueMotion {
            pose: self.pose_at(distance),
            turn_rate: RadiansPerSecond::new(turned / (2.0 * NEAR_M) * speed),
            speed: MetresPerSecond::new(speed * sign),
            wheel_speed: MetresPerSecond::new(speed * sign * (1.0 + self.slip.at(distance.get()))),
            distance,
        }
    }

    /// Where the robot truly stands with `distance` of the path behind it.
    pub fn pose_at(&self, distance: Metres) -> Pose2<FieldFrame> {
        let ideal = self.route.pose_at(distance);
        let left = Metres::new(self.cross_track.at(distance.get()));
        let drift = self.cross_track.slope(distance.get()).atan();
        let drift = if self.route.reverses_at(distance) { -drift } else { drift };
        Pose2::new(
            ideal.position.moved(ideal.heading, Metres::ZERO, left),
            wrap(ideal.heading + Radians::new(drift)),
        )
    }
}

fn step_count(route: &Route) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a path is a few kilometres")]
    let steps = (route.length().get() / STEP_M).ceil() as usize;
    steps.max(1)
}

/// The speed in each step: the wanted one, as far as acceleration reaches it.
fn speeds(route: &Route, settings: &VehicleSim) -> Vec<f64> {
    let gain = 2.0 * settings.acceleration_mps2 * STEP_M;
    let mut speeds: Vec<f64> = (0..step_count(route))
        .map(|i| Metres::new((i as f64 + 0.5) * STEP_M))
        .map(|s| if route.treats_at(s) { settings.speed_mps } else { settings.turn_speed_mps })
        .collect();
    for i in 1..speeds.len() {
        speeds[i] = speeds[i].min((speeds[i - 1].powi(2) + gain).sqrt());
    }
    for i in (1..speeds.len()).rev() {
        speeds[i - 1] = speeds[i - 1].min((speeds[i].powi(2) + gain).sqrt());
    }
    speeds
}

#[cfg(test)]
mod tests {
    use super::super::route::RouteLeg;
    use super::*;
    use kompas_field::Point2;

    fn drive(start_m: f64) -> Trajectory {
        let points = [[0.0, 0.0], [60.0, 0.0]].map(Point2::from).to_vec();
        let turn = [[60.0, 0.0], [63.0, 3.0]].map(Point2::from).to_vec();
        let route = Route::new(&[
            RouteLeg { points, treating: true, reverse: false },
            RouteLeg { points: turn, treating: false, reverse: false },
        ]);
        Trajectory::new(route.unwrap(), &VehicleSim::default(), 11, Metres::new(start_m))
    }

    #[test]
    fn time_and_distance_agree() {
        let drive = drive(0.0);
        for tenths in 0..640 {
            let distance = Metres::new(f64::from(tenths) * 0.1);
            let there = drive.at(drive.instant_at(distance));
            assert!((there.distance - distance).abs().get() < 1e-6, "{distance}: {there:?}");
        }
        let later = drive.instant_at(Metres::new(64.2)).after(Seconds::new(9.0));
        assert_eq!(drive.at(later).speed, MetresPerSecond::ZERO);
    }

    #[test]
    fn the_robot_moves_as_its_speed_says_and_strays_as_asked() {
        let drive = drive(0.0);
        let mut squares = 0.0;
        for i in 0..500u32 {
            let now = drive.instant_at(Metres::new(2.0 + f64::from(i) * 0.1));
            let (a, b) = (drive.at(now), drive.at(now.after(Seconds::new(0.01))));
            let moved = a.pose.position.distance(b.pose.position).get();
            assert!((moved - a.speed.get() * 0.01).abs() < 3e-4, "{moved} {}", a.speed);
            squares += a.pose.position.y.powi(2);
        }
        let sigma = (squares / 500.0).sqrt();
        assert!((0.006..0.03).contains(&sigma), "{sigma}");
    }

    #[test]
    fn a_restart_drives_the_same_line() {
        let (whole, rest) = (drive(0.0), drive(31.0));
        let offset = whole.instant_at(Metres::new(31.0));
        let later = Seconds::new(7.0);
        let (a, b) = (whole.at(offset.after(later)), rest.at(RobotInstant::START.after(later)));
        assert!(a.pose.position.distance(b.pose.position).get() < 1e-6);
        assert!((a.distance - b.distance).abs().get() < 1e-6);
    }
}
