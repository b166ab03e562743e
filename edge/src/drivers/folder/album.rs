//! Pictures of a drive, kept as a folder that can be driven through again, or that a model learns its field from.
//!
//! A thread of its own encodes and writes; when the disk fails, or only the room is left that records may need, it stops:
//! an outbox that cannot write keeps every nozzle shut, and pictures are the smaller loss. Simulation and replay wait for it. A real robot
//! never does: what the thread cannot keep up with is left out and counted.

use super::Row;
use crate::disk::free_bytes;
use crate::drivers::FixQuality;
use crate::pose::{LastFix, Motion};
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use kompas_field::frame::heading::to_compass_deg;
use kompas_field::units::Metres;
use kompas_field::{FieldFrame, FieldPlane, Point2, RobotInstant};
use std::fs::File;
use std::io::{BufWriter, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// So many rows go without waiting for a picture.
const ROWS: usize = 1000;
/// Pictures that wait for the disk; each takes megabytes.
const WAITING: usize = 4;
/// Leaves keep their edges; a picture of 1280 by 960 takes about half a megabyte.
const JPEG_QUALITY: u8 = 95;

/// So much of a disk is left to the records: some days of treating without a network.
const RESERVE_BYTES: u64 = 1 << 30;

/// The pictures' folder is no place to keep them.
#[derive(Debug, thiserror::Error)]
pub enum AlbumError {
    /// Something is there.
    #[error("{} is not empty, and a folder holds one run: give a new folder", .0.display())]
    NotEmpty(PathBuf),
    /// It cannot be made or looked into.
    #[error("cannot keep pictures in {}", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// The system's words.
        #[source]
        source: std::io::Error,
    },
}

/// What became of the pictures.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// In the folder.
    pub pictures: u64,
    /// Left out, because those before were not written yet.
    pub left_out: u64,
    /// Why it stopped early.
    pub cause: Option<String>,
}

struct Page {
    rows: Vec<Row>,
    /// Its row is the last one.
    image: Option<RgbImage>,
}

/// A folder being filled.
#[derive(Debug)]
pub struct Album {
    plane: FieldPlane,
    every: Metres,
    pages: Option<SyncSender<Page>>,
    writer: Option<JoinHandle<(u64, Option<String>)>>,
    last: Option<Point2<FieldFrame>>,
    rows: Vec<Row>,
    count: u64,
    left_out: u64,
    world_waits: bool,
}

