//! Training crops: cut out, turned, scaled, recoloured, sometimes pasted together from two sources.
//!
//! ```text
//! scene ─► view (place, scale, turn) ─► other ground or drawn plants, debris, pasted plants (sometimes)
//!       ─► colours, shadows, dark, blur, noise, JPEG ─► crop
//! ```
//! Everything is drawn from the generator passed in: the same seed gives the same bytes.

mod colour;
mod composite;
mod drawn;
mod sensor;
mod sown;
mod sprite;
mod view;

pub use composite::{paste, paste_debris, transplant};
pub use sown::Drawn;
pub use sprite::{Sprite, cut_sprites, read_seedlings};
pub use view::View;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// A square piece of a scene on its way into training.
#[derive(Debug, Clone, PartialEq)]
pub struct Crop {
    /// Side in pixels.
    pub side: u32,
    /// RGB, row by row, 0..=255.
    pub rgb: Vec<[f32; 3]>,
    /// Class ids, row by row.
    pub mask: Vec<u8>,
}

impl Crop {
    /// The pixels as interleaved bytes.
    pub fn bytes(&self) -> Vec<u8> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let bytes = self.rgb.iter().flatten().map(|value| (value + 0.5).clamp(0., 255.) as u8).collect();
        bytes
    }
}

/// How much each change is used; shares are probabilities.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strength {
    /// Smallest zoom: pixels of the crop per pixel at working size.
    pub scale_min: f32,
    /// Largest zoom.
    pub scale_max: f32,
    /// Crops zoomed until their plant has a size that does not depend on its class or source.
    pub even_size_share: f32,
    /// Crops seen through a dark linear camera.
    pub dark_share: f32,
    /// Crops whose soil gets another colour than its own, the plants keeping theirs.
    pub soil_share: f32,
    /// Crops whose plants get another colour than their own.
    pub repaint_share: f32,
    /// Crops whose plants throw shadows.
    pub shadow_share: f32,
    /// Crops with the edge of a shadow across them.
    pub shade_share: f32,
    /// Crops blurred.
    pub blur_share: f32,
    /// Crops with sensor noise.
    pub noise_share: f32,
    /// Crops that go through a JPEG file.
    pub jpeg_share: f32,
    /// Crops whose plants stand on the ground of another.
    pub transplant_share: f32,
    /// Crops with plants of another source pasted in.
    pub composite_share: f32,
    /// Crops around ground, whatever stands on it left there, with a row of drawn beets of one sowing and drawn weeds
    /// pasted in ([`Drawn`]); none where not given. The shares of classes are those of the others.
    #[serde(default, skip_serializing_if = "is_none")]
    pub sown_share: f32,
    /// Crops with stones, straw and dry leaves pasted in.
    pub debris_share: f32,
}

impl Strength {
    /// Its probabilities by key.
    pub fn shares(&self) -> [(&'static str, f32); 13] {
        [
            ("augment.even_size_share", self.even_size_share),
            ("augment.dark_share", self.dark_share),
            ("augment.soil_share", self.soil_share),
            ("augment.repaint_share", self.repaint_share),
            ("augment.shadow_share", self.shadow_share),
            ("augment.shade_share", self.shade_share),
            ("augment.blur_share", self.blur_share),
            ("augment.noise_share", self.noise_share),
            ("augment.jpeg_share", self.jpeg_share),
            ("augment.transplant_share", self.transplant_share),
            ("augment.composite_share", self.composite_share),
            ("augment.sown_share", self.sown_share),
            ("augment.debris_share", self.debris_share),
        ]
    }
}

/// Runs of before there were drawn plants are continued, so what is not used is not written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_none(share: &f32) -> bool {
    *share == 0.
}

/// Recolours and degrades a crop as another camera, day or lens would.
pub fn degrade(crop: &mut Crop, strength: &Strength, rng: &mut impl Rng) {
    if rng.random::<f32>() < strength.soil_share {
        colour::repaint_soil(crop, rng);
    }
    if rng.random::<f32>() < strength.repaint_share {
        colour::repaint_plants(crop, rng);
    }
    if rng.random::<f32>() < strength.shadow_share {
        colour::cast_shadows(crop, rng);
    }
    colour::recolour(crop, rng);
    if rng.random::<f32>() < strength.shade_share {
        colour::shade(crop, rng);
    }
    if rng.random::<f32>() < strength.blur_share {
        sensor::blur(crop, rng.random_range(0.4..1.6));
    }
    if rng.random::<f32>() < strength.dark_share {
        sensor::expose_darkly(crop, rng);
    } else if rng.random::<f32>() < strength.noise_share {
        sensor::add_noise(crop, rng.random_range(1.0..9.0), rng);
    }
    if rng.random::<f32>() < strength.jpeg_share {
        sensor::through_jpeg(crop, rng.random_range(25..85));
    }
}
