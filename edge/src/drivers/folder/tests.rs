use super::*;

const HEADER: &str = "image,time_s,lat_deg,lon_deg,heading_deg,quality,sigma_m,correction_age_s,speed_mps\n";

fn folder_with(rows: &str, images: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("poses.csv"), HEADER.to_owned() + rows).unwrap();
    for name in images {
        image::RgbImage::from_pixel(16, 16, image::Rgb([90, 80, 70])).save(folder.path().join(name)).unwrap();
    }
    folder
}

fn open(folder: &tempfile::TempDir) -> Folder {
    Folder::open(folder.path(), Datum::Etrs89).unwrap()
}

#[test]
fn pictures_come_by_time_and_fixes_with_their_turn_rate() {
    let rows = "b.png,12.0,52.87,6.95,100,fixed,0.01,0.5,1.0\na.png,13.0,52.87,6.95,90,fixed,0.01,0.5,1.0\n";
    let folder = folder_with(rows, &["a.png", "b.png"]);
    let Folder { mut camera, mut gnss, bad_rows } = open(&folder);
    assert!(bad_rows.is_empty());
    let (first, second) = (camera.next_frame().unwrap(), camera.next_frame().unwrap());
    assert_eq!((first.value.name.as_str(), second.value.name.as_str()), ("b.png", "a.png"));
    assert_eq!(second.true_at.since(first.true_at), Seconds::new(1.0));
    assert!(first.value.image.is_ok() && camera.next_frame().is_none());
    let fixes = gnss.fixes_until(second.true_at);
    assert!((fixes[1].value.turn_rate.get() - 10f64.to_radians()).abs() < 1e-9, "10° to the left in 1 s");
    assert!(gnss.fixes_until(second.true_at).is_empty());
}

#[test]
fn each_fault_is_of_its_picture_only() {
    let rows = "a.png,1,52.87,6.95,90,fixed,0.01,0.5,1\nbroken.png,2,52.87,6.95,90,fixed,0.01,0.5,1\n\
                gone.png,3,52.87,6.95,90,fixed,0.01,0.5,1\nlost.png,4,,,,none,,,\nbad.png,soon,1,2,3,fixed,1,1,1\n";
    let folder = folder_with(rows, &["a.png", "lost.png", "unlisted.png", "bad.png"]);
    std::fs::write(folder.path().join("broken.png"), b"no picture").unwrap();
    let Folder { mut camera, mut gnss, bad_rows } = open(&folder);
    assert_eq!(bad_rows.len(), 1);
    assert!(bad_rows[0].contains("line 6") || bad_rows[0].contains("line: 6"), "{}", bad_rows[0]);
    let mut faults = BTreeMap::new();
    while let Some(frame) = camera.next_frame() {
        faults.insert(frame.value.name, frame.value.image.err());
    }
    assert_eq!(faults.len(), 6);
    assert!(faults["a.png"].is_none() && faults["lost.png"].is_none());
    assert!(matches!(faults["broken.png"], Some(FrameFault::Undecodable(_))));
    assert!(matches!(faults["gone.png"], Some(FrameFault::Unreadable(_))));
    assert_eq!(faults["unlisted.png"], Some(FrameFault::WithoutPose));
    assert_eq!(faults["bad.png"], Some(FrameFault::WithoutPose));
    let qualities: Vec<_> =
        gnss.fixes_until(RobotInstant::from_nanos(u64::MAX)).iter().map(|fix| fix.value.quality).collect();
    assert_eq!(qualities, [FixQuality::Fixed, FixQuality::Fixed, FixQuality::Fixed, FixQuality::None]);
}

#[test]
fn a_number_that_cannot_be_costs_its_row_and_nothing_else() {
    let rows = [
        "1,52.87,6.95,90,fixed,1e160,0.5,1",
        "2,52.87,6.95,90,fixed,0.01,0.5,1e308",
        "3,52.87,6.95,90,fixed,-0.01,0.5,1",
        "4,543676.8,260225.4,90,fixed,0.01,0.5,1",
        "5,52.87,6.95,90,fixed,0.01,0.5,1",
        "1e300,52.87,6.95,90,fixed,0.01,0.5,1",
        "6,52.87,6.95,90,fixed,0.01,-1,1",
    ];
    let list: String =
        rows.iter().enumerate().fold(String::new(), |list, (i, row)| format!("{list}{i}.png,{row}\n"));
    let folder = folder_with(&list, &["0.png", "4.png"]);
    let Folder { mut camera, mut gnss, bad_rows } = open(&folder);
    let told = [
        "line 2: sigma_m is 1",
        "line 3: speed_mps is 1",
        "line 4: sigma_m is -0.01",
        "line 5: lat_deg is 543676.8",
        "line 7: time_s is 1",
    ];
    assert_eq!(bad_rows.len(), told.len(), "{bad_rows:#?}");
    for (row, told) in bad_rows.iter().zip(told) {
        assert!(row.contains(told) && row.contains("allowed is"), "{row}");
    }
    let plane = kompas_field::FieldPlane::at(Geodetic::etrs89(52.87, 6.95)).unwrap();
    let mut poses = crate::pose::PoseHistory::new(plane, crate::pose::PoseRules::default());
    for fix in gnss.fixes_until(RobotInstant::from_nanos(u64::MAX)) {
        poses.take(&fix).unwrap();
    }
    assert_eq!(poses.last_fix().unwrap().correction_age, Seconds::new(-1.0), "for the guard to judge");
    assert_eq!(camera.next_frame().unwrap().value.image.err(), Some(FrameFault::WithoutPose));
}

#[test]
fn a_list_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Folder::open(folder.path(), Datum::Etrs89).unwrap_err();
    assert!(matches!(open(), FolderError::Unreadable { .. }));
    std::fs::write(folder.path().join("poses.csv"), "image,time_s\n").unwrap();
    assert!(open().to_string().contains("\"lat_deg\""), "{}", open());
    std::fs::write(folder.path().join("poses.csv"), HEADER).unwrap();
    assert!(matches!(open(), FolderError::NoRows { .. }));
}
