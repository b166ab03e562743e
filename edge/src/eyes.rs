//! A picture to plants on the ground, with the time each step takes.

use crate::clock::Stopwatch;
use crate::pose::Motion;
use crate::tally::StageSeconds;
use image::RgbImage;
use kompas_field::rig::CameraRig;
use kompas_vision::plants::{Detection, PlantRules, find_plants};
use kompas_vision::usable::unusable;
use kompas_vision::{Camera, FieldMemory, GroundDetection, Segmenter, ground};

/// Camera, segmenter and the rules by which pixels become plants.
pub struct Eyes {
    camera: Camera,
    segmenter: Box<dyn Segmenter>,
    /// What the frames so far have shown of the field; after a restart it is learnt anew. None: each is judged by itself.
    field: Option<FieldMemory>,
    rules: PlantRules,
}

/// Ground under a pixel in the middle of the picture, in metres.
pub(crate) fn gsd_m(camera: &Camera, rig: &CameraRig) -> f64 {
    // A camera whose axis misses the ground is refused with the rig; 2 mm is a camera at 1.5 m.
    camera.gsd_m_at([rig.centre_x_px, rig.centre_y_px]).unwrap_or(0.002)
}

impl Eyes {
    /// As mounted; `remembers`: frames are of one field, and each hears what those before have shown of it.
    pub fn new(rig: &CameraRig, segmenter: Box<dyn Segmenter>, remembers: bool) -> Self {
        let camera = Camera::new(rig);
        let rules = PlantRules::at_gsd(gsd_m(&camera, rig));
        Self { camera, segmenter, field: remembers.then(FieldMemory::default), rules }
    }

    /// What finds the plants, for records.
    pub fn segmenter_id(&self) -> &str {
        self.segmenter.id()
    }

    /// The plants in a picture; none on bare soil.
    ///
    /// # Errors
    /// Why the picture shows nothing, in words for a person.
    pub fn look(
        &mut self,
        image: &RgbImage,
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
        let map = match &mut self.field {
            Some(field) => self.segmenter.segment_in(image, field),
            None => self.segmenter.segment(image),
        };
        stages.segment += watch.split();
        let map = map.map_err(|why| crate::recorder::chain(&why))?;
        let found = find_plants(&map, &self.rules);
        stages.plants += watch.split();
        Ok(found)
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
    fn pictures_are_remembered_only_where_they_are_of_one_field() {
        let rig: kompas_field::rig::RigToml = toml::from_str(include_str!("../demo/rig.toml")).unwrap();
        let rig = rig.camera.unwrap();
        let grain = |x: u32, y: u32| u8::try_from((x * 7 + y * 13) % 9).unwrap();
        let soil = RgbImage::from_fn(rig.width_px, rig.height_px, |x, y| {
            image::Rgb([118, 112, 108].map(|value| value + grain(x, y)))
        });
        for (remembers, expected) in [(true, [0, 1]), (false, [0, 0])] {
            let (tell, told) = sync_channel(2);
            let mut eyes = Eyes::new(&rig, Box::new(Remembering(tell)), remembers);
            let (mut stages, mut watch) = (StageSeconds::default(), Stopwatch::start(SystemClock::start()));
            for _ in 0..2 {
                eyes.look(&soil, &mut stages, &mut watch).unwrap();
            }
            assert_eq!(told.try_iter().collect::<Vec<_>>(), expected);
        }
    }
}
