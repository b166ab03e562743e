//! The camera: a picture every few decimetres of path where the implement is on, and before, as far as the
//! camera looks ahead of the boom.
//!
//! A picture depends on its place along the path alone, so the next ones can be drawn ahead on a thread of
//! their own while the robot thinks about this one.

use super::render::Renderer;
use super::simulator::Shared;
use super::vehicle::Trajectory;
use crate::drivers::{Frame, FrameFault, FrameSource};
use image::RgbImage;
use kompas_field::units::{Metres, Seconds};
use kompas_field::{FieldFrame, Point2, Pose2, RobotFrame, RobotInstant, Stamped, Transform2};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// The simulated camera.
pub struct SimCamera {
    shared: Arc<Shared>,
    footprint: Vec<Point2<RobotFrame>>,
    triggers: Vec<Metres>,
    next: usize,
    pictures: Pictures,
}

enum Pictures {
    /// Drawn when asked for.
    Now(Box<Renderer>),
    /// Drawn by the worker, in the order of the triggers. Both are `None` only while dropping.
    Ahead(Option<Receiver<RgbImage>>, Option<JoinHandle<()>>),
}

impl SimCamera {
    pub(super) fn new(shared: Arc<Shared>, renderer: Renderer, triggers: Vec<Metres>, ahead: usize) -> Self {
        let footprint = renderer.footprint().to_vec();
        let pictures = if ahead == 0 {
            Pictures::Now(Box::new(renderer))
        } else {
            let (sender, receiver) = sync_channel(ahead);
            let (drive, places) = (Arc::clone(&shared.drive), triggers.clone());
            let worker = std::thread::spawn(move || draw_all(renderer, &drive, &places, &sender));
            Pictures::Ahead(Some(receiver), Some(worker))
        };
        Self { shared, footprint, triggers, next: 0, pictures }
    }
}

impl FrameSource for SimCamera {
    fn next_frame(&mut self) -> Option<Stamped<Frame>> {
        let drive = &self.shared.drive;
        let at = *self.triggers.get(self.next)?;
        self.next += 1;
        let (true_at, pose) = exposure(drive, at);
        let field_from_robot = Transform2::<FieldFrame, RobotFrame>::at(&pose);
        let outline: Vec<_> = self.footprint.iter().map(|&point| &field_from_robot * point).collect();
        self.shared.see(&outline);
        let image = match &mut self.pictures {
            Pictures::Now(renderer) => Ok(draw(renderer, drive, at)),
            Pictures::Ahead(receiver, _) => receiver
                .as_ref()
                .and_then(|receiver| receiver.recv().ok())
                .ok_or_else(|| FrameFault::Unreadable("the simulator's camera thread ended".to_owned())),
        };
        Some(Stamped::new(true_at, Frame { name: format!("{:09.3}m", at.get()), image }))
    }
}

impl Drop for SimCamera {
    fn drop(&mut self) {
        if let Pictures::Ahead(receiver, worker) = &mut self.pictures {
            // Without a receiver the worker's next send fails, and it ends.
            drop(receiver.take());
            if let Some(worker) = worker.take() {
                drop(worker.join());
            }
        }
    }
}

fn draw_all(mut renderer: Renderer, drive: &Trajectory, places: &[Metres], sender: &SyncSender<RgbImage>) {
    for &at in places {
        if sender.send(draw(&mut renderer, drive, at)).is_err() {
            return;
        }
    }
}

/// When the picture at a place of the path is taken, and from where.
fn exposure(drive: &Trajectory, at: Metres) -> (RobotInstant, Pose2<FieldFrame>) {
    let true_at = drive.instant_at(at);
    (true_at, drive.at(true_at).pose)
}

fn draw(renderer: &mut Renderer, drive: &Trajectory, at: Metres) -> RgbImage {
    let (true_at, pose) = exposure(drive, at);
    // By place, not by count: after a restart the same picture looks the same.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "millimetres of path")]
    let number = (at.get() * 1e3).round() as u64;
    let time = Seconds::new(drive.seconds_before_start()) + true_at.since(RobotInstant::START);
    renderer.render(&pose, number, time)
}
