//! Rig, field and plan of a job, loaded and checked against each other. All findings at once.

use crate::config::{Config, DriverChoice, FieldSource, PlanSource};
use crate::sim::{Route, RouteLeg};
use kompas_cloud_sync::wire::MAX_FIELD_BYTES;
use kompas_field::boundary::RawBoundary;
use kompas_field::rig::{Nozzle, RigToml};
use kompas_field::units::{Metres, Seconds};
use kompas_field::{Digest, Field, Finding, Findings, Rig, Severity, WeedMap};
use kompas_planner::import::{ImportError, field_from_file};
use kompas_planner::{Gear, Plan, Policy as PlanPolicy, check, plan};
use kompas_vision::Camera;
use std::path::Path;

/// What is to be done, with what, where.
#[derive(Debug)]
pub struct Job {
    /// Robot, boom, camera.
    pub rig: Rig,
    /// The field.
    pub field: Field,
    /// The plan.
    pub plan: Plan,
}

impl Job {
    /// Loads everything that `config` names; with it, what a person should know.
    ///
    /// # Errors
    /// Every finding, when one of them forbids driving.
    pub fn load(config: &Config) -> Result<(Self, Vec<Finding>), Findings> {
        let mut findings = Vec::new();
        let rig = load_rig(&config.rig, &mut findings);
        let field = load_field(&config.field, &mut findings);
        let field = field.filter(|field| fits_a_record(field, &config.field, &mut findings));
        let map = load_weed_map(&config.plan, field.as_ref(), &mut findings);
        if let Some(rig) = &rig {
            findings.extend(sight(rig, config));
            findings.extend(narrow_sight(rig));
            findings.extend(never_fast_enough(rig, config));
            findings.extend(slow_to_close(rig));
        }
        findings.extend(late_frames(config));
        findings.extend(field.as_ref().and_then(|field| other_datum(field, config)));
        let whole = rig.zip(field).and_then(|(rig, field)| {
            let plan = load_plan(&config.plan, &field, map.as_ref(), &rig, &mut findings)?;
            Some(Self { rig, field, plan })
        });
        if let (Some(job), DriverChoice::Simulator(sim)) = (&whole, &config.driver) {
            match job.route() {
                Ok(route) => findings.extend(sim.get().findings_for(&route)),
                Err(finding) => findings.push(finding),
            }
        }
        let failed = findings.iter().any(|finding| finding.severity == Severity::Error);
        match whole {
            Some(job) if !failed => Ok((job, findings)),
            _ => Err(Findings(findings)),
        }
    }

    /// The plan's path for the simulator.
    ///
    /// # Errors
    /// A path that cannot be driven.
    pub fn route(&self) -> Result<Route, Finding> {
        let leg = |leg: &kompas_planner::Leg| RouteLeg {
            points: leg.points.clone(),
            treating: leg.implement,
            reverse: leg.gear == Gear::Reverse,
        };
        Route::new(&self.plan.path.iter().map(leg).collect::<Vec<_>>())
            .map_err(|why| Finding::error("plan.path", "plan", why.to_string(), "make the plan again"))
    }
}

fn read(path: &Path, code: &str, remedy: &str, findings: &mut Vec<Finding>) -> Option<String> {
    let text = std::fs::read_to_string(path);
    text.map_err(|why| {
        let cause = format!("cannot be read: {why}");
        findings.push(Finding::error(code, path.display().to_string(), cause, remedy));
    })
    .ok()
}

/// A finding with the file before its place.
fn in_file(path: &Path, finding: Finding) -> Finding {
    Finding { place: format!("{}: {}", path.display(), finding.place), ..finding }
}

fn load_rig(path: &Path, findings: &mut Vec<Finding>) -> Option<Rig> {
    let text = read(path, "rig.unreadable", "give an existing rig file in the key rig", findings)?;
    let toml: RigToml = match toml::from_str(&text) {
        Ok(toml) => toml,
        Err(why) => {
            let cause = why.to_string().trim_end().replace('\n', " ");
            findings.push(Finding::error(
                "rig.not_a_rig",
                path.display().to_string(),
                cause,
                "mend that key",
            ));
            return None;
        }
    };
    let rig = Rig::new(toml)
        .map_err(|found| findings.extend(found.0.into_iter().map(|f| in_file(path, f))))
        .ok()?;
    if rig.camera.is_none() {
        let remedy = "add a [camera] section with its calibration";
        findings.push(Finding::error(
            "rig.no_camera",
            path.display().to_string(),
            "there is no camera",
            remedy,
        ));
        return None;
    }
    Some(rig)
}

