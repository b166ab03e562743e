//! Coordinate systems by their well-known text (OGC 01-009, ISO 19162), as `.prj` files hold it.

use super::Crs;

/// The system that a text describes; none for one that is not known for certain.
pub(super) fn crs(text: &str) -> Option<Crs> {
    let whole = Node::of(text)?;
    if let Some(number) = whole.part(&["AUTHORITY", "ID"]) {
        let [registry, code, ..] = &number.items()[..] else { return None };
        return match (unquoted(registry).to_uppercase().as_str(), unquoted(code)) {
            ("EPSG", code) => Crs::from_epsg(code.parse().ok()?),
            ("OGC", "CRS84") => Some(Crs::Degrees),
            _ => None,
        };
    }
    match whole.keyword.as_str() {
        "GEOGCS" | "GEOGCRS" | "GEODCRS" => whole.is_etrs89_or_wgs84().then_some(Crs::Degrees),
        "PROJCS" | "PROJCRS" => projected(&whole),
        _ => None,
    }
}

fn projected(whole: &Node) -> Option<Crs> {
    let base = whole.part(&["GEOGCS", "BASEGEOGCRS", "BASEGEODCRS"])?;
    let name = whole.words();
    let rd = name.iter().any(|w| w == "RD" || w.starts_with("RIJKSDRIEHOEK"));
    if rd && name.iter().any(|w| w == "NEW") && base.words().iter().any(|w| w == "AMERSFOORT") {
        return Some(Crs::RdNew);
    }
    if !base.is_etrs89_or_wgs84() {
        return None;
    }
    // Any other word may stand for another grid: a zone of German surveyors has its number before the easting.
    let mut rest = name.iter().map(String::as_str).filter(|word| !DATUM_WORDS.contains(word));
    let (Some("UTM"), Some("ZONE"), Some(zone)) = (rest.next(), rest.next(), rest.next()) else {
        return None;
    };
    let digits = zone.trim_end_matches(['N', 'S']);
    let south = match (&zone[digits.len()..], rest.next(), rest.next(), rest.next()) {
        ("N", None, ..) | ("", Some("NORTHERN"), Some("HEMISPHERE"), None) => false,
        ("S", None, ..) | ("", Some("SOUTHERN"), Some("HEMISPHERE"), None) => true,
        _ => return None,
    };
    let zone = digits.parse().ok().filter(|zone| (1..=60).contains(zone))?;
    Some(Crs::Utm { zone, south })
}

/// What names of systems on ETRS89 and WGS 84 are made of, beside their grid.
const DATUM_WORDS: [&str; 8] = ["GCS", "ETRS", "1989", "ETRS89", "WGS", "84", "1984", "WGS84"];

/// A keyword with what stands in its brackets.
struct Node<'a> {
    keyword: String,
    inside: &'a str,
}

impl<'a> Node<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let open = text.find(['[', '('])?;
        let inside = text[open + 1..].strip_suffix([']', ')'])?;
        Some(Self { keyword: text[..open].trim().to_uppercase(), inside })
    }

    /// What commas part, neither in quotes nor in inner brackets.
    fn items(&self) -> Vec<&'a str> {
        let (mut depth, mut quoted) = (0u32, false);
        let outer = |c: char| {
            match c {
                '"' => quoted = !quoted,
                '[' | '(' if !quoted => depth += 1,
                ']' | ')' if !quoted => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0 && !quoted
        };
        self.inside.split(outer).map(str::trim).collect()
    }

    /// The first item with one of these keywords.
    fn part(&self, keywords: &[&str]) -> Option<Node<'a>> {
        let mut nodes = self.items().into_iter().filter_map(Node::of);
        nodes.find(|node| keywords.contains(&node.keyword.as_str()))
    }

    /// The words of its name, in capitals.
    fn words(&self) -> Vec<String> {
        let name = self.items().first().map_or("", |item| unquoted(item)).to_uppercase();
        let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    }

    fn is_etrs89_or_wgs84(&self) -> bool {
        let words = self.words();
        !words.is_empty() && words.iter().all(|word| DATUM_WORDS.contains(&word.as_str()))
    }
}

fn unquoted(item: &str) -> &str {
    item.trim().trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTM_32: Option<Crs> = Some(Crs::Utm { zone: 32, south: false });

    #[test]
    fn texts_of_prj_files_are_understood() {
        let geographic =
            "GEOGCS[\"GCS_ETRS_1989\",DATUM[\"D_ETRS_1989\",SPHEROID[\"GRS_1980\",6378137.0,298.25]]]";
        for (text, crs) in [
            ("PROJCS[\"RD_New\",GEOGCS[\"GCS_Amersfoort\",DATUM[\"D_Amersfoort\"]]]", Some(Crs::RdNew)),
            (geographic, Some(Crs::Degrees)),
            (&format!("PROJCS[\"ETRS_1989_UTM_Zone_32N\",{geographic}]\n"), UTM_32),
            ("PROJCS[\"UTM Zone 32, Northern Hemisphere\",GEOGCS[\"WGS 84\"]]", UTM_32),
            (
                "PROJCS[\"WGS_1984_UTM_Zone_23S\",GEOGCS[\"GCS_WGS_1984\"]]",
                Some(Crs::Utm { zone: 23, south: true }),
            ),
            ("GEOGCS[\"WGS 84\",AUTHORITY[\"EPSG\",\"4326\"]]", Some(Crs::Degrees)),
            (
                "PROJCRS[\"x\",BASEGEOGCRS[\"ETRS89\",ID[\"EPSG\",4258]],CS[Cartesian,2],ID[\"EPSG\",25832]]",
                UTM_32,
            ),
        ] {
            assert_eq!(Crs::from_wkt(text), crs, "{text}");
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for text in [
            "PROJCS[\"NAD_1983_StatePlane\",GEOGCS[\"x\"]]",
            // 100 m beside ETRS89, with its number and without.
            "PROJCS[\"ED50 / UTM zone 32N\",GEOGCS[\"ED50\",AUTHORITY[\"EPSG\",\"4230\"]],AUTHORITY[\"EPSG\",\"23032\"]]",
            "PROJCS[\"ED_1950_UTM_Zone_32N\",GEOGCS[\"GCS_European_1950\"]]",
            "GEOGCS[\"GCS_Amersfoort\",DATUM[\"D_Amersfoort\"]]",
            "GEOGCS[\"Amersfoort\",AUTHORITY[\"EPSG\",\"4289\"]]",
            // The number of a part is not that of the whole.
            "PROJCS[\"ETRS89 / LAEA Europe\",GEOGCS[\"ETRS89\",AUTHORITY[\"EPSG\",\"4258\"]]]",
            "PROJCS[\"Amersfoort / RD Old\",GEOGCS[\"Amersfoort\"],AUTHORITY[\"EPSG\",\"28991\"]]",
            // The zone's number stands before the easting.
            "PROJCS[\"ETRS_1989_UTM_Zone_32N_8stellen\",GEOGCS[\"GCS_ETRS_1989\"]]",
            "PROJCS[\"ETRS_1989_UTM_Zone_61N\",GEOGCS[\"GCS_ETRS_1989\"]]",
            "EPSG:25832",
            "",
        ] {
            assert_eq!(Crs::from_wkt(text), None, "{text}");
        }
    }
}
