//! A picture to plants on the ground, with the time each step takes.

use crate::clock::Stopwatch;
use crate::pose::Motion;
use crate::tally::StageSeconds;
use image::RgbImage;
use kompas_field::rig::CameraRig;
use kompas_field::units::Metres;
use kompas_field::{Boundary, FieldFrame, Point2, RobotFrame, Transform2};
use kompas_vision::plants::{Detection, PlantRules, find_plants};
use kompas_vision::usable::unusable;
use kompas_vision::{Camera, FieldMemory, GroundDetection, Segmenter, ground};

/// Camera, segmenter and the rules by which pixels become plants.
pub struct Eyes {
    camera: Camera,
    segmenter: Box<dyn Segmenter>,
    /// None: each frame is judged by itself.
    field: Option<FieldSeen>,
    rules: PlantRules,
}

/// What the frames so far have shown of the field; after a restart it is learnt anew.
struct FieldSeen {
    boundary: Boundary,
    memory: FieldMemory,
    /// The middle of the last picture that was learnt from.
    last: Option<Point2<FieldFrame>>,
    /// From there to the next: a third of what a picture shows of the way ahead.
    step: Metres,
}

impl FieldSeen {
    fn new(boundary: Boundary, camera: &Camera) -> Self {
        let outline = camera.footprint(4).unwrap_or_default();
        let (near, far) = outline
            .iter()
            .fold((f64::MAX, f64::MIN), |(near, far), point| (near.min(point.x), far.max(point.x)));
        let step = Metres::new(((far - near) / 3.0).max(0.0));
        Self { boundary, memory: FieldMemory::default(), last: None, step }
    }

    /// Whether a picture with its middle there shows other ground of the field than the last one: a robot that stands, or
    /// drives along a verge, would believe a single spot more and more, or weeds of nobody's field.
    fn is_new(&self, middle: Point2<FieldFrame>) -> bool {
        self.boundary.contains(middle) && self.last.is_none_or(|last| last.distance(middle) >= self.step)
    }
}

/// Ground under a pixel in the middle of the picture, in metres.
pub(crate) fn gsd_m(camera: &Camera, rig: &CameraRig) -> f64 {
    // A camera whose axis misses the ground is refused with the rig; 2 mm is a camera at 1.5 m.
    camera.gsd_m_at([rig.centre_x_px, rig.centre_y_px]).unwrap_or(0.002)
}

impl Eyes {
    /// As mounted; `field`: frames are of this one field, and each hears what those before have shown of it.
    pub fn new(rig: &CameraRig, segmenter: Box<dyn Segmenter>, field: Option<Boundary>) -> Self {
        let camera = Camera::new(rig);
        let rules = PlantRules::at_gsd(gsd_m(&camera, rig));
        let field = field.map(|boundary| FieldSeen::new(boundary, &camera));
        Self { camera, segmenter, field, rules }
    }

    /// What finds the plants, for records.
    pub fn segmenter_id(&self) -> &str {
        self.segmenter.id()
    }

    /// The plants in a picture, taken where the robot moved like this; none on bare soil. Without a place it hears of the
    /// field, but the field's other pictures do not hear of it.
    ///
    /// # Errors
    /// Why the picture shows nothing, in words for a person.
    pub fn look(
        &mut self,
        image: &RgbImage,
        motion: Option<&Motion>,
        stages: &mut StageSeconds,
        watch: &mut Stopwatch,
    ) -> Result<Vec<Detection>, String> {
        let [wanted_width, wanted_height] = self.camera.size_px();
        let (width, height) = image.dimensions();
        if [width, height] != [wanted_width, wanted_height] {
            let fault = crate::drivers::FrameFault::WrongSize { width, height, wanted_width, wanted_height };
            return Err(fault.to_string());
        }
        let reason = unusable(image);
        stages.usable += watch.split();
        if let Some(reason) = reason {
            return Err(reason.to_string());
        }
        let middle = motion.and_then(|motion| self.middle(motion));
        let map = match &mut self.field {
            Some(field) => match middle.filter(|&middle| field.is_new(middle)) {
                Some(middle) => {
                    field.last = Some(middle);
                    self.segmenter.segment_in(image, &mut field.memory)
                }
                None => self.segmenter.segment_in(image, &mut field.memory.clone()),
            },
            None => self.segmenter.segment(image),
        };
        stages.segment += watch.split();
        let map = map.map_err(|why| crate::recorder::chain(&why))?;
        let found = find_plants(&map, &self.rules);
        stages.plants += watch.split();
        Ok(found)
    }

