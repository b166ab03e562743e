//! `kompas-plan make`

use super::supply::SupplyArgs;
use super::{CropArg, Failure, print, read, read_field, read_rig, write};
use anyhow::Context;
use kompas_field::units::LitresPerHectare;
use kompas_field::{Field, Geodetic, Prescription, WeedMap};
use kompas_planner::export::path_geojson::path_geojson;
use kompas_planner::import::curve::curve_from_text;
use kompas_planner::import::isoxml::grid::grid_from_task_data;
use kompas_planner::import::zones_from_geojson;
use kompas_planner::{Generation, Plan, PlanError, Policy, crew, plan, with_stops};
use std::path::{Path, PathBuf};

/// Arguments of `make`.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("treatment").args(["weed_map", "prescription"])))]
pub(crate) struct MakeArgs {
    /// Boundary: GeoJSON, shapefile, `GeoPackage` or TASKDATA.XML; holes are exclusions.
    #[arg(long)]
    field: PathBuf,
    /// Rig file (TOML).
    #[arg(long)]
    rig: PathBuf,
    /// Weed map of this field (JSON); without one the whole field is treated.
    #[arg(long)]
    weed_map: Option<PathBuf>,
    /// Prescription made elsewhere: TASKDATA.XML with its grid (ISO 11783-10), or the folder of both; counts instead of a
    /// weed map and the rate.
    #[arg(long, conflicts_with_all = ["weed_map", "rate_l_per_ha"])]
    prescription: Option<PathBuf>,
    /// What grows there.
    #[arg(long, value_enum, default_value = "sugar_beet")]
    crop: CropArg,
    /// Swath direction, degrees clockwise from north; the planner chooses when absent.
    #[arg(long, allow_negative_numbers = true)]
    heading_deg: Option<f64>,
    /// A-B line that the crop rows follow: longitude,latitude,longitude,latitude in degrees. One swath lies on it.
    #[arg(long, allow_hyphen_values = true, value_parser = line, conflicts_with = "heading_deg")]
    ab_line: Option<[(f64, f64); 2]>,
    /// Line recorded by driving that the crop rows follow: a GeoJSON `LineString`, or rows of longitude,latitude. One swath
    /// lies on it.
    #[arg(long, conflicts_with_all = ["heading_deg", "ab_line"])]
    curve: Option<PathBuf>,
    /// Rate where a grid cell is treated, litres per hectare.
    #[arg(long, default_value_t = 200.0)]
    rate_l_per_ha: f64,
    /// Leave out swaths and headland passes with nothing to treat; needs --weed-map or --prescription.
    #[arg(long, requires = "treatment")]
    selective: bool,
    /// Spray-free zones: GeoJSON lines with `width_m`, `rule`, `source`, `checked`.
    #[arg(long)]
    zones: Option<PathBuf>,
    /// Where the robot comes in: longitude,latitude in degrees.
    #[arg(long, allow_hyphen_values = true, value_parser = place)]
    entry: Option<(f64, f64)>,
    /// Number of this plan among the plans of the field.
    #[arg(long, default_value_t = 1)]
    generation: u32,
    /// Where to write the plan.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Robots that share the work: their plans are written beside `--out`, as NAME.1.json and so on.
    #[arg(long, requires = "out", value_parser = clap::value_parser!(u16).range(1..=100))]
    robots: Option<u16>,
    #[command(flatten)]
    supply: SupplyArgs,
    /// Where to write the path as GeoJSON.
    #[arg(long)]
    path: Option<PathBuf>,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &MakeArgs) -> Result<(), Failure> {
    let field = read_field(&args.field, args.crop.into())?;
    let rig = read_rig(&args.rig)?;
    let map = read_map(args.weed_map.as_deref(), &field)?;
    if let Some(deg) = args.heading_deg
        && !deg.is_finite()
    {
        return Err(Failure::Input(anyhow::anyhow!("--heading-deg {deg} is not a number")));
    }
    let zones = match &args.zones {
        None => vec![],
        Some(path) => {
            zones_from_geojson(&read(path)?, &field.plane).with_context(|| path.display().to_string())?
        }
    };
    let entry = args
        .entry
        .map(|(lon, lat)| field.plane.to_field(Geodetic::etrs89(lat, lon)))
        .transpose()
        .context("--entry")?;
    let ab_line = match args.ab_line {
        None => None,
        Some(ends) => {
            let [a, b] = ends.map(|(lon, lat)| field.plane.to_field(Geodetic::etrs89(lat, lon)));
            Some([a.context("--ab-line")?, b.context("--ab-line")?])
        }
    };
    let curve = match &args.curve {
        None => vec![],
        Some(path) => {
            curve_from_text(&read(path)?, &field.plane).with_context(|| path.display().to_string())?
        }
    };
    let prescription =
        args.prescription.as_deref().map(|path| read_prescription(path, &field)).transpose()?;
    let policy = Policy {
        prescription,
        ab_line,
        curve,
        zones,
        entry,
        generation: Generation(args.generation),
        selective: args.selective,
        swath_heading_deg: args.heading_deg,
        rate_l_per_ha: LitresPerHectare::try_from(args.rate_l_per_ha).context("--rate-l-per-ha")?,
        ..Policy::reference()
    };
    let refused = |error: PlanError| match error {
        PlanError::Refused(_) => Failure::Work(error.into()),
        _ => Failure::Input(error.into()),
    };
    let supply = args.supply.read(&field)?;
    let stopping = |whole: Plan| match &supply {
        None => Ok(whole),
        Some(supply) => with_stops(&whole, supply, &field, map.as_ref(), &rig, &policy).map_err(refused),
    };
    let whole = plan(&field, map.as_ref(), &rig, &policy).map_err(refused)?;
    let made = stopping(whole.clone())?;
    if let Some(out) = &args.out {
        write(out, &made.to_json())?;
        if let Some(robots) = args.robots {
            let parts = crew(&whole, robots.into(), &field, map.as_ref(), &rig, &policy)
                .map_err(|error| Failure::Work(error.into()))?;
            for (number, part) in (1..).zip(parts) {
                write(&out.with_extension(format!("{number}.json")), &stopping(part)?.to_json())?;
            }
        }
    }
    if let Some(path) = &args.path {
        write(path, &path_geojson(&made))?;
    }
    for finding in &made.findings {
        tracing::warn!("{finding}");
    }
    print(&if args.json { as_json(&made) } else { as_text(&made) });
    Ok(())
}

