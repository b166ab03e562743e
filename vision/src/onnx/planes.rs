//! Pixels to the network's planes.

use crate::tiles::Tile;

/// Red, green and blue planes of `tile`, 0 to 1, at `[height, width]`; beyond the tile its last row and
/// column repeat.
pub(super) fn planes(picture: &image::RgbImage, tile: &Tile, [height, width]: [u32; 2], out: &mut Vec<f32>) {
    let (height, width) = (height as usize, width as usize);
    let table: [f32; 256] = std::array::from_fn(|value| value as f32 / 255.0);
    out.resize(3 * height * width, 0.0);
    let (red, rest) = out.split_at_mut(height * width);
    let (green, blue) = rest.split_at_mut(height * width);
    let row_bytes = 3 * picture.width() as usize;
    let filled = tile.width as usize;
    for row in 0..height {
        let from =
            (tile.top as usize + row.min(tile.height as usize - 1)) * row_bytes + 3 * tile.left as usize;
        let pixels = picture.as_raw()[from..from + 3 * filled].chunks_exact(3);
        let span = row * width..(row + 1) * width;
        let (red, green, blue) = (&mut red[span.clone()], &mut green[span.clone()], &mut blue[span]);
        for ((pixel, red), (green, blue)) in
            pixels.zip(red.iter_mut()).zip(green.iter_mut().zip(blue.iter_mut()))
        {
            *red = table[usize::from(pixel[0])];
            *green = table[usize::from(pixel[1])];
            *blue = table[usize::from(pixel[2])];
        }
        for plane in [red, green, blue] {
            let last = plane[filled - 1];
            plane[filled..].fill(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_repeat_the_last_row_and_column() {
        let picture =
            image::RgbImage::from_fn(3, 2, |x, y| image::Rgb([x, y, 9].map(|v| v.to_le_bytes()[0])));
        let tile = Tile { left: 1, top: 0, width: 2, height: 2, keep: [1, 0, 3, 2] };
        let mut out = vec![7.0; 5];
        planes(&picture, &tile, [3, 4], &mut out);
        let bytes: Vec<f32> = out.iter().map(|value| (value * 255.0).round()).collect();
        assert_eq!(bytes[..12], [1., 2., 2., 2., 1., 2., 2., 2., 1., 2., 2., 2.]);
        assert_eq!(bytes[12..24], [0., 0., 0., 0., 1., 1., 1., 1., 1., 1., 1., 1.]);
    }
}
