//! Frames in which nothing can be seen. Limits were set so that every photograph of four cameras passes,
//! the darkest (brightest percentile 53 of 255) included.

use image::RgbImage;

/// Why a frame says nothing about plants.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Unusable {
    /// No light, or the cap is on.
    #[error("too dark: 99 % of the pixels stay below {brightest} of 255; lens cap, exposure or night")]
    TooDark {
        /// 99th percentile of the brightest channel.
        brightest: u8,
    },
    /// The sensor is saturated.
    #[error("over-exposed: {:.0} % of the pixels are saturated; shorten the exposure", share * 100.0)]
    OverExposed {
        /// Share of saturated pixels.
        share: f64,
    },
    /// Nothing but green.
    #[error("all green: {:.1} % of the pixels; the canopy is closed, or a leaf covers the lens", share * 100.0)]
    AllGreen {
        /// Share of green pixels.
        share: f64,
    },
    /// Grey, infrared or thermal: plants cannot be told from soil.
    #[error("no colour: {:.1} % of the pixels are grey; not a colour camera, or not its colour picture", share * 100.0)]
    NoColour {
        /// Share of grey pixels.
        share: f64,
    },
    /// No detail at all.
    #[error("no detail: neighbouring pixels differ by {:.2} % of the brightness; out of focus, dirt, or no picture", detail * 100.0)]
    NoDetail {
        /// Mean difference of neighbouring pixels, over the brightest percentile.
        detail: f64,
    },
}

impl Unusable {
    /// A name for counters and records.
    pub const fn key(&self) -> &'static str {
        match self {
            Self::TooDark { .. } => "too_dark",
            Self::OverExposed { .. } => "over_exposed",
            Self::AllGreen { .. } => "all_green",
            Self::NoColour { .. } => "no_colour",
            Self::NoDetail { .. } => "no_detail",
        }
    }
}

/// A frame whose brightest percentile is darker holds 3 bits of signal.
const DARKEST: u8 = 12;
/// A channel from here on is clipped. A pixel with two such channels is saturated: brown soil clips red and green first,
/// and what is left of its colour is a yellow that was not there.
const SATURATED: u8 = 250;
/// More of the frame saturated than this hides more than it shows; photographs in full sun have a few hundredths.
const MOST_SATURATED: f64 = 0.5;
/// ExG, in hundredths, from which a pixel is green.
const GREEN_HUNDREDTHS: i32 = 10;
/// A drone tile wholly inside a crop reaches 0.99.
const MOST_GREEN: f64 = 0.995;
/// Channels that differ by no more are a grey; a JPEG file without colours rounds by one.
const GREY: u8 = 2;
/// Photographs of four cameras have 0.37 and less.
const MOST_GREY: f64 = 0.999;
/// Photographs have 0.012 and more; the same blurred over 4 pixels still 0.003.
const LEAST_DETAIL: f64 = 0.002;
/// Rows are skipped in frames with more pixels than this.
const ENOUGH_PIXELS: usize = 60_000;

/// The reason why `image` shows nothing, where there is one.
pub fn unusable(image: &RgbImage) -> Option<Unusable> {
    let facts = Facts::of(image);
    if facts.pixels == 0 {
        return Some(Unusable::TooDark { brightest: 0 });
    }
    let brightest = facts.percentile_99();
    let share = |count: u32| f64::from(count) / f64::from(facts.pixels);
    let detail = facts.differences as f64 / f64::from(facts.pairs.max(1)) / f64::from(brightest.max(1));
    if brightest < DARKEST {
        Some(Unusable::TooDark { brightest })
    } else if share(facts.saturated) > MOST_SATURATED {
        Some(Unusable::OverExposed { share: share(facts.saturated) })
    } else if share(facts.green) > MOST_GREEN {
        Some(Unusable::AllGreen { share: share(facts.green) })
    } else if share(facts.grey) > MOST_GREY {
        Some(Unusable::NoColour { share: share(facts.grey) })
    } else if detail < LEAST_DETAIL {
        Some(Unusable::NoDetail { detail })
    } else {
        None
    }
}

struct Facts {
    pixels: u32,
    saturated: u32,
    green: u32,
    grey: u32,
    pairs: u32,
    differences: u64,
    brightest: [u32; 256],
}

