//! Labels drawn as outlines or run lengths, made into class ids per pixel.

use image::GrayImage;

/// One labelled plant or part of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Class id.
    pub class: u8,
    /// Where it is.
    pub outline: Outline,
}

/// Which pixels a shape covers.
#[derive(Debug, Clone, PartialEq)]
pub enum Outline {
    /// Polygons in pixels, the far corner of the picture at `[width, height]`: all that any of them covers. A pixel counts
    /// if its middle is inside; where a polygon crosses itself, inside an odd number of times.
    Polygons(Vec<Vec<[f64; 2]>>),
    /// Lengths of runs that are alternately out and in, column by column from the top left (COCO's order).
    Runs {
        /// In pixels.
        lengths: Vec<u32>,
        /// Width and height of the picture that they are of.
        size: (u32, u32),
    },
}

impl Outline {
    /// Whether it can be of a picture of this size.
    /// # Errors
    /// Run lengths of a picture of another size, or that do not add up to it.
    pub fn check(&self, width: u32, height: u32) -> Result<(), String> {
        let Self::Runs { lengths, size } = self else { return Ok(()) };
        // A picture on its side has as many pixels: it would be painted in stripes.
        if *size != (width, height) {
            return Err(format!(
                "run lengths are of {}x{}, the picture has {width}x{height}: make them of it upright (EXIF)",
                size.0, size.1
            ));
        }
        let total: u64 = lengths.iter().map(|&run| u64::from(run)).sum();
        if total != u64::from(width) * u64::from(height) {
            return Err(format!("run lengths add up to {total}, the picture has {width}x{height}"));
        }
        Ok(())
    }
}

/// The shapes painted in order onto soil: a later one covers an earlier one.
/// # Errors
/// As [`Outline::check`].
pub fn painted(shapes: &[Shape], width: u32, height: u32) -> Result<GrayImage, String> {
    let mut map = GrayImage::new(width, height);
    for shape in shapes {
        shape.outline.check(width, height)?;
        match &shape.outline {
            Outline::Polygons(polygons) => {
                for polygon in polygons {
                    fill(&mut map, polygon, shape.class);
                }
            }
            Outline::Runs { lengths, .. } => {
                let mut at = 0_u32;
                for (index, &run) in lengths.iter().enumerate() {
                    for place in at..at + run {
                        if index % 2 == 1 {
                            map.put_pixel(place / height, place % height, image::Luma([shape.class]));
                        }
                    }
                    at += run;
                }
            }
        }
    }
    Ok(map)
}

fn fill(map: &mut GrayImage, polygon: &[[f64; 2]], class: u8) {
    let (width, height) = map.dimensions();
    let mut crossings = Vec::new();
    for row in 0..height {
        let y = f64::from(row) + 0.5;
        crossings.clear();
        for (index, &[x0, y0]) in polygon.iter().enumerate() {
            let [x1, y1] = polygon[(index + 1) % polygon.len()];
            if (y0 <= y) != (y1 <= y) {
                crossings.push(x0 + (y - y0) * (x1 - x0) / (y1 - y0));
            }
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            // The first pixel whose middle lies at or right of the crossing.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the row")]
            let column = |x: f64| (x - 0.5).ceil().clamp(0., f64::from(width)) as u32;
            for x in column(pair[0])..column(pair[1]) {
                map.put_pixel(x, row, image::Luma([class]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polygon_takes_the_pixels_whose_middle_it_holds_and_later_shapes_cover_earlier() {
        let square = |from: f64, to: f64| vec![[from, from], [to, from], [to, to], [from, to]];
        let shape = |class, polygons| Shape { class, outline: Outline::Polygons(polygons) };
        // Two leaves that overlap are both beet, as pycocotools.mask.merge has it; the weed lies over them and reaches
        // beyond the picture.
        let beet = shape(2, vec![square(0.4, 3.6), square(2.4, 4.6)]);
        let map = painted(&[beet, shape(1, vec![square(4.0, 9.0)])], 6, 5).unwrap();
        let rows: Vec<&[u8]> = map.as_raw().chunks_exact(6).collect();
        let wanted: [[u8; 6]; 5] = [
            [2, 2, 2, 2, 0, 0],
            [2, 2, 2, 2, 0, 0],
            [2, 2, 2, 2, 2, 0],
            [2, 2, 2, 2, 2, 0],
            [0, 0, 2, 2, 1, 1],
        ];
        assert_eq!(rows, wanted);
        let crossed = vec![[0., 0.], [4., 0.], [4., 3.], [1., 3.], [1., 1.], [3., 1.], [3., 4.], [0., 4.]];
        let map = painted(&[shape(2, vec![crossed])], 4, 4).unwrap();
        let inside = [(1, 1), (2, 1), (1, 2), (2, 2)].map(|(x, y)| map.get_pixel(x, y).0[0]);
        assert_eq!(inside, [0; 4], "inside an even number of times");
    }

    #[test]
    fn runs_go_down_the_columns_and_must_be_of_the_picture_and_fill_it() {
        let shape = |lengths, size| [Shape { class: 3, outline: Outline::Runs { lengths, size } }];
        let map = painted(&shape(vec![1, 3, 2], (2, 3)), 2, 3).unwrap();
        assert_eq!(map.as_raw()[..], [0, 3, 3, 0, 3, 0]);
        assert!(painted(&shape(vec![1, 3, 1], (2, 3)), 2, 3).unwrap_err().contains("add up to 5"));
        let reason = painted(&shape(vec![1, 3, 2], (3, 2)), 2, 3).unwrap_err();
        assert!(reason.contains("are of 3x2, the picture has 2x3"), "{reason}");
    }
}
