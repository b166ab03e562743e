//! The checker judges plans with code of its own: of this crate it knows what a plan is, and no more.

use std::path::Path;

#[test]
fn the_checker_uses_nothing_of_the_planner() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let parts = std::fs::read_dir(src.join("check")).expect("the checker's parts");
    let parts = parts.map(|part| part.expect("a part").path()).chain([src.join("check.rs")]);
    let mut looked = 0;
    for path in parts {
        let text = std::fs::read_to_string(&path).expect("source text");
        // What tests compare with is not what judges.
        let judging = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, _) in judging.match_indices("crate::") {
            let used = judging[at..].lines().next().unwrap_or_default();
            let known = ["crate::plan::", "crate::zones::SprayFreeZone;"];
            assert!(known.iter().any(|known| used.starts_with(known)), "{}: {used}", path.display());
            looked += 1;
        }
    }
    assert!(looked > 5, "the checker lies elsewhere now");
}
