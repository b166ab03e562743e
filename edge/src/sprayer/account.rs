//! What became of one plant, spot by spot.

use super::Outcome;
use kompas_field::Rule;
use std::collections::BTreeSet;

/// A plant counts as treated with this share of its leaf wetted as wanted; with less it was missed.
const TREATED_SHARE: f64 = 0.5;

/// The spots of a plant that are told of so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    spots_open: usize,
    area_cm2: f64,
    wetted_cm2: f64,
    nozzles: BTreeSet<u16>,
    /// Of the first spot missed.
    missed: Option<Rule>,
}

impl Account {
    pub(super) fn expect(&mut self, area_cm2: f64) {
        self.spots_open += 1;
        self.area_cm2 += area_cm2;
    }

    pub(super) fn wetted(&mut self, area_cm2: f64, nozzles: Vec<u16>) {
        self.spots_open -= 1;
        self.wetted_cm2 += area_cm2;
        self.nozzles.extend(nozzles);
    }

    pub(super) fn missed(&mut self, rule: Rule) {
        self.spots_open -= 1;
        self.missed.get_or_insert(rule);
    }

    /// It lies too far from the stem to be sprayed: the reason, where there is no other.
    pub(super) fn too_far(&mut self) {
        self.spots_open -= 1;
    }

    /// Once every spot is told of.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        if self.spots_open > 0 {
            return None;
        }
        let enough = self.wetted_cm2 > 0.0 && self.wetted_cm2 >= TREATED_SHARE * self.area_cm2;
        let rule = self.missed.unwrap_or(Rule::OutOfReach);
        Some(if enough {
            Outcome::Treated { nozzles: self.nozzles.iter().copied().collect() }
        } else {
            Outcome::Missed { rule }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompas_field::ClosedBecause;

    #[test]
    fn a_leaf_too_far_out_hides_no_other_reason() {
        let closed = Rule::Closed { because: ClosedBecause::EmergencyStop };
        let mut account = Account::default();
        account.expect(2.);
        account.too_far();
        account.expect(1.);
        account.missed(closed);
        assert_eq!(account.outcome(), Some(Outcome::Missed { rule: closed }));
    }

    #[test]
    fn a_plant_without_a_leaf_is_not_treated() {
        assert_eq!(Account::default().outcome(), Some(Outcome::Missed { rule: Rule::OutOfReach }));
    }

    #[test]
    fn a_plant_is_treated_with_half_of_its_leaf_wetted() {
        let closed = || Rule::Closed { because: ClosedBecause::EmergencyStop };
        let mut account = Account::default();
        account.expect(3.0);
        account.expect(2.0);
        account.expect(1.0);
        account.wetted(3.0, vec![4, 5]);
        assert_eq!(account.outcome(), None, "two spots are still to come");
        account.missed(closed());
        let mut other = account.clone();
        account.wetted(1.0, vec![3, 4]);
        assert_eq!(account.outcome(), Some(Outcome::Treated { nozzles: vec![3, 4, 5] }));
        other.expect(1.0);
        other.missed(Rule::OutOfReach);
        other.missed(Rule::OutOfReach);
        assert_eq!(
            other.outcome(),
            Some(Outcome::Missed { rule: closed() }),
            "3 of 7 cm²; the first reason is told"
        );
    }
}
