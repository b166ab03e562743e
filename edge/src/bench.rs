//! How fast the loop is on this machine: pictures of the simulator, taken beforehand as JPEG, through the whole
//! loop on one thread (the recorder's disk has its own), and beside it the plainest pass over the same pixels.

use crate::clock::{Stopwatch, SystemClock};
use crate::config::{Config, DriverChoice};
use crate::drivers::folder::{DryBoom, NoMachine};
use crate::drivers::{Frame, FrameFault, FrameSource};
use crate::job::Job;
use crate::mission::WrongMove;
use crate::robot::Tick;
use crate::setup::{Drivers, Ready, SetupError, ready_with};
use crate::sim::Simulator;
use image::RgbImage;
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use kompas_field::units::Metres;
use kompas_field::{Clock, ManualClock, Stamped};
use serde::Serialize;
use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::io::Cursor;
use std::sync::Arc;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchFigures {
    /// Pictures.
    pub frames: u64,
    /// Columns and rows.
    pub size_px: [u32; 2],
    /// The whole loop, decoding included.
    pub frames_per_s: f64,
    /// The loop without decoding: cameras that deliver pixels.
    pub frames_per_s_without_decoding: f64,
    /// Milliseconds per picture, by stage.
    pub stage_ms: BTreeMap<&'static str, f64>,
    /// Share of the loop, by stage.
    pub stage_share: BTreeMap<&'static str, f64>,
    /// One pass of 2G − R − B against a constant over the same pixels, milliseconds per picture.
    pub plain_pass_ms: f64,
    /// The loop without decoding, over that pass: a ratio that holds on a noisy machine.
    pub loop_over_plain_pass: f64,
    /// Plants decided: a loop that sees nothing is fast.
    pub plants_decided: u64,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The configuration drives something else.
    #[error("the bench needs driver.kind = \"simulator\"")]
    NotSimulated,
    /// No robot.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A mistake in the order of calls.
    #[error(transparent)]
    Mission(#[from] WrongMove),
    /// A picture that cannot be packed.
    #[error("cannot encode a picture")]
    Encode(#[source] image::ImageError),
    /// The folder for the bench's outbox.
    #[error("cannot use the system's folder for temporary files")]
    Folder(#[source] std::io::Error),
}

impl BenchError {
    /// Whether what was given cannot be measured; else the machine failed, or this program.
    pub fn is_input(&self) -> bool {
        match self {
            Self::NotSimulated => true,
            Self::Setup(why) => why.is_input(),
            Self::Mission(_) | Self::Encode(_) | Self::Folder(_) => false,
        }
    }
}

/// JPEG bytes that are decoded when asked for.
struct PackedCamera(VecDeque<Stamped<(String, Vec<u8>)>>);

impl FrameSource for PackedCamera {
    fn next_frame(&mut self) -> Option<Stamped<Frame>> {
        let Stamped { true_at, value: (name, bytes) } = self.0.pop_front()?;
        let image = JpegDecoder::new(Cursor::new(bytes))
            .and_then(image::DynamicImage::from_decoder)
            .map(image::DynamicImage::into_rgb8)
            .map_err(|why| FrameFault::Undecodable(why.to_string()));
        Some(Stamped::new(true_at, Frame { name, image }))
    }
}

/// Measures the loop over the first `frames` pictures of the configuration's simulation.
///
/// # Errors
/// [`BenchError`].
pub fn measure(config: &Config, job: &Job, frames: usize) -> Result<BenchFigures, BenchError> {
    let DriverChoice::Simulator(sim) = &config.driver else { return Err(BenchError::NotSimulated) };
    let calendar = SystemClock::start();
    let route = job.route().map_err(|finding| SetupError::Route(finding.to_string()))?;
    let world = Simulator::start_at(&job.field, &route, &job.rig, sim, calendar.wall(), Metres::ZERO)
        .map_err(SetupError::from)?;
    let mut camera = world.camera().map_err(SetupError::from)?;
    let (mut packed, mut plain_s) = (VecDeque::new(), 0.0);
    while packed.len() < frames
        && let Some(frame) = camera.next_frame()
    {
        let Ok(image) = &frame.value.image else { continue };
        let mut watch = Stopwatch::start(calendar);
        std::hint::black_box(plain_pass(image));
        plain_s += watch.split();
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(image).map_err(BenchError::Encode)?;
        packed.push_back(Stamped::new(frame.true_at, (frame.value.name, bytes)));
    }

    let folder = std::env::temp_dir().join(format!("kompas-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(BenchError::Folder)?;
    let mut quiet = config.clone();
    quiet.records.outbox = folder.join("outbox.db");
    quiet.broker = None;
    let drivers = |_, _| {
        Ok(Drivers {
            frames: packed.len(),
            camera: Box::new(PackedCamera(packed)),
            gnss: Box::new(world.gnss()),
            boom: Box::new(DryBoom),
            stop: Box::new(NoMachine),
            moments: Arc::new(ManualClock::starting_at(calendar.wall())),
            simulator: None,
            bad_rows: Vec::new(),
        })
    };
    let Ready { mut robot, .. } = ready_with(&quiet, job, None, drivers)?;
    robot.start()?;
    while robot.tick() == Tick::Looked {}
    let stages = robot.tally.stages;
    let end = robot.end(true, None)?;
    std::fs::remove_dir_all(&folder).map_err(BenchError::Folder)?;

    let looked = end.tally.frames.max(1);
    let per_frame_ms = |seconds: f64| seconds * 1e3 / looked as f64;
    let (total, without) = (stages.total(), stages.total() - stages.frame);
    let plain_pass_ms = per_frame_ms(plain_s);
    let size = job.rig.camera.as_ref().map_or([0, 0], |camera| [camera.width_px, camera.height_px]);
    Ok(BenchFigures {
        frames: end.tally.frames,
        size_px: size,
        frames_per_s: looked as f64 / total,
        frames_per_s_without_decoding: looked as f64 / without,
        stage_ms: stages.stages().into_iter().map(|(name, s)| (name, per_frame_ms(s))).collect(),
        stage_share: stages.stages().into_iter().map(|(name, s)| (name, s / total)).collect(),
        plain_pass_ms,
        loop_over_plain_pass: per_frame_ms(without) / plain_pass_ms,
        plants_decided: end.tally.plants,
    })
}

/// Pixels with 2G − R − B above a constant: less than any recognition can do.
fn plain_pass(image: &RgbImage) -> usize {
    let green = |p: &[u8]| 2 * i16::from(p[1]) - i16::from(p[0]) - i16::from(p[2]) > 20;
    image.as_raw().chunks_exact(3).filter(|p| green(p)).count()
}

impl BenchFigures {
    /// For a person.
    pub fn lines(&self) -> Vec<String> {
        let [width, height] = self.size_px;
        let mut lines = vec![format!(
            "{} pictures of {width}×{height}: {:.1} a second, {:.1} without decoding; {} plants decided",
            self.frames, self.frames_per_s, self.frames_per_s_without_decoding, self.plants_decided
        )];
        for (name, share) in &self.stage_share {
            lines.push(format!("  {name:8} {:7.2} ms {:5.1} %", self.stage_ms[name], share * 100.0));
        }
        let ratio = self.loop_over_plain_pass;
        lines.push(format!(
            "  loop without decoding = {ratio:.1} × one plain pass ({:.2} ms)",
            self.plain_pass_ms
        ));
        lines
    }
}
