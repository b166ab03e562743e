//! `kompas-plan show`, `export` and `mission`

use super::{CropArg, Failure, print, read, read_field, write};
use anyhow::Context;
use kompas_planner::Plan;
use kompas_planner::export::isoxml::task_data;
use kompas_planner::export::path_geojson::path_geojson;
use kompas_planner::export::picture::svg;
use kompas_planner::export::qgroundcontrol::{plan_file, rover, waypoint_list};
use kompas_planner::export::{geopackage, geotiff, shapefile};
use kompas_planner::survey::{DroneToml, survey};
use std::path::PathBuf;

/// A plan with its field.
#[derive(clap::Args)]
struct Source {
    /// The plan.
    #[arg(long)]
    plan: PathBuf,
    /// Boundary the plan is for, in any format that `make` takes.
    #[arg(long)]
    field: PathBuf,
    /// What grows there.
    #[arg(long, value_enum, default_value = "sugar_beet")]
    crop: CropArg,
}

impl Source {
    fn read(&self) -> Result<(Plan, kompas_field::Field), Failure> {
        let plan = Plan::from_json(&read(&self.plan)?)
            .with_context(|| format!("{} cannot be used", self.plan.display()))?;
        let field = read_field(&self.field, self.crop.into())?;
        if plan.made_for.field != field.digest() {
            let text = format!(
                "{} was made for another field, or another crop, than {}",
                self.plan.display(),
                self.field.display()
            );
            return Err(Failure::Input(anyhow::anyhow!(text)));
        }
        Ok((plan, field))
    }
}

/// Arguments of `show`.
#[derive(clap::Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    source: Source,
    /// Where to write the SVG.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn show(args: &ShowArgs) -> Result<(), Failure> {
    let (plan, field) = args.source.read()?;
    write(&args.out, &svg(&plan, &field))?;
    Ok(())
}

/// Formats of `export`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Folder with TASKDATA.XML and its grid (ISO 11783-10).
    Isoxml,
    /// Prescription as a shapefile (.shp, .shx, .dbf, .prj).
    Shapefile,
    /// Prescription as a `GeoPackage`.
    Geopackage,
    /// Prescription as a GeoTIFF in UTM.
    Geotiff,
    /// The path as lines.
    Geojson,
    /// Waypoints and geofence for `QGroundControl`.
    Qgc,
    /// Waypoint list for Mission Planner.
    Waypoints,
}

/// Arguments of `export`.
#[derive(clap::Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    source: Source,
    /// Which format.
    #[arg(long, value_enum)]
    format: Format,
    /// File to write; for ISOXML the folder.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let (plan, field) = args.source.read()?;
    match args.format {
        Format::Isoxml => {
            let data = task_data(&plan, &field);
            std::fs::create_dir_all(&args.out)
                .with_context(|| format!("cannot make {}", args.out.display()))?;
            write(&args.out.join("TASKDATA.XML"), &data.xml)?;
            let grid = args.out.join("GRD00001.BIN");
            std::fs::write(&grid, &data.grid).with_context(|| format!("cannot write {}", grid.display()))?;
        }
        Format::Shapefile => shapefile::write_prescription(&args.out, &plan, &field)
            .with_context(|| format!("cannot write {}", args.out.display()))?,
        Format::Geopackage => geopackage::write_prescription(&args.out, &plan, &field)
            .with_context(|| format!("cannot write {}", args.out.display()))?,
        Format::Geotiff => geotiff::prescription(&plan, &field)
            .and_then(|bytes| std::fs::write(&args.out, bytes))
            .with_context(|| format!("cannot write {}", args.out.display()))?,
        Format::Geojson => write(&args.out, &path_geojson(&plan))?,
        Format::Qgc => write(&args.out, &plan_file(&rover(&plan, &field)).to_string())?,
        Format::Waypoints => write(&args.out, &waypoint_list(&rover(&plan, &field)))?,
    }
    Ok(())
}

/// Arguments of `mission`.
#[derive(clap::Args)]
pub(crate) struct MissionArgs {
    /// Boundary: GeoJSON, shapefile, `GeoPackage` or TASKDATA.XML.
    #[arg(long)]
    field: PathBuf,
    /// Drone file (TOML), for example rigs/drone-survey.toml.
    #[arg(long)]
    drone: PathBuf,
    /// Where to write the `QGroundControl` plan.
    #[arg(long)]
    out: PathBuf,
    /// Where to write the waypoint list.
    #[arg(long)]
    waypoints: Option<PathBuf>,
}

pub(crate) fn mission(args: &MissionArgs) -> Result<(), Failure> {
    let field = read_field(&args.field, CropArg::Other.into())?;
    let drone: DroneToml = toml::from_str(&read(&args.drone)?)
        .with_context(|| format!("{} is not a drone file", args.drone.display()))?;
    let (mission, summary) = survey(&field, &drone).with_context(|| args.drone.display().to_string())?;
    write(&args.out, &plan_file(&mission).to_string())?;
    if let Some(path) = &args.waypoints {
        write(path, &waypoint_list(&mission))?;
    }
    print(&serde_json::to_string(&summary).context("summary as JSON")?);
    Ok(())
}
