//! The demo takes no folder that is not its own.

use kompas_tests::demo_folder::{DemoFolderError, MARKER, emptied};
use kompas_tests::process::workspace;
use std::process::Command;
use tempfile::TempDir;

#[test]
fn a_farms_store_outlives_a_demo_tried_in_its_folder() {
    let farm = TempDir::new().unwrap();
    let records = farm.path().join("cloud/records.sqlite");
    std::fs::create_dir(farm.path().join("cloud")).unwrap();
    std::fs::write(&records, "a season").unwrap();
    let mut demo = Command::new(env!("CARGO_BIN_EXE_kompas-demo"));
    let done = demo.args(["--exit", "--folder"]).arg(farm.path()).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    for told in [farm.path().join("cloud").display().to_string().as_str(), MARKER, "choose another --folder"]
    {
        assert!(said.contains(told), "{told} is missing in {said}");
    }
    assert_eq!(std::fs::read_to_string(&records).unwrap(), "a season");
    assert!(!farm.path().join(MARKER).exists(), "the next try would take it for a demo's");
}

#[test]
fn a_demos_own_folder_is_emptied_each_time() {
    let home = TempDir::new().unwrap();
    let folder = home.path().join("target/demo");
    for _ in 0..3 {
        emptied(&folder).unwrap();
        assert!(!folder.join("cloud").exists() && !folder.join("robot").exists());
        for part in ["cloud", "robot"] {
            std::fs::create_dir_all(folder.join(part).join("deep")).unwrap();
        }
        std::fs::write(folder.join("report.json"), "{}").unwrap();
    }
    assert!(folder.join("report.json").is_file(), "what others put there stays");
}

#[test]
fn the_project_is_no_demos_folder() {
    let above = workspace().parent().unwrap();
    for folder in [workspace(), above] {
        assert!(matches!(emptied(folder), Err(DemoFolderError::Project(_))), "{}", folder.display());
    }
}