impl Facts {
    fn of(image: &RgbImage) -> Self {
        let mut facts = Self {
            pixels: 0,
            saturated: 0,
            green: 0,
            grey: 0,
            pairs: 0,
            differences: 0,
            brightest: [0; 256],
        };
        let row_bytes = 3 * image.width() as usize;
        let step = (image.as_raw().len() / 3 / ENOUGH_PIXELS).max(1);
        for row in image.as_raw().chunks_exact(row_bytes.max(1)).step_by(step) {
            let mut before: Option<u8> = None;
            for pixel in row.chunks_exact(3) {
                let [r, g, b] = [pixel[0], pixel[1], pixel[2]];
                let total = i32::from(r) + i32::from(g) + i32::from(b);
                facts.pixels += 1;
                let second = b.clamp(r.min(g), r.max(g));
                facts.saturated += u32::from(second >= SATURATED);
                facts.green += u32::from(100 * (3 * i32::from(g) - total) > GREEN_HUNDREDTHS * total);
                facts.grey += u32::from(r.max(g).max(b) - r.min(g).min(b) <= GREY);
                facts.brightest[usize::from(r.max(g).max(b))] += 1;
                if let Some(before) = before {
                    facts.pairs += 1;
                    facts.differences += u64::from(g.abs_diff(before));
                }
                before = Some(g);
            }
        }
        facts
    }

    /// The least value that 99 % of the pixels do not exceed.
    fn percentile_99(&self) -> u8 {
        let enough = self.pixels - self.pixels / 100;
        let mut below = 0;
        let found = (0_u8..=255).zip(self.brightest).find(|&(_, count)| {
            below += count;
            below >= enough
        });
        found.map_or(255, |(value, _)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn grainy([r, g, b]: [u8; 3]) -> RgbImage {
        RgbImage::from_fn(160, 120, |x, y| {
            let grain = u8::try_from((x * 7919 + y * 104_729 + x * y * 31) % 8).unwrap();
            Rgb([r.saturating_add(grain), g.saturating_add(grain), b.saturating_add(grain)])
        })
    }

    #[test]
    fn every_reason_is_named() {
        for (colour, reason) in [
            ([0, 0, 0], "too_dark"),
            ([250, 252, 251], "over_exposed"),
            ([60, 130, 40], "all_green"),
            ([90, 90, 91], "no_colour"),
        ] {
            assert_eq!(unusable(&grainy(colour)).map(|reason| reason.key()), Some(reason));
        }
        let flat = RgbImage::from_pixel(64, 64, Rgb([120, 100, 80]));
        assert_eq!(unusable(&flat).map(|reason| reason.key()), Some("no_detail"));
    }

    #[test]
    fn soil_is_usable_in_light_and_in_dusk() {
        assert_eq!(unusable(&grainy([130, 108, 88])), None);
        assert_eq!(unusable(&grainy([30, 28, 24])), None);
    }

    #[test]
    fn two_clipped_channels_in_most_of_a_frame_are_too_many() {
        let soil = grainy([130, 108, 88]);
        let reason = |frame: &RgbImage| unusable(frame).map(|reason| reason.key());
        for clipped in [[255, 255, 255], [255, 255, 225], [255, 252, 200], [255, 210, 250], [225, 255, 250]] {
            let flat = RgbImage::from_pixel(64, 64, Rgb(clipped));
            assert_eq!(reason(&flat), Some("over_exposed"), "{clipped:?}");
            for (percent, wanted) in [(70, Some("over_exposed")), (30, None)] {
                let frame = RgbImage::from_fn(100, 80, |x, y| {
                    if x < percent { Rgb(clipped) } else { *soil.get_pixel(x, y) }
                });
                assert_eq!(reason(&frame), wanted, "{clipped:?} in {percent} %");
            }
        }
    }

    #[test]
    fn one_clipped_channel_leaves_two_to_see_by() {
        assert_eq!(unusable(&grainy([255, 200, 150])), None);
        assert_eq!(unusable(&grainy([255, 242, 200])), None);
    }

    #[test]
    fn a_frame_without_pixels_shows_nothing() {
        assert!(unusable(&RgbImage::new(0, 0)).is_some());
        assert!(unusable(&RgbImage::new(0, 5)).is_some());
    }
}
