//! The HTML report as a browser reads it.

use html5gum::{Token, Tokenizer};

/// A page as the tokenizer of the HTML standard sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// Each tag with its attributes, and each comment.
    pub tags: Vec<String>,
    /// Every text between tags.
    pub text: String,
}

/// Reads a page.
pub fn read(html: &str) -> Page {
    let mut page = Page {
        tags: Vec::new(),
        text: String::new(),
    };
    for Ok(token) in Tokenizer::new(html) {
        match token {
            Token::StartTag(tag) => page.tags.push(format!("{tag:?}")),
            Token::EndTag(tag) => page.tags.push(format!("/{}", lossy(&tag.name))),
            Token::String(text) => page.text.push_str(&lossy(&text)),
            Token::Comment(comment) => page.tags.push(format!("comment {}", lossy(&comment))),
            Token::Doctype(doctype) => page.tags.push(format!("doctype {}", lossy(&doctype.name))),
            Token::Error(_) => {}
        }
    }
    page
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
