//! What is wrong with a text that does not parse, in words that hold nothing of the text.

use flowgate_checks::model::Position;
use serde_saphyr::granit_parser::{ErrorKind, Marker, ScanError};
use thiserror::Error;

/// Why a text is no valid config.
///
/// The message is one fragment that says what is wrong and what was expected; it names keys
/// that flowgate knows and never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ParseFault {
    /// Where, when the fault has a place.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
}

impl ParseFault {
    /// A fault at a place.
    pub fn at(position: Position, message: impl Into<String>) -> Self {
        Self {
            position: Some(position),
            message: message.into(),
        }
    }
}

impl From<ScanError> for ParseFault {
    fn from(error: ScanError) -> Self {
        Self::at(position(error.marker()), describe(error.kind()))
    }
}

/// The place of a marker; the parser counts columns from 0 and leaves a leading BOM out.
pub fn position(marker: &Marker) -> Position {
    Position {
        line: narrow(marker.line()).max(1),
        column: narrow(marker.col()).saturating_add(1),
    }
}

fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn describe(kind: &ErrorKind) -> String {
    use ErrorKind as K;
    match kind {
        K::TabNotAllowed
        | K::TabInBlockIndentation
        | K::TabInIndentation
        | K::TabAtBlockScalarStart
        | K::TabInPlainScalar => "a tab stands where YAML needs spaces".into(),
        K::UnclosedQuotedScalar | K::DocumentIndicatorInQuotedScalar => {
            "the quote that opens here is never closed".into()
        }
        K::InvalidTrailingSingleQuotedScalar | K::InvalidTrailingDoubleQuotedScalar => {
            "text follows a closing quote; expected the end of the value".into()
        }
        K::UnclosedFlowCollection { open } => format!("the `{open}` that opens here is never closed"),
        K::MismatchedFlowCollectionEnd { open, close } => {
            format!("`{close}` closes what `{open}` opened")
        }
        K::MisplacedFlowCollectionEnd => "a closing bracket without an opening one".into(),
        K::UnexpectedEofFlowSequence => "the file ends inside a list; expected `]`".into(),
        K::UnexpectedEofFlowMapping | K::UnexpectedEofImplicitFlowMapping => {
            "the file ends inside a mapping; expected `}`".into()
        }
        K::ExpectedFlowMappingSeparator => "expected `,` or `}`".into(),
        K::ExpectedFlowSequenceSeparator => "expected `,` or `]`".into(),
        K::ExpectedBlockMappingKey => {
            "expected a key such as `name:` with the indentation of the keys above".into()
        }
        K::ExpectedBlockSequenceEntry => "expected `- ` with the indentation of the items above".into(),
        K::InvalidIndentation | K::InvalidFlowScalarIndent | K::InvalidQuotedScalarIndent => {
            "the indentation fits none of the lines above".into()
        }
        K::MappingValueNotAllowed | K::InvalidColonPlacement => {
            "a second `:` on the line; expected one `key: value`, with quotes around a value that holds `: `"
                .into()
        }
        K::MappingKeyNotAllowed => "a key cannot stand here".into(),
        K::BlockSequenceEntryNotAllowed | K::BlockEntryInFlowCollection => {
            "a `- ` item cannot stand here".into()
        }
        K::SimpleKeyExpected | K::InvalidSimpleKey => "expected `:` after the key".into(),
        K::UnknownAnchor => "an alias (`*name`) names no anchor (`&name`) above it".into(),
        K::UnexpectedCharacter { character } if character.is_control() => {
            format!("the control character U+{:04X} is not allowed", u32::from(*character))
        }
        K::UnexpectedCharacter { .. } => {
            "no plain value can start with this character; expected quotes around it".into()
        }
        K::UnknownQuotedScalarEscape
        | K::InvalidQuotedScalarHexEscape
        | K::InvalidLowSurrogate
        | K::InvalidLowSurrogateHexEscape
        | K::MissingLowSurrogate
        | K::UnpairedLowSurrogate
        | K::InvalidUnicodeEscape => {
            "a `\\` in double quotes starts no known escape; expected `\\\\` or single quotes".into()
        }
        K::RecursionLimitExceeded => "nested too deeply".into(),
        K::ExpectedNodeContent => "expected a value".into(),
        K::UnexpectedEof | K::UnexpectedEofBlockMapping | K::UnexpectedEofBlockSequence => {
            "the file ends too early".into()
        }
        K::ZeroBlockScalarIndent
        | K::InvalidBlockScalarHeader
        | K::InvalidBlockScalarIndent => {
            "a block text (`|` or `>`) is not indented evenly below its first line".into()
        }
        K::CommentNotSeparated | K::CommentInterceptedScalar => {
            "a comment interrupts a value; expected a space before `#`".into()
        }
        K::BomInsideDocument => "a byte order mark stands inside the file".into(),
        _ => "is no valid YAML".into(),
    }
}