fn load_field(source: &FieldSource, findings: &mut Vec<Finding>) -> Option<Field> {
    let FieldSource { file, id, crop } = source;
    let place = || file.display().to_string();
    // A field as this program writes it; anything else is a parcel as others write it.
    let bytes = std::fs::read(file).ok();
    if let Some(field) = bytes.and_then(|bytes| serde_json::from_slice::<Field>(&bytes).ok()) {
        if field.crop != *crop {
            let cause = format!(
                "{:?} grows there, and field.crop says {crop:?}: who is a weed follows from it",
                field.crop
            );
            findings.push(Finding::error("field.other_crop", place(), cause, "correct whichever is wrong"));
        }
        return Some(field);
    }
    match field_from_file(file, id.clone(), *crop) {
        Ok((field, left_aside)) => {
            let remedy = "nothing, if that is no part of the parcel and no obstacle in it";
            let told = |what| Finding::warning("field.left_aside", place(), what, remedy);
            findings.extend(left_aside.into_iter().map(told));
            Some(field)
        }
        Err(ImportError::Boundary(found)) => {
            findings.extend(found.0.into_iter().map(|finding| in_file(file, finding)));
            None
        }
        Err(why @ ImportError::Unreadable { .. }) => {
            let remedy = "give an existing file in the key field.file";
            findings.push(Finding::error("field.unreadable", place(), crate::recorder::chain(&why), remedy));
            None
        }
        Err(why) => {
            let remedy =
                "give the parcel as one polygon: GeoJSON in degrees, a shapefile, a GeoPackage or task data";
            findings.push(Finding::error("field.not_a_field", place(), crate::recorder::chain(&why), remedy));
            None
        }
    }
}

/// A mission whose first record cannot leave would be on no map: such a field is not begun, nor planned.
fn fits_a_record(field: &Field, source: &FieldSource, findings: &mut Vec<Finding>) -> bool {
    let bytes = serde_json::to_vec(field).map_or(usize::MAX, |json| json.len());
    if bytes > MAX_FIELD_BYTES {
        let points = RawBoundary::from(field.boundary.clone());
        let points = points.outer.len() + points.exclusions.iter().map(Vec::len).sum::<usize>();
        findings.push(Finding::error(
            "field.too_long_for_a_record",
            source.file.display().to_string(),
            format!("its boundary of {points} points takes {bytes} bytes, a record takes {MAX_FIELD_BYTES}"),
            "simplify the boundary: a point where it bends is enough",
        ));
    }
    bytes <= MAX_FIELD_BYTES
}

fn load_weed_map(source: &PlanSource, field: Option<&Field>, findings: &mut Vec<Finding>) -> Option<WeedMap> {
    let path = source.weed_map.as_deref()?;
    let text = read(path, "weed_map.unreadable", "give an existing file in the key plan.weed_map", findings)?;
    let mut refuse = |code: &str, why: String, remedy: &str| {
        findings.push(Finding::error(code, path.display().to_string(), why, remedy));
    };
    let map: WeedMap = serde_json::from_str(&text)
        .map_err(|why| refuse("weed_map.not_a_map", why.to_string(), "give a weed map of this program"))
        .ok()?;
    if let Some(Err(why)) = field.map(|field| map.lies_on(field)) {
        refuse("weed_map.other_field", why.to_string(), "give this field's map in the key plan.weed_map");
        return None;
    }
    Some(map)
}

