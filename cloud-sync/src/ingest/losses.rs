//! Tells weather from a cause that a person must remove.

use kompas_field::RobotInstant;
use kompas_field::units::Seconds;

/// Connections that end sooner are counted. A network that comes and goes keeps them longer now and then.
const SHORT: Seconds = Seconds::new(60.0);

/// Short connections one after another that ended for one cause.
#[derive(Debug, Default)]
pub(super) struct Losses {
    since: Option<RobotInstant>,
    cause: String,
    alike: u64,
}

impl Losses {
    /// So many are no longer weather.
    pub(super) const ALARM: u64 = 10;

    pub(super) fn connected(&mut self, now: RobotInstant) {
        self.since = Some(now);
    }

    /// A connection that holds ends the count; whether there was one to end.
    pub(super) fn hold(&mut self, now: RobotInstant) -> bool {
        let long = self.since.is_some_and(|since| now.since(since) > SHORT);
        long && std::mem::take(&mut self.alike) > 0
    }

    /// A connection, or the attempt at one, ended for this cause: how many short ones did so by now.
    pub(super) fn lost(&mut self, cause: &str, now: RobotInstant) -> u64 {
        // A broker that is away is no puzzle: only those that let us in count.
        let Some(since) = self.since.take() else { return self.alike };
        if cause != self.cause || now.since(since).get() > SHORT.get() {
            self.alike = 0;
            cause.clone_into(&mut self.cause);
        }
        self.alike += 1;
        self.alike
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_connections_that_end_alike_add_up() {
        let at = |seconds: f64| RobotInstant::START.after(Seconds::new(seconds));
        let mut losses = Losses::default();
        let mut lose = |cause: &str, begin: f64, lasted: f64| {
            losses.connected(at(begin));
            losses.lost(cause, at(begin + lasted))
        };
        assert_eq!(
            [lose("too large", 0.0, 0.1), lose("too large", 1.0, 0.1), lose("too large", 2.0, 9.0)],
            [1, 2, 3]
        );
        assert_eq!(
            [lose("reset", 20.0, 1.0), lose("too large", 30.0, 1.0)],
            [1, 1],
            "another cause begins again"
        );
        assert_eq!(lose("too large", 40.0, 4_000.0), 1, "an hour went well");
        assert_eq!(losses.lost("refused", at(5_000.0)), 1, "a broker that is away does not count");
        assert_eq!(losses.lost("refused", at(5_001.0)), 1);
        losses.connected(at(6_000.0));
        assert!(!losses.hold(at(6_059.0)), "not yet well");
        assert!(losses.hold(at(6_061.0)), "well again: nobody is alarmed any more");
        assert!(!losses.hold(at(6_066.0)), "told once");
    }
}
