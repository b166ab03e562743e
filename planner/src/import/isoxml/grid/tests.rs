use super::*;
use proptest::prelude::*;

/// 3 columns, 2 rows around (52.5, 6.5); cells of 0.001°.
fn task(zones: &str, kind: u32, zone: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><ISO11783_TaskData VersionMajor="4"><TSK A="TSK1" G="1" H="1" I="2" J="3">{zones}
        <GRD A="52.5" B="6.5" C="0.001" D="0.001" E="3" F="2" G="GRD00001" I="{kind}" {zone}/></TSK></ISO11783_TaskData>"#
    )
}

fn zone(code: u8, values: &[(&str, i64)]) -> String {
    let values: Vec<String> =
        values.iter().map(|(ddi, value)| format!(r#"<PDV A="{ddi}" B="{value}"/>"#)).collect();
    format!(r#"<TZN A="{code}">{}</TZN>"#, values.concat())
}

fn read(xml: &str, bytes: &[u8]) -> Result<RateGrid, GridError> {
    grid_from_task_data(xml, |name| (name == "GRD00001.BIN").then(|| bytes.to_vec()))
}

fn litres(grid: &RateGrid) -> Vec<f64> {
    grid.rates.iter().map(|rate| rate.get()).collect()
}

#[test]
fn codes_stand_for_the_rates_of_their_zones() {
    let zones = [
        zone(0, &[("0001", 0)]),
        zone(5, &[("0006", 9), ("0001", 1_500_000)]),
        zone(1, &[("0001", 200_000)]),
    ];
    let grid = read(&task(&zones.concat(), 1, ""), &[5, 0, 0, 0, 0, 1]).unwrap();
    assert_eq!(litres(&grid), [150.0, 0.0, 0.0, 0.0, 0.0, 20.0]);
    assert_eq!(grid.default_l_per_ha, LitresPerHectare::new(20.0));
    assert!(grid.warnings.is_empty(), "{:?}", grid.warnings);
    // South-west, then north-east: rows go north.
    assert_eq!(grid.at(52.5005, 6.5005), Some(LitresPerHectare::new(150.0)));
    assert_eq!(grid.at(52.5015, 6.5025), Some(LitresPerHectare::new(20.0)));
    assert_eq!(grid.at(52.4995, 6.5005), None);
}

#[test]
fn values_are_read_beside_those_of_other_process_data() {
    let zones = zone(7, &[("0006", 0), ("0001", 0)]);
    let bytes: Vec<u8> =
        (0..6).flat_map(|k| [999i32, 100_000 * k - 100_000]).flat_map(i32::to_le_bytes).collect();
    let grid = read(&task(&zones, 2, r#"J="7""#), &bytes).unwrap();
    assert_eq!(litres(&grid), [0.0, 0.0, 10.0, 20.0, 30.0, 40.0]);
    assert!(grid.warnings.len() == 1 && grid.warnings[0].contains("below zero"), "{:?}", grid.warnings);
}

#[test]
fn sloppy_files_give_warnings_and_dangerous_ones_errors() {
    let litre = zone(0, &[("0001", 10_000)]);
    let short = read(&task(&litre, 1, r#"H="6""#), &[0, 9]).unwrap();
    assert_eq!(litres(&short), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(short.warnings.len(), 3, "{:?}", short.warnings);
    let kilograms = zone(0, &[("0006", 100)]);
    assert!(matches!(read(&task(&kilograms, 1, ""), &[0; 6]), Err(GridError::NoVolume { zone: 0, .. })));
    assert!(matches!(read(&task(&kilograms, 2, r#"J="0""#), &[0; 24]), Err(GridError::NoVolume { .. })));
    let mix = zone(0, &[("0001", 10_000), ("0001", 20_000)]);
    assert!(matches!(
        read(&task(&mix, 1, ""), &[0; 6]),
        Err(GridError::SeveralVolumes { zone: 0, count: 2 })
    ));
    let beside = [litre.clone(), mix.replace("TZN A=\"0\"", "TZN A=\"1\"")].concat();
    assert!(matches!(
        read(&task(&beside, 1, ""), &[0; 6]),
        Err(GridError::SeveralVolumes { zone: 1, count: 2 })
    ));
    assert!(matches!(read(&task(&litre, 3, ""), &[0; 6]), Err(GridError::Attribute { attribute: 'I', .. })));
    assert!(matches!(
        grid_from_task_data(&task(&litre, 1, ""), |_| None),
        Err(GridError::NoBinary { name }) if name == "GRD00001"
    ));
    assert!(matches!(read("<a", &[]), Err(GridError::NotXml { .. })));
    assert!(matches!(read("<a/>", &[]), Err(GridError::NoGrid)));
    let endless = task(&litre, 1, "").replace(r#"E="3""#, r#"E="99999999""#);
    assert!(matches!(read(&endless, &[]), Err(GridError::Attribute { .. })));
    // Rates without a position are not taken over.
    let lost = [zone(0, &[("0001", 0)]), zone(2, &[("0001", 500)])].concat();
    assert!(
        read(&task(&lost, 1, ""), &[0; 6]).unwrap().warnings.iter().any(|w| w.contains("without a position"))
    );
}

#[test]
fn parts_in_files_of_their_own_are_read() {
    let main = r#"<ISO11783_TaskData><XFR A="TSK00000" B="1"/><XFR A="GONE" B="1"/></ISO11783_TaskData>"#;
    let part = task(&zone(0, &[("0001", 30_000)]), 1, "");
    let grid = grid_from_task_data(main, |name| match name {
        "TSK00000.XML" => Some(part.clone().into_bytes()),
        "GRD00001.BIN" => Some(vec![0; 6]),
        _ => None,
    })
    .unwrap();
    assert_eq!(litres(&grid), [3.0; 6]);
    assert!(grid.warnings.iter().any(|w| w.contains("GONE.XML")), "{:?}", grid.warnings);
}

proptest! {
    /// Whatever stands in the files: rates that are not negative, or an error.
    #[test]
    fn any_bytes_are_read_or_refused(xml in "[ -~]{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..60), kind in 0u32..4) {
        let zones = [zone(0, &[("0001", 100)]), zone(1, &[("0001", -5), ("0002", 7)])].concat();
        for xml in [xml.clone(), task(&zones, kind, r#"J="1""#), task(&xml, kind, "")] {
            if let Ok(grid) = read(&xml, &bytes) {
                prop_assert!(grid.rates.len() == 6 && grid.rates.iter().all(|r| *r >= LitresPerHectare::ZERO));
            }
        }
    }
}