fn load_plan(
    source: &PlanSource,
    field: &Field,
    map: Option<&WeedMap>,
    rig: &Rig,
    findings: &mut Vec<Finding>,
) -> Option<Plan> {
    let made = match &source.file {
        None => {
            let policy = PlanPolicy {
                rate_l_per_ha: source.rate,
                swath_heading_deg: source.swath_heading_deg,
                ..PlanPolicy::reference()
            };
            plan(field, map, rig, &policy).map_err(|why| {
                let cause = crate::recorder::chain(&why);
                let remedy = "give a larger field, a smaller rig, or a plan made by hand in plan.file";
                findings.push(Finding::error("plan.impossible", "plan", cause, remedy));
            })
        }
        Some(path) => {
            let text = read(path, "plan.unreadable", "give an existing plan in the key plan.file", findings)?;
            let place = path.display().to_string();
            let made = Plan::from_json(&text).map_err(|why| {
                let cause = crate::recorder::chain(&why);
                findings.push(Finding::error("plan.not_a_plan", place.clone(), cause, "make it again"));
            });
            findings.extend(made.as_ref().ok().and_then(|plan| other_map(plan, map, place)));
            made
        }
    };
    let plan = made.ok()?;
    findings.extend(several_rates(&plan));
    findings.extend(plan.findings.iter().cloned());
    findings.extend(check(&plan, field, rig));
    Some(plan)
}

/// Whether places of the driver lie on the field's plane: the datums are 0.7 m apart, and no fix of another is used.
fn other_datum(field: &Field, config: &Config) -> Option<Finding> {
    let DriverChoice::Folder { datum, .. } = &config.driver else { return None };
    let fields = field.plane.origin().datum;
    (*datum != fields).then(|| {
        let place = format!("driver.datum = {datum:?}").to_lowercase();
        let cause = format!("the field is in {fields:?}, and no position of another datum can be used");
        let remedy = "transform the coordinates in poses.csv to the field's datum, and name that";
        Finding::error("driver.datum", place, cause, remedy)
    })
}

/// Whether a plan made before was made by the weed map that a person names beside it.
fn other_map(plan: &Plan, map: Option<&WeedMap>, place: String) -> Option<Finding> {
    let made_for = plan.made_for.weed_map;
    (made_for != Some(Digest::of_json(map?))).then(|| {
        let cause = if made_for.is_some() {
            "was made by another weed map than the one in plan.weed_map"
        } else {
            "was made without a weed map, and plan.weed_map names one"
        };
        let remedy = "make the plan again by this map, or take out plan.weed_map or plan.file";
        Finding::error("plan.other_weed_map", place, cause, remedy)
    })
}

/// Whether a plan tells how much, which the robot does not follow: it treats where the rate is above zero, and what lands
/// follows from flow and speed.
fn several_rates(plan: &Plan) -> Option<Finding> {
    let default = plan.prescription.fallback().default_l_per_ha;
    let mut rates: Vec<f64> =
        plan.prescription.cells().map(|(_, rate)| rate).chain([default]).map(f64::from).collect();
    rates.retain(|&rate| rate > 0.0);
    rates.sort_by(f64::total_cmp);
    rates.dedup();
    let (least, most) = (rates.first()?, rates.last()?);
    (rates.len() > 1).then(|| {
        let cause = format!(
            "has {} rates from {least} to {most} l/ha, and the robot treats alike wherever the rate is above zero",
            rates.len()
        );
        let remedy = "expect what follows from boom.flow_l_per_min and the speed, or prescribe only where";
        Finding::warning("plan.several_rates", "plan.prescription", cause, remedy)
    })
}

/// Whether frames come in time for a nozzle to open at all.
fn late_frames(config: &Config) -> Option<Finding> {
    let (latency, most) = (config.frame_latency, config.policy.guard.max_frame_age);
    (latency > most).then(|| {
        let place = format!("driver.frame_latency_ms = {:.0}", 1e3 * latency.get());
        let cause = format!("older than policy.max_frame_age_s = {:.2}: every nozzle stays shut", most.get());
        let remedy = "decide faster (segmenter.look), or state what the robot measures";
        Finding::warning("policy.late_frames", place, cause, remedy)
    })
}

