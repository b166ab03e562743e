//! What drones write into a photograph's XMP packet: XML, values as attributes or as elements.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::BTreeMap;

/// Values by name, without the prefix `drone-dji:` under which DJI, and others after it, write them.
#[derive(Debug, Default)]
pub(super) struct DroneTags(BTreeMap<String, String>);

const PREFIX: &str = "drone-dji:";

impl DroneTags {
    /// From a packet. The first value of a name counts.
    ///
    /// # Errors
    /// The parser's words, when it is not XML.
    pub(super) fn read(packet: &str) -> Result<Self, quick_xml::Error> {
        let mut reader = Reader::from_str(packet);
        let mut tags = Self::default();
        let mut within: Option<String> = None;
        loop {
            match reader.read_event()? {
                Event::Eof => return Ok(tags),
                Event::Start(element) => {
                    tags.attributes(&element)?;
                    within = element.name().as_ref().strip_prefix(PREFIX).map(str::to_owned);
                }
                Event::Empty(element) => tags.attributes(&element)?,
                Event::Text(text) => {
                    if let Some(name) = &within {
                        tags.add(name, &text);
                    }
                }
                Event::End(_) => within = None,
                _ => {}
            }
        }
    }

    fn attributes(&mut self, element: &BytesStart) -> Result<(), quick_xml::Error> {
        for attribute in element.attributes() {
            let attribute = attribute?;
            if let Some(name) = attribute.key.as_ref().strip_prefix(PREFIX) {
                self.add(name, &attribute.value);
            }
        }
        Ok(())
    }

    fn add(&mut self, name: &str, value: &str) {
        self.0.entry(name.to_owned()).or_insert_with(|| value.trim().to_owned());
    }

    /// The finite number under `name`; drones write `+10.00` and `10.00` alike.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.0.get(name)?.parse().ok().filter(|value: &f64| value.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ATTRIBUTES: &str = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
        <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="DJI Meta Data"
        xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/" drone-dji:RelativeAltitude="+10.30"
        drone-dji:GimbalYawDegree="-37.00" drone-dji:SelfData="Undefined"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"#;
    const ELEMENTS: &str = r#"<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description>
        <drone-dji:RelativeAltitude>+10.30</drone-dji:RelativeAltitude> 7
        <drone-dji:GimbalYawDegree> -37.00 </drone-dji:GimbalYawDegree>
        <other:FlightYawDegree>5</other:FlightYawDegree></rdf:Description></rdf:RDF></x:xmpmeta>"#;

    #[test]
    fn attributes_and_elements_read_alike() {
        for packet in [ATTRIBUTES, ELEMENTS] {
            let tags = DroneTags::read(packet).unwrap();
            assert_eq!(tags.number("RelativeAltitude"), Some(10.3));
            assert_eq!(tags.number("GimbalYawDegree"), Some(-37.0));
            assert_eq!(tags.number("SelfData"), None);
            assert_eq!(tags.number("FlightYawDegree"), None, "another vendor's");
        }
    }

    proptest! {
        #[test]
        fn damaged_packets_do_not_stop_the_program(at in 0..ATTRIBUTES.len(), with in any::<char>()) {
            let mut text: Vec<char> = ATTRIBUTES.chars().collect();
            text[at] = with;
            let damaged: String = text.into_iter().collect();
            for packet in [damaged.as_str(), &ATTRIBUTES[..at]] {
                if let Ok(tags) = DroneTags::read(packet) {
                    prop_assert!(tags.number("RelativeAltitude").is_none_or(f64::is_finite));
                }
            }
        }
    }
}
