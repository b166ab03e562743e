//! Room on disks, and files that can be made. Records go first: an outbox that cannot write keeps every nozzle shut.

use crate::config::Records;
use kompas_cloud_sync::OutboxLimits;
use kompas_field::Finding;
use std::path::{Path, PathBuf};

/// Bytes that this program may still write on the disk where `path` is, or will be.
///
/// # Errors
/// The system's.
pub fn free_bytes(path: &Path) -> std::io::Result<u64> {
    let path = std::path::absolute(path)?;
    let there = path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    let room = rustix::fs::statvfs(there)?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}

/// Whether a file can be made or written, where its folder is there: it is opened as it will be, and left as it was.
///
/// # Errors
/// The system's.
pub fn writable(path: &Path) -> std::io::Result<()> {
    let new = path.symlink_metadata().is_err();
    std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    if new { std::fs::remove_file(path) } else { Ok(()) }
}

/// As [`writable`], where folders above the file may still have to be made; none is made.
///
/// # Errors
/// The system's.
pub fn takes(path: &Path) -> std::io::Result<()> {
    let path = std::path::absolute(path)?;
    let there = path.ancestors().skip(1).find(|folder| folder.exists()).unwrap_or(Path::new("/"));
    if path.parent() == Some(there) {
        return writable(&path);
    }
    if !there.is_dir() {
        return Err(std::io::ErrorKind::NotADirectory.into());
    }
    Ok(rustix::fs::access(there, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)?)
}

/// Whether the disk has the room that the configuration promises the records. What gives way when room runs out is
/// decided by that promise: a disk that is full before stops all records alike.
pub fn too_little_for(records: &Records) -> Option<Finding> {
    // A disk that does not say is judged when the outbox is opened.
    too_little(records, free_bytes(&records.outbox).ok()?)
}

fn too_little(records: &Records, free: u64) -> Option<Finding> {
    let OutboxLimits { waiting_bytes, kept_bytes } = records.limits;
    let file = |suffix| PathBuf::from(format!("{}{suffix}", records.outbox.display()));
    let held = |suffix| file(suffix).metadata().map_or(0, |file| file.len());
    let wanted = waiting_bytes.saturating_add(kept_bytes).saturating_sub(held("") + held("-wal"));
    (free < wanted).then(|| {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let place = format!(
            "records.waiting_mb = {:.0}, records.kept_mb = {:.0}",
            megabytes(waiting_bytes),
            megabytes(kept_bytes)
        );
        let cause = format!(
            "{:.0} MB are free where {} lies and {:.0} are wanted: on a full disk every nozzle stays shut",
            megabytes(free),
            records.outbox.display(),
            megabytes(wanted)
        );
        let remedy =
            "free space, or lower both: the records that matter least then go before the disk is full";
        Finding::warning("records.disk", place, cause, remedy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompas_field::ClockQuality;

    #[test]
    fn what_the_outbox_holds_already_needs_no_room() {
        let folder = tempfile::tempdir().unwrap();
        let limits = OutboxLimits { waiting_bytes: 4_000_000, kept_bytes: 1_000_000 };
        let outbox = folder.path().join("not/yet/there/outbox.db");
        let records = Records { outbox, limits, queue: 4, clock_quality: ClockQuality::None };
        assert_eq!(too_little(&records, 5_000_000), None);
        let told = too_little(&records, 4_999_999).unwrap().to_string();
        assert!(
            told.contains("records.waiting_mb = 4, records.kept_mb = 1") && told.contains("5 MB are free"),
            "{told}"
        );
        assert!(free_bytes(&records.outbox).unwrap() > 0, "of the nearest folder that is there");
        let records = Records { outbox: folder.path().join("outbox.db"), ..records };
        std::fs::write(&records.outbox, vec![0; 2_000_000]).unwrap();
        assert_eq!(too_little(&records, 3_000_000), None);
        assert!(too_little(&records, 2_999_999).is_some());
    }
}