    /// Where in the field the middle of a picture lies.
    fn middle(&self, motion: &Motion) -> Option<Point2<FieldFrame>> {
        let middle =
            self.camera.ground_from_pixel(self.camera.size_px().map(|side| f64::from(side) / 2.0))?;
        Some(&Transform2::<FieldFrame, RobotFrame>::at(&motion.pose) * middle)
    }

    /// Where the plants stand, for a robot that moved like this when the picture was taken.
    pub fn project(&self, detections: &[Detection], motion: &Motion) -> Vec<GroundDetection> {
        ground::project(detections, &self.camera, &motion.pose, motion.sigma)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::testing;
    use kompas_field::RawBoundary;
    use kompas_vision::consensus::{Colours, Consensus, agree};
    use kompas_vision::segment::{ClassMap, SegmentError};
    use std::sync::mpsc::{SyncSender, sync_channel};

    /// Tells how many pictures it was handed the memory of, and adds one.
    struct Remembering(SyncSender<usize>);

    impl Segmenter for Remembering {
        fn id(&self) -> &'static str {
            "remembering"
        }

        fn segment_in(
            &mut self,
            image: &RgbImage,
            field: &mut FieldMemory,
        ) -> Result<ClassMap, SegmentError> {
            self.0.send(field.pictures()).unwrap();
            let beet = Colours::of(&RgbImage::new(1, 1));
            agree(&mut [0., 0., 9., 0., 0.], 1, 1, Consensus::RELEASED, &beet, field.at(1.));
            let pixels = image.as_raw().len() / 3;
            ClassMap::new(image.width(), image.height(), vec![0; pixels], vec![255; pixels])
        }
    }

    #[test]
    fn only_pictures_of_new_ground_in_one_field_are_remembered() {
        let rig: kompas_field::rig::RigToml = toml::from_str(include_str!("../demo/rig.toml")).unwrap();
        let rig = rig.camera.unwrap();
        let grain = |x: u32, y: u32| u8::try_from((x * 7 + y * 13) % 9).unwrap();
        let soil = RgbImage::from_fn(rig.width_px, rig.height_px, |x, y| {
            image::Rgb([118, 112, 108].map(|value| value + grain(x, y)))
        });
        let corners = [[0.0, -9.0], [20.0, -9.0], [20.0, 9.0], [0.0, 9.0], [0.0, -9.0]].map(Point2::from);
        let raw = RawBoundary { outer: corners.to_vec(), exclusions: vec![] };
        let field = Boundary::new(&raw).unwrap();
        // A picture of the demo's camera shows more than 2 m of the way ahead. Beside the field, in it, standing, driving on, and
        // without a place.
        let at = |x: f64| testing::well(1.0, Point2::new(x, 0.0)).motion.ok();
        let motions = [at(-9.0), at(0.0), at(0.3), at(1.3), None, at(2.6)];
        for (field, expected) in [(Some(field), [0, 0, 1, 1, 2, 2]), (None, [0; 6])] {
            let (tell, told) = sync_channel(motions.len());
            let mut eyes = Eyes::new(&rig, Box::new(Remembering(tell)), field);
            let (mut stages, mut watch) = (StageSeconds::default(), Stopwatch::start(SystemClock::start()));
            for motion in &motions {
                eyes.look(&soil, motion.as_ref(), &mut stages, &mut watch).unwrap();
            }
            assert_eq!(told.try_iter().collect::<Vec<_>>(), expected);
        }
    }
}