/// The weed map in a file; never that of another field.
pub(super) fn read_map(path: Option<&Path>, field: &Field) -> anyhow::Result<Option<WeedMap>> {
    let Some(path) = path else { return Ok(None) };
    let unfit = || format!("{} is no weed map to plan this field by", path.display());
    let map: WeedMap = serde_json::from_str(&read(path)?).with_context(unfit)?;
    map.lies_on(field).with_context(unfit)?;
    Ok(Some(map))
}

/// The prescription of a folder of task data, on the field's grid; what was left aside is warned of.
pub(super) fn read_prescription(path: &Path, field: &Field) -> anyhow::Result<Prescription> {
    // The parent of a bare name is empty, which is no folder.
    let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = if path.is_dir() { path } else { beside };
    // Terminals write capitals; what copied the folder may not have kept them.
    let named = |name: &str| {
        let mut files = std::fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
        files.find(|file| file.file_name().is_some_and(|n| n.eq_ignore_ascii_case(name)))
    };
    let main = if path.is_dir() {
        named("TASKDATA.XML").with_context(|| format!("there is no TASKDATA.XML in {}", path.display()))?
    } else {
        path.to_owned()
    };
    let xml = read(&main)?;
    let grid = grid_from_task_data(&xml, |name| std::fs::read(named(name)?).ok())
        .with_context(|| format!("{} gives no prescription", main.display()))?;
    for warning in &grid.warnings {
        tracing::warn!("{}: {warning}", main.display());
    }
    let (prescription, warnings) =
        grid.on_field(field).with_context(|| format!("{} gives no prescription", main.display()))?;
    for warning in &warnings {
        tracing::warn!("{}: {warning}", main.display());
    }
    Ok(prescription)
}

/// `lon,lat` as two numbers.
pub(super) fn place(text: &str) -> Result<(f64, f64), String> {
    let parts: Vec<f64> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    match parts[..] {
        [lon, lat] => Ok((lon, lat)),
        _ => Err(format!("{text:?} is not longitude,latitude, for example 6.95,52.87")),
    }
}

/// `lon,lat,lon,lat` as two places.
fn line(text: &str) -> Result<[(f64, f64); 2], String> {
    let parts: Vec<f64> = text.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    match parts[..] {
        [a, b, c, d] if (a - c).abs() + (b - d).abs() > 0.0 => Ok([(a, b), (c, d)]),
        _ => Err(format!("{text:?} is not two different places, for example 6.95,52.87,6.951,52.872")),
    }
}

pub(super) fn as_json(plan: &Plan) -> String {
    let Plan { id, generation, field_id, swaths, summary, findings, .. } = plan;
    serde_json::json!({ "plan": id, "generation": generation, "field": field_id, "swaths": swaths.len(), "summary": summary, "findings": findings }).to_string()
}

fn as_text(plan: &Plan) -> String {
    let s = &plan.summary;
    format!(
        "plan {} of field {}: {} swaths at {:.1}°, {:.0} m ({:.1} % without work), {:.0} min at top speed, {} grid cells to treat",
        &plan.id.as_str()[..12],
        plan.field_id,
        plan.swaths.len(),
        s.swath_heading_deg,
        s.path_m,
        100.0 * (1.0 - s.work_m / s.path_m),
        s.drive_time_s / 60.0,
        s.cells_to_treat,
    )
}
