//! Whether a JPEG file is all there. The decoder fills what is missing with grey, which looks like bare soil.

use std::io::{self, BufRead, ErrorKind, Read, Seek, SeekFrom};

/// Ends a picture.
const END: u8 = 0xD9;
/// Pixels follow, not lengths.
const SCAN: u8 = 0xDA;

/// Whether the file goes on to its end-of-image marker (ITU-T T.81, B.1.1.3). Read from its beginning.
///
/// # Errors
/// If it cannot be read.
pub(super) fn is_whole(source: &mut (impl BufRead + Seek)) -> io::Result<bool> {
    source.seek(SeekFrom::Start(2))?; // start of image
    match to_end(source) {
        Err(why) if why.kind() == ErrorKind::UnexpectedEof => Ok(false),
        found => found.map(|()| true),
    }
}

/// Reads up to the end of the picture, or fails at the end of the file.
fn to_end(source: &mut (impl BufRead + Seek)) -> io::Result<()> {
    let mut marker = next_marker(source)?;
    while marker != END {
        let mut length = [0; 2];
        source.read_exact(&mut length)?;
        source.seek_relative(i64::from(u16::from_be_bytes(length)) - 2)?;
        marker = match marker {
            SCAN => after_scan(source)?,
            _ => next_marker(source)?,
        };
    }
    Ok(())
}

/// The marker at this place; a decoder passes over what lies before it.
fn next_marker(source: &mut impl BufRead) -> io::Result<u8> {
    loop {
        source.skip_until(0xFF)?;
        match byte(source)? {
            0x00 => {}
            0xFF => return not_fill(source),
            marker => return Ok(marker),
        }
    }
}

/// Any number of 0xFF may stand before a marker.
fn not_fill(source: &mut impl BufRead) -> io::Result<u8> {
    loop {
        match byte(source)? {
            0xFF => {}
            marker => return Ok(marker),
        }
    }
}

/// The marker after pixels, in which 0xFF 0x00 is a byte and restart markers go on.
fn after_scan(source: &mut impl BufRead) -> io::Result<u8> {
    loop {
        match next_marker(source)? {
            0x00 | 0xD0..=0xD7 => {}
            marker => return Ok(marker),
        }
    }
}

fn byte(source: &mut impl Read) -> io::Result<u8> {
    let mut one = [0];
    source.read_exact(&mut one)?;
    Ok(one[0])
}
