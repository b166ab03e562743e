use super::*;

const GOOD: &str = r#"
farm_id = "kompas"
robot_id = "r-1"
rig = "rig.toml"
[field]
file = "field.geojson"
crop = "sugar_beet"
[segmenter]
kind = "exg"
[driver]
kind = "simulator"
[simulator]
seed = 7
[records]
outbox = "outbox.db"
"#;

fn read(text: &str) -> ReadConfig {
    Config::from_table(&toml::from_str(text).unwrap(), Path::new("jobs"))
}

fn places(read: &ReadConfig) -> Vec<&str> {
    read.findings.iter().map(|finding| finding.place.as_str()).collect()
}

#[test]
fn a_short_configuration_is_enough() {
    let read = read(GOOD);
    assert_eq!(read.findings, []);
    let config = read.config.unwrap();
    assert_eq!(config.rig, Path::new("jobs/rig.toml"));
    assert_eq!(config.policy.guard.min_quality, FixQuality::Fixed);
    assert_eq!(config.broker, None);
}

/// What a person can set is what the table says, no more and no less.
#[test]
fn the_table_of_keys_is_whole() {
    let table = include_str!("../../README.md");
    let told = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let told: Vec<&str> = told.map(|(key, _)| key).collect();
    let mut asked = std::collections::BTreeSet::from(["simulator.seed".to_owned()]);
    for driver in ["simulator", "folder"] {
        let text = GOOD.replace("\"exg\"", "\"onnx\"").replace("\"simulator\"", &format!("\"{driver}\""));
        let given = toml::from_str(&(text + "[uplink]\nbroker = \"mqtt://farm\"\n")).unwrap();
        let mut reader = Reader::new(&given, Path::new("jobs"));
        Config::from_reader(&mut reader);
        asked.extend(reader.asked().iter().filter(|key| *key != "simulator").cloned());
    }
    assert_eq!(told.iter().map(|key| (*key).to_owned()).collect::<std::collections::BTreeSet<_>>(), asked);
    assert_eq!(told.len(), asked.len(), "a key stands twice");
}

#[test]
fn a_field_is_named_after_its_file_unless_it_has_a_name() {
    let id = |text: &str| read(text).config.unwrap().field.id.to_string();
    let north = GOOD.replace("field.geojson", "parcels/Noord (2).geojson");
    assert_eq!(id(&north), "Noord--2-");
    assert_eq!(id(&north.replace("crop =", "id = \"north\"\ncrop =")), "north");
    let missing = read(&GOOD.replace("file = \"field.geojson\"\n", ""));
    assert_eq!(places(&missing), ["field.file"], "a name that follows from the file is not missing");
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = GOOD.replace("robot_id = \"r-1\"", "robot_id = \"r/1\"").replace("rig = \"rig.toml\"\n", "")
        + "waiting_mb = 0\nquue = 9\n[uplink]\nbroker = \"tcp://x\"\n[policy]\nmax_sigma_m = \"small\"\nmin_fix = \"rtk\"\n\
           max_fix_age_s = 99.0\n[polcy]\nmin_area_cm2 = 3\n";
    let read = read(&text);
    let wanted = [
        "robot_id = \"r/1\"",
        "rig",
        "records.waiting_mb = 0",
        "uplink.broker = \"tcp://x\"",
        "policy.max_fix_age_s = 99.0",
        "policy.max_sigma_m = \"small\"",
        "policy.min_fix = \"rtk\"",
        "polcy.min_area_cm2",
        "records.quue",
    ];
    assert_eq!(places(&read), wanted, "{:#?}", read.findings);
    assert!(read.findings[2].cause.contains("1 to 1000000"));
    assert!(read.findings[7].remedy.contains("policy.min_area_cm2"), "{}", read.findings[7]);
    assert!(read.findings[8].remedy.contains("records.queue"), "{}", read.findings[8]);
    assert!(read.config.is_none());
}

#[test]
fn a_heading_is_given_or_not_and_never_taken_for_none() {
    let read = |more: &str| read(&format!("{GOOD}[plan]\n{more}\n"));
    let heading = |more: &str| read(more).config.unwrap().plan.swath_heading_deg;
    assert_eq!(heading(""), None);
    assert_eq!(heading("swath_heading_deg = 0"), Some(0.0));
    assert_eq!(heading("swath_heading_deg = 180.0"), Some(180.0));
    for wrong in ["-1", "-0.5", "180.5"] {
        let told = read(&format!("swath_heading_deg = {wrong}")).findings;
        assert_eq!(told[0].place, format!("plan.swath_heading_deg = {wrong}"));
        assert!(told[0].cause.contains("0 to 180"), "{}", told[0]);
    }
}

#[test]
fn openings_are_told_before_the_next_look() {
    let told = |ms: &str| read(&format!("{GOOD}[policy]\ncommit_ahead_ms = {ms}\n")).findings;
    for too_short in ["0.001", "50"] {
        assert_eq!(told(too_short)[0].place, format!("policy.commit_ahead_ms = {too_short}"));
    }
    assert_eq!(told("51"), []);
}

#[test]
fn a_simulator_without_a_seed_and_with_an_unknown_key() {
    assert_eq!(places(&read(&GOOD.replace("seed = 7", ""))), ["[simulator]"]);
    let typo = read(&GOOD.replace("seed = 7", "seed = 7\nsede = 8"));
    assert!(typo.findings[0].cause.contains("sede"), "{}", typo.findings[0]);
}

#[test]
fn the_command_line_goes_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, GOOD).unwrap();
    let overrides = vec![("uplink.broker", toml::Value::String("mqtt://127.0.0.1:1884".to_owned()))];
    let config = Config::read(&path, overrides).config.unwrap();
    assert_eq!(config.broker.unwrap().port, 1884);
}

#[test]
fn what_is_no_toml_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, "farm_id = \n").unwrap();
    let read = Config::read(&path, vec![]);
    assert!(read.findings[0].cause.contains("line 1"), "{}", read.findings[0]);
    assert!(
        Config::read(&folder.path().join("none.toml"), vec![]).findings[0].cause.contains("cannot be read")
    );
}

#[test]
fn a_network_says_what_computes_it_and_may_stand_by_while_excess_green_is_tried() {
    let keys = "model = \"plants.onnx\"\nprovider = \"openvino\"\nthreads = 2\nlook = \"one_size\"\n\
                memory = \"none\"\n[driver]";
    let network = GOOD.replace("kind = \"exg\"", "kind = \"onnx\"").replacen("[driver]", keys, 1);
    let config = read(&network).config.unwrap();
    let wanted = SegmenterChoice::Onnx {
        model: "jobs/plants.onnx".into(),
        library: None,
        provider: Provider::OpenVino,
        threads: 2,
        look: Look::OneSize,
    };
    assert_eq!((config.segmenter, config.remembers), (wanted, false));
    assert!(read(&network.replace("\"none\"", "\"field\"")).config.unwrap().remembers);
    let tried = read(&network.replace("kind = \"onnx\"", "kind = \"exg\""));
    assert_eq!((tried.findings, tried.config.unwrap().segmenter), (vec![], SegmenterChoice::ExcessGreen));
    let wrong = read(&network.replace("openvino", "npu"));
    assert_eq!(places(&wrong), ["segmenter.provider = \"npu\""]);
    assert!(wrong.findings[0].cause.contains("tensorrt"), "{}", wrong.findings[0]);
}