/// Whether the rig may ever drive so fast that no more lands than the policy allows.
fn never_fast_enough(rig: &Rig, config: &Config) -> Option<Finding> {
    let slowest = config.policy.nozzle_rules(&rig.boom).min_speed;
    (slowest > rig.robot.max_speed).then(|| {
        let place = format!("policy.max_rate_l_per_ha = {:.0}", config.policy.max_rate.get());
        let cause = format!(
            "holds from {slowest:.2} on, the rig drives {:.2} at most: every nozzle would stay shut",
            rig.robot.max_speed
        );
        let remedy =
            "mount smaller nozzles (boom.flow_l_per_min), or allow the rate that the product's label allows";
        Finding::error("policy.max_rate", place, cause, remedy)
    })
}

/// Whether valves that close later than they open wet ground behind every spot at the rig's top speed.
fn slow_to_close(rig: &Rig) -> Option<Finding> {
    let tail = |nozzle: &Nozzle| rig.robot.max_speed * (nozzle.valve_close - nozzle.valve_open);
    let longest = rig.boom.nozzles.iter().map(tail).fold(Metres::ZERO, Metres::max);
    (longest.get() > 0.025).then(|| {
        let cause = format!("wets {longest:.2} more than it should at {:.2}", rig.robot.max_speed);
        let remedy =
            "small spots are left at that speed: drive slower (robot.max_speed_mps) or mount faster valves";
        Finding::warning("rig.slow_valves", "boom.valve_close_ms", cause, remedy)
    })
}

/// Whether the camera looks far enough ahead for the boom: what is seen must be decided before its valve moves.
fn sight(rig: &Rig, config: &Config) -> Option<Finding> {
    let camera = rig.camera.as_ref()?;
    let Some(outline) = Camera::new(camera).footprint(4) else {
        let cause = "a part of the picture sees no ground";
        return Some(Finding::error("rig.horizon", "camera.pitch_deg", cause, "tilt the camera down"));
    };
    let farthest_m = outline.iter().map(|point| point.x).fold(f64::MIN, f64::max);
    let nozzle = rig.boom.nozzles.first()?;
    let rules = config.policy.nozzles;
    let time: Seconds = config.frame_latency + nozzle.valve_open + rules.horizon + Seconds::new(0.05);
    let needed: Metres = Metres::new(nozzle.place.x)
        + rig.boom.carry_at(rig.robot.max_speed)
        + rules.max_radius
        + rules.margin
        + rig.robot.max_speed * time;
    (farthest_m < needed.get()).then(|| {
        let place = format!("the camera sees {farthest_m:.2} m ahead of the antenna");
        let cause = format!("at {} the boom needs {needed:.2} to decide in time", rig.robot.max_speed);
        let remedy = "drive slower (robot.max_speed_mps), mount the camera farther ahead, or tilt it forward";
        Finding::warning("rig.short_sight", place, cause, remedy)
    })
}

/// Whether the camera sees all that the boom can wet: plants beside the picture are never decided, and no record tells of them.
fn narrow_sight(rig: &Rig) -> Option<Finding> {
    let outline = rig.camera.as_ref().and_then(|camera| Camera::new(camera).footprint(4))?;
    let (right_m, left_m) = sides(outline.iter().map(|point| point.y));
    let (right_nozzle, left_nozzle) = sides(rig.boom.nozzles.iter().map(|nozzle| nozzle.place.y));
    let fan = rig.boom.fan_width.get() / 2.0;
    let unseen_m = (left_nozzle + fan - left_m).max(right_m - right_nozzle + fan);
    (unseen_m > 0.0).then(|| {
        let place = format!("the camera sees {left_m:.2} m to the left of the antenna and {:.2} to the right", -right_m);
        let cause = format!("the boom wets up to {unseen_m:.2} m farther out: plants there are neither seen nor treated");
        let remedy = "mount the camera higher or in the middle (camera.height_m, camera.left_m), or give a narrower boom";
        Finding::warning("rig.narrow_sight", place, cause, remedy)
    })
}

/// The outermost of places across the robot: to the right, and to the left.
fn sides(places: impl Iterator<Item = f64>) -> (f64, f64) {
    places.fold((f64::MAX, f64::MIN), |(right, left), y| (right.min(y), left.max(y)))
}
