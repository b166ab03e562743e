//! Plants as sprites, each at the height of its canopy: a leaf above the ground appears farther out.

use super::super::plants::Shape;
use super::super::sprites::{Sprite, SpriteSheet};
use super::super::world::World;
use super::Renderer;
use kompas_field::{FieldFrame, Point2, Pose2, RobotFrame, Transform2};
use std::ops::Range;

/// What is left of the light in a shadow.
const SHADOW: f32 = 0.55;

/// One plant, ready to be drawn.
struct Placed<'a> {
    sprite: &'a Sprite,
    level: usize,
    /// Stem, robot frame.
    stem: [f32; 2],
    /// Turn of the sprite in the robot frame.
    cos: f32,
    sin: f32,
    radius_m: f32,
    height_m: f64,
    /// Pull of a canopy pixel towards the point under the lens: 1 − height / lens height.
    pull: f32,
}

/// Shadows of all plants, then the plants, low ones first.
pub(super) fn paint(
    renderer: &Renderer,
    world: &World,
    sprites: &SpriteSheet,
    pose: &Pose2<FieldFrame>,
    in_view: &[u32],
    pixels: &mut [u8],
) {
    let robot_from_field = Transform2::<FieldFrame, RobotFrame>::at(pose).inverse();
    let mut placed: Vec<Placed<'_>> = in_view
        .iter()
        .filter_map(|&number| place(renderer, world, sprites, pose, &robot_from_field, number))
        .collect();
    placed.sort_by(|a, b| a.height_m.total_cmp(&b.height_m));
    let sun = world.sun();
    let (sin, cos) = (sun.shadow - pose.heading).get().sin_cos();
    for plant in &placed {
        let reach = plant.height_m * sun.reach;
        #[expect(clippy::cast_possible_truncation, reason = "centimetres")]
        let offset = [(reach * cos) as f32, (reach * sin) as f32];
        plant.cover(renderer, offset, 1.0, |at, x, y| {
            let alpha = plant.sprite.cover_at(plant.level, x, y);
            if alpha < 0.5 {
                return;
            }
            let keep = 1.0 - (1.0 - SHADOW) * alpha / 255.0;
            for channel in &mut pixels[3 * at..3 * at + 3] {
                *channel = byte(f32::from(*channel) * keep);
            }
        });
    }
    for plant in &placed {
        plant.cover(renderer, [0.0; 2], plant.pull, |at, x, y| {
            let [r, g, b, alpha] = plant.sprite.at(plant.level, x, y);
            if alpha < 0.5 {
                return;
            }
            let keep = 1.0 - alpha / 255.0;
            for (channel, colour) in pixels[3 * at..3 * at + 3].iter_mut().zip([r, g, b]) {
                *channel = byte(f32::from(*channel) * keep + colour);
            }
        });
    }
}

#[inline]
fn byte(value: f32) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast saturates")]
    let byte = (value + 0.5) as u8;
    byte
}

#[expect(clippy::cast_possible_truncation, reason = "metres around the robot fit single precision")]
fn place<'a>(
    renderer: &Renderer,
    world: &World,
    sprites: &'a SpriteSheet,
    pose: &Pose2<FieldFrame>,
    robot_from_field: &Transform2<RobotFrame, FieldFrame>,
    number: u32,
) -> Option<Placed<'a>> {
    let plant = &world.plants()[number as usize];
    let Shape::Drawn { habit, variant, radius_m, turn, height_m } = plant.shape else { return None };
    let stem = robot_from_field * plant.stem;
    let (sin, cos) = (turn - pose.heading.get()).sin_cos();
    let height_m = height_m.min(renderer.lens_height_m * 0.5);
    Some(Placed {
        sprite: sprites.get(habit, variant),
        level: Sprite::level_for((renderer.gsd_m / radius_m) as f32),
        stem: [stem.x as f32, stem.y as f32],
        cos: cos as f32,
        sin: sin as f32,
        radius_m: radius_m as f32,
        height_m,
        pull: (1.0 - height_m / renderer.lens_height_m) as f32,
    })
}

impl Placed<'_> {
    /// Calls `draw` with every pixel that the sprite may cover and its place on the sprite, moved by `offset` on the ground and lifted so
    /// that what is seen at ground distance d from the lens stands at `pull` · d.
    fn cover(&self, renderer: &Renderer, offset: [f32; 2], pull: f32, mut draw: impl FnMut(usize, f32, f32)) {
        let nadir = renderer.camera.nadir();
        #[expect(clippy::cast_possible_truncation, reason = "metres around the robot")]
        let nadir = [nadir.x as f32, nadir.y as f32];
        let middle = [0, 1].map(|i| self.stem[i] + offset[i]);
        let Some((columns, rows)) = self.window(renderer, nadir, middle, pull) else { return };
        let width = renderer.camera.size_px()[0] as usize;
        let scale = 1.0 / self.radius_m;
        for row in rows {
            for col in columns.clone() {
                let at = row * width + col;
                let ground = renderer.ground_m[at];
                let [dx, dy] = [0, 1].map(|i| nadir[i] + (ground[i] - nadir[i]) * pull - middle[i]);
                let x = (dx * self.cos + dy * self.sin) * scale;
                let y = (dy * self.cos - dx * self.sin) * scale;
                draw(at, x, y);
            }
        }
    }

    /// Columns and rows that the sprite may cover; `None` outside the picture.
    fn window(
        &self,
        renderer: &Renderer,
        nadir: [f32; 2],
        middle: [f32; 2],
        pull: f32,
    ) -> Option<(Range<usize>, Range<usize>)> {
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for corner in [
            [-1.0, -1.0],
            [1.0, -1.0],
            [1.0, 1.0],
            [-1.0, 1.0],
            [-1.0, 0.0],
            [1.0, 0.0],
            [0.0, -1.0],
            [0.0, 1.0],
        ] {
            let place = [0, 1].map(|i| nadir[i] + (middle[i] + corner[i] * self.radius_m - nadir[i]) / pull);
            let ground = Point2::new(f64::from(place[0]), f64::from(place[1]));
            let pixel = renderer.camera.pixel_from_ground(ground)?;
            for i in 0..2 {
                low[i] = low[i].min(pixel[i] - 1.0);
                high[i] = high[i].max(pixel[i] + 1.0);
            }
        }
        let size = renderer.camera.size_px().map(f64::from);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
        let range =
            |i: usize| low[i].clamp(0.0, size[i]) as usize..high[i].clamp(0.0, size[i]).ceil() as usize;
        let (columns, rows) = (range(0), range(1));
        (!columns.is_empty() && !rows.is_empty()).then_some((columns, rows))
    }
}
