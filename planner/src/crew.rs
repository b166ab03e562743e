//! One field, several robots: the drive cut into parts that are finished at the same time.

use crate::plan::{Gear, Leg, LegKind, Plan};
use crate::planner::{PlanError, finished, is_for};
use crate::policy::Policy;
use kompas_field::{Field, Rig, WeedMap};

/// Plans for at most `robots` robots. Each drives a part of `plan` that hangs together, so that two robots meet only where
/// parts border on each other; the longest part is as short as cuts between swaths allow. Every plan begins where its
/// part does, and is checked like any other.
///
/// # Errors
/// [`PlanError`], for example when the rig or the map is not the plan's.
pub fn crew(
    plan: &Plan,
    robots: usize,
    field: &Field,
    map: Option<&WeedMap>,
    rig: &Rig,
    policy: &Policy,
) -> Result<Vec<Plan>, PlanError> {
    is_for(plan, field, rig)?;
    parts(&plan.path, robots.max(1))
        .into_iter()
        .map(|part| {
            let heading_deg = plan.summary.swath_heading_deg;
            let findings = plan.findings.clone();
            finished(part, plan.swaths.clone(), findings, heading_deg, (field, map, rig, policy))
        })
        .collect()
}

pub(crate) fn length(leg: &Leg) -> f64 {
    leg.points.windows(2).map(|w| w[0].distance(w[1]).get()).sum()
}

/// Whether a drive may begin with leg `i`: work begins there, and not on the way back out of a dead end.
pub(crate) fn may_begin(path: &[Leg], i: usize) -> bool {
    let fresh = i.checked_sub(1).is_none_or(|before| path[before].gear == Gear::Forward);
    path[i].implement && path[i].kind != LegKind::Spur && path[i].gear == Gear::Forward && fresh
}

/// The least longest part, found by halving: for a given limit parts are filled from the front.
fn parts(path: &[Leg], robots: usize) -> Vec<Vec<Leg>> {
    const ROUNDS: u32 = 40;
    let total: f64 = path.iter().map(length).sum();
    let (mut low, mut high) = (total / robots as f64, total);
    for _ in 0..ROUNDS {
        let middle = f64::midpoint(low, high);
        if filled(path, middle).len() <= robots { high = middle } else { low = middle }
    }
    filled(path, high)
}

fn filled(path: &[Leg], limit: f64) -> Vec<Vec<Leg>> {
    let mut parts: Vec<Vec<Leg>> = Vec::new();
    let mut i = 0;
    let mut driven = 0.0;
    while i < path.len() {
        // Up to the next place where another robot could go on.
        let end = (i + 1..path.len()).find(|j| may_begin(path, *j)).unwrap_or(path.len());
        let piece = &path[i..end];
        let last = piece.iter().rposition(|leg| leg.implement || leg.gear == Gear::Reverse);
        let working = &piece[..last.map_or(piece.len(), |k| k + 1)];
        let run: f64 = working.iter().map(length).sum();
        match parts.last_mut() {
            Some(part) if driven + run <= limit => {
                part.extend_from_slice(piece);
                driven += piece.iter().map(length).sum::<f64>();
            }
            _ => {
                parts.push(piece.to_vec());
                driven = piece.iter().map(length).sum();
            }
        }
        i = end;
    }
    for part in &mut parts {
        // The turn to where another robot goes on is not driven.
        while part.len() > 1
            && part.last().is_some_and(|leg| leg.kind == LegKind::Turn && leg.gear == Gear::Forward)
        {
            part.pop();
        }
    }
    parts
}
