//! The JUnit report as an XML parser reads it.

use quick_xml::Reader;
use quick_xml::events::Event;

/// One element: its name, and its attributes in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Element {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> &str {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).unwrap()
    }
}

/// A suite as a parser sees it.
pub struct Suite {
    /// Every element in document order.
    pub elements: Vec<Element>,
    /// Every text between tags, with its references as they are written.
    pub text: String,
}

impl Suite {
    /// The elements of a name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Element> {
        self.elements
            .iter()
            .filter(move |element| element.name == name)
    }
}

/// Reads a suite; panics on what is not well-formed.
pub fn read(xml: &str) -> Suite {
    let mut reader = Reader::from_str(xml);
    let mut suite = Suite {
        elements: Vec::new(),
        text: String::new(),
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => {
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap();
                    (attribute.key.as_ref().to_owned(), value.into_owned())
                });
                suite.elements.push(Element {
                    name: tag.name().as_ref().to_owned(),
                    attributes: attributes.collect(),
                });
            }
            Event::Text(text) => suite.text.push_str(&text),
            Event::GeneralRef(name) => {
                let reference = format!("&{};", &*name);
                let known = quick_xml::escape::unescape(&reference).unwrap();
                suite.text.push_str(&known);
            }
            Event::End(_) | Event::Decl(_) => {}
            Event::Eof => return suite,
            other => panic!("{other:?}"),
        }
    }
}