impl Album {
    /// Keeps a picture whenever the robot has moved on by `every`, in a new or empty folder. With `world_waits`
    /// (simulation, replay) the loop waits for the writer; a real robot never does.
    ///
    /// # Errors
    /// [`AlbumError`].
    pub fn begin(
        folder: &Path,
        every: Metres,
        plane: FieldPlane,
        world_waits: bool,
    ) -> Result<Self, AlbumError> {
        let fail = |source| AlbumError::Io { path: folder.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(fail)?;
        if std::fs::read_dir(folder).map_err(fail)?.next().is_some() {
            return Err(AlbumError::NotEmpty(folder.to_owned()));
        }
        let (pages, waiting) = sync_channel(WAITING);
        let folder = folder.to_owned();
        let writer = std::thread::spawn(move || {
            let mut pictures = 0;
            let cause = write(&folder, &waiting, &mut pictures, || free_bytes(&folder)).err();
            (pictures, cause.map(|why| why.to_string()))
        });
        Ok(Self {
            plane,
            every,
            pages: Some(pages),
            writer: Some(writer),
            last: None,
            rows: Vec::new(),
            count: 0,
            left_out: 0,
            world_waits,
        })
    }

    /// Where the robot was when a fix was true; without a place, that there was none.
    pub fn passed(&mut self, at: RobotInstant, motion: Option<&Motion>, fix: Option<LastFix>) {
        let row = self.row(String::new(), at, motion, fix);
        self.rows.push(row);
        if self.rows.len() >= ROWS {
            let rows = std::mem::take(&mut self.rows);
            // Rows without a picture that a busy disk has no time for are no loss.
            self.hand_on(Page { rows, image: None }).unwrap_or_default();
        }
    }

    /// A picture with its place.
    pub fn show(&mut self, at: RobotInstant, image: &RgbImage, motion: &Motion, fix: Option<LastFix>) {
        let here = motion.pose.position;
        if self.last.is_some_and(|last| last.distance(here) < self.every) {
            return;
        }
        self.last = Some(here);
        let row = self.row(format!("{:06}.jpg", self.count), at, Some(motion), fix);
        let mut rows = std::mem::take(&mut self.rows);
        rows.push(row);
        match self.hand_on(Page { rows, image: Some(image.clone()) }) {
            Ok(()) => self.count += 1,
            Err(mut rows) => {
                rows.pop();
                self.rows = rows;
                self.left_out += 1;
            }
        }
    }

    /// To the writer, or its rows back.
    fn hand_on(&self, page: Page) -> Result<(), Vec<Row>> {
        let Some(pages) = &self.pages else { return Err(page.rows) };
        if self.world_waits {
            return pages.send(page).map_err(|back| back.0.rows);
        }
        pages.try_send(page).map_err(|back| match back {
            TrySendError::Full(page) | TrySendError::Disconnected(page) => page.rows,
        })
    }

    /// Waits until all is written.
    pub fn end(mut self) -> Kept {
        let rows = std::mem::take(&mut self.rows);
        if let Some(pages) = self.pages.take() {
            // A writer that is gone has a cause, which is told below.
            drop(pages.send(Page { rows, image: None }));
        }
        let written = self.writer.take().map(JoinHandle::join);
        match written {
            Some(Ok((pictures, cause))) => Kept { pictures, left_out: self.left_out, cause },
            _ => Kept {
                cause: Some("the thread that writes pictures broke off".to_owned()),
                ..Kept::default()
            },
        }
    }

    fn row(&self, image: String, at: RobotInstant, motion: Option<&Motion>, fix: Option<LastFix>) -> Row {
        let place = motion.map(|motion| self.plane.to_geodetic(motion.pose.position));
        Row {
            image,
            time_s: at.since(RobotInstant::START).get(),
            lat_deg: place.map(|place| place.lat_deg),
            lon_deg: place.map(|place| place.lon_deg),
            heading_deg: motion.map(|motion| to_compass_deg(motion.pose.heading)),
            quality: place.and(fix).map_or(FixQuality::None, |fix| fix.quality),
            sigma_m: motion.map(|motion| motion.sigma.get()),
            correction_age_s: fix.map(|fix| fix.correction_age.get()),
            speed_mps: motion.map(|motion| motion.speed.get()),
        }
    }
}

/// Everything that comes, counting pictures, as long as there is room.
fn write(
    folder: &Path,
    pages: &Receiver<Page>,
    pictures: &mut u64,
    mut free: impl FnMut() -> std::io::Result<u64>,
) -> Result<(), csv::Error> {
    let mut list: Option<csv::Writer<_>> = None; // a run that never begins leaves nothing
    for Page { rows, image } in pages {
        if let (Some(image), Some(row)) = (image, rows.last()) {
            let mut jpeg = Vec::new();
            JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY)
                .encode_image(&image)
                .map_err(std::io::Error::other)?;
            let left = free()?;
            if left < RESERVE_BYTES.saturating_add(jpeg.len() as u64) {
                let text = format!(
                    "{} MB are free on the disk, and {} MB are left to the records: free space, or keep pictures on another disk",
                    left / 1_000_000,
                    RESERVE_BYTES / 1_000_000
                );
                return Err(std::io::Error::new(ErrorKind::StorageFull, text).into());
            }
            std::fs::write(folder.join(&row.image), jpeg)?;
            *pictures += 1;
        }
        let list = match &mut list {
            Some(list) => list,
            none => {
                let file = BufWriter::new(File::create_new(folder.join("poses.csv"))?);
                none.insert(csv::Writer::from_writer(file))
            }
        };
        for row in rows {
            list.serialize(row)?;
        }
        list.flush()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stop_where_the_records_room_begins() {
        let folder = tempfile::tempdir().unwrap();
        let row = |number| Row {
            image: format!("{number}.jpg"),
            time_s: 1.0,
            lat_deg: None,
            lon_deg: None,
            heading_deg: None,
            quality: FixQuality::None,
            sigma_m: None,
            correction_age_s: None,
            speed_mps: None,
        };
        let (pages, waiting) = sync_channel(WAITING);
        for number in 0..3 {
            pages.send(Page { rows: vec![row(number)], image: Some(RgbImage::new(8, 8)) }).unwrap();
        }
        drop(pages);
        let mut left = [RESERVE_BYTES + 100_000, RESERVE_BYTES + 50_000, RESERVE_BYTES + 10].into_iter();
        let mut pictures = 0;
        let why = write(folder.path(), &waiting, &mut pictures, || Ok(left.next().unwrap())).unwrap_err();
        assert!(why.to_string().contains("1073 MB are free"), "{why}");
        assert_eq!(pictures, 2);
        assert!(folder.path().join("1.jpg").exists() && !folder.path().join("2.jpg").exists());
        let list = std::fs::read_to_string(folder.path().join("poses.csv")).unwrap();
        assert_eq!(list.lines().count(), 3, "a picture that was not kept has no row: {list}");
    }
}
