//! `kompas-robot survey`: a drone's photographs to a weed map.

use super::exit::{BadInput, print};
use super::progress::Progress;
use super::writable;
use anyhow::{Context, Result};
use clap::ValueEnum;
use kompas_edge::config::{Look, SegmenterChoice};
use kompas_edge::setup::open_segmenter;
use kompas_edge::survey::{HEIGHTS_M, Survey, cells_geojson, photographs, plants_geojson};
use kompas_field::ids::FieldId;
use kompas_field::units::Metres;
use kompas_field::{Field, FieldCrop, Finding, Findings};
use kompas_planner::import::{ImportError, field_from_file};
use kompas_vision::onnx::Provider;
use std::path::{Path, PathBuf};

/// The model that comes with Kompas, from where a release or a copy of the repository lies.
const RELEASED_MODEL: &str = "models/released/plants.int8.onnx";

#[derive(Debug, clap::Args)]
pub(super) struct SurveyArgs {
    /// The drone's photographs (*.jpg), taken straight down, as the drone wrote them.
    #[arg(long, value_name = "DIR")]
    images: PathBuf,
    /// The parcel: GeoJSON, shapefile, `GeoPackage` or task data, the same that the plan is made for.
    #[arg(long, value_name = "FILE")]
    field: PathBuf,
    /// What grows there.
    #[arg(long, value_enum)]
    crop: Crop,
    /// A model file (ONNX) with its card beside it, or `exg`, which takes every plant for a weed
    /// [default: models/released/plants.int8.onnx, where it is].
    #[arg(long, value_name = "exg|FILE")]
    segmenter: Option<PathBuf>,
    /// The weed map, as JSON.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Every plant with its place, as `GeoJSON`.
    #[arg(long, value_name = "FILE")]
    plants: Option<PathBuf>,
    /// The ground of the field that no photograph showed, as `GeoJSON` polygons: the weed map is silent about it.
    #[arg(long, value_name = "FILE")]
    unseen: Option<PathBuf>,
    /// Flying height above the ground, instead of what each photograph says of its height above the take-off.
    #[arg(long, value_name = "METRES", value_parser = height)]
    height_m: Option<f64>,
    /// The summary as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// Crops as the configuration writes them.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Crop {
    #[value(name = "sugar_beet", alias = "sugar-beet")]
    SugarBeet,
    Potato,
    Other,
}

impl From<Crop> for FieldCrop {
    fn from(crop: Crop) -> Self {
        match crop {
            Crop::SugarBeet => Self::SugarBeet,
            Crop::Potato => Self::Potato,
            Crop::Other => Self::Other,
        }
    }
}

fn height(text: &str) -> Result<f64, String> {
    let range = || format!("{} to {} metres", HEIGHTS_M.start(), HEIGHTS_M.end());
    text.parse().ok().filter(|height| HEIGHTS_M.contains(height)).ok_or_else(range)
}

pub(super) fn survey(args: &SurveyArgs) -> Result<()> {
    for path in [Some(&args.out), args.plants.as_ref(), args.unseen.as_ref()].into_iter().flatten() {
        writable(path)?;
    }
    let field = field(&args.field, args.crop.into())?;
    let paths = photographs(&args.images)?;
    let mut segmenter = open_segmenter(&choice(args.segmenter.as_deref())?, None)?;
    let mut survey = Survey::of(&field, args.height_m.map(Metres::new));
    let mut progress = Progress::new(paths.len(), args.json);
    for path in &paths {
        survey.admit(path);
        progress.step(|| format!("{} can be used", survey.admitted()));
    }
    progress.finish();
    let mut progress = Progress::new(survey.admitted(), args.json);
    let surveyed = survey.count(segmenter.as_mut(), |plants| progress.step(|| format!("{plants} plants")))?;
    progress.finish();
    write(&args.out, &serde_json::to_string(&surveyed.weed_map)?)?;
    if let Some(path) = &args.plants {
        write(path, &plants_geojson(&surveyed.plants, &field.plane))?;
    }
    if let Some(path) = &args.unseen {
        write(path, &cells_geojson(&surveyed.unseen, &field))?;
    }
    let summary = &surveyed.summary;
    for refused in &summary.refused {
        tracing::warn!("{} is not used: {}", refused.image, refused.reason);
    }
    for warning in summary.warnings() {
        tracing::warn!("{warning}");
    }
    if args.json {
        print(&serde_json::to_string_pretty(summary)?);
    } else {
        summary.lines().iter().for_each(|line| print(line));
    }
    Ok(())
}

/// The field's id is the file's name, as in `kompas-plan`.
fn field(path: &Path, crop: FieldCrop) -> Result<Field> {
    let id = FieldId::of_file(path).map_err(|why| BadInput(format!("{}: {why}", path.display())))?;
    match field_from_file(path, id, crop) {
        Ok((field, warnings)) => {
            for warning in warnings {
                tracing::warn!("{}: {warning}", path.display());
            }
            Ok(field)
        }
        Err(ImportError::Boundary(Findings(found))) => {
            let in_file = |f: Finding| Finding { place: format!("{}: {}", path.display(), f.place), ..f };
            Err(Findings(found.into_iter().map(in_file).collect()).into())
        }
        Err(why) => {
            let remedy = "give the parcel as a GeoJSON polygon in degrees";
            Err(anyhow::Error::from(why)
                .context(BadInput(format!("{} gives no field; {remedy}", path.display()))))
        }
    }
}

/// Never excess green unless asked for: it would put the whole crop on the map as weeds.
fn choice(segmenter: Option<&Path>) -> Result<SegmenterChoice, BadInput> {
    let released = Path::new(RELEASED_MODEL);
    let model = match segmenter {
        Some(path) if path.as_os_str() == "exg" => return Ok(SegmenterChoice::ExcessGreen),
        Some(path) => path,
        None if released.is_file() => released,
        None => {
            let text = format!(
                "--segmenter is missing and {RELEASED_MODEL} is not here: name a model file, or exg, which takes \
                 every plant for a weed"
            );
            return Err(BadInput(text));
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let model = model.to_owned();
    Ok(SegmenterChoice::Onnx {
        model,
        library: None,
        provider: Provider::Cpu,
        threads,
        look: Look::SeveralSizes,
    })
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
