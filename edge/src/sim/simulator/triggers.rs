//! Where along the path the camera takes a picture.

use super::super::route::Route;
use kompas_field::rig::{CameraRig, Nozzle};
use kompas_field::units::Metres;
use kompas_field::{Point2, RobotFrame};
use kompas_vision::Camera;

/// Path distances of the pictures. They begin where the camera first sees the ground that the boom reaches
/// when it is switched on, and follow so closely that neighbours share `overlap` of their ground. `None`
/// when the picture holds the horizon.
pub(super) fn along(
    route: &Route,
    rig: &CameraRig,
    nozzle: Option<&Nozzle>,
    overlap: f64,
) -> Option<Vec<Metres>> {
    let outline = Camera::new(rig).footprint(16)?;
    let (near, far) = forward_reach(&outline)?;
    let spacing = ((far - near) * (1.0 - overlap)).max(0.01);
    let boom_m = nozzle.map_or(0.0, |nozzle| nozzle.place.x);
    let lead = (far - boom_m).max(0.0);
    let mut triggers: Vec<Metres> = Vec::new();
    for (from, until) in route.treated_spans() {
        let first = (from.get() - lead).max(0.0);
        let mut at = triggers.last().map_or(first, |last| first.max(last.get() + spacing));
        while at <= until.get() {
            triggers.push(Metres::new(at));
            at += spacing;
        }
    }
    Some(triggers)
}

/// Nearest and farthest ground in view straight ahead of the middle of the picture.
fn forward_reach(outline: &[Point2<RobotFrame>]) -> Option<(f64, f64)> {
    let middle = outline.iter().map(|p| p.y).sum::<f64>() / outline.len() as f64;
    let (mut near, mut far) = (f64::INFINITY, f64::NEG_INFINITY);
    for (i, a) in outline.iter().enumerate() {
        let b = outline[(i + 1) % outline.len()];
        if (a.y <= middle) != (b.y <= middle) {
            let x = a.x + (b.x - a.x) * (middle - a.y) / (b.y - a.y);
            (near, far) = (near.min(x), far.max(x));
        }
    }
    (near < far).then_some((near, far))
}
