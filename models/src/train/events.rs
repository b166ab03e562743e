//! TensorBoard event files: scalars over steps.
//!
//! A file is a row of `TFRecord`s: length (u64), its masked CRC-32C, an `Event` message, its masked CRC-32C.

use prost::Message;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, tag = "2")]
    simple_value: f32,
}

/// An event file being written.
pub struct Events {
    file: File,
    clock: fn() -> f64,
}

impl Events {
    /// Starts `folder/events.out.tfevents.<seconds>.kompas`; `clock` tells seconds since 1970.
    /// # Errors
    /// If the file cannot be written.
    pub fn create(folder: &Path, clock: fn() -> f64) -> io::Result<Self> {
        let path = folder.join(format!("events.out.tfevents.{:.0}.kompas", clock()));
        let mut events = Self { file: File::create(path)?, clock };
        let start =
            Event { file_version: Some("brain.Event:2".into()), wall_time: clock(), ..Event::default() };
        events.file.write_all(&record(&start.encode_to_vec()))?;
        Ok(events)
    }

    /// Adds named values at `step`.
    /// # Errors
    /// If the file cannot be written.
    pub fn scalars(&mut self, step: u32, values: &[(&str, f64)]) -> io::Result<()> {
        #[expect(clippy::cast_possible_truncation, reason = "the format stores single precision")]
        let value = values.iter().map(|&(tag, value)| Value { tag: tag.into(), simple_value: value as f32 });
        let summary = Some(Summary { value: value.collect() });
        let event = Event { wall_time: (self.clock)(), step: i64::from(step), file_version: None, summary };
        self.file.write_all(&record(&event.encode_to_vec()))
    }
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut out = length.to_vec();
    out.extend(masked_crc(&length).to_le_bytes());
    out.extend(data);
    out.extend(masked_crc(data).to_le_bytes());
    out
}

/// CRC-32C, turned and shifted so that a CRC of data that holds CRCs stays useful (the format's rule).
fn masked_crc(data: &[u8]) -> u32 {
    let crc = !data.iter().fold(!0_u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0x82F6_3B78 * (crc & 1)))
    });
    crc.rotate_right(15).wrapping_add(0xA282_EAD8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_is_castagnolis() {
        let unmasked = masked_crc(b"123456789").wrapping_sub(0xA282_EAD8).rotate_left(15);
        assert_eq!(unmasked, 0xE306_9283); // the check value of CRC-32C
    }

    #[test]
    fn a_record_frames_its_message() {
        let written = record(b"abc");
        assert_eq!(&written[..8], &3_u64.to_le_bytes());
        assert_eq!(&written[12..15], b"abc");
        assert_eq!(written.len(), 8 + 4 + 3 + 4);
    }
}
