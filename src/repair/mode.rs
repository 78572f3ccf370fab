//! What `--fix` asks for.

use flowgate_checks::model::{Finding, Fix};
use flowgate_checks::steps::FIXES;
use flowgate_checks::suggest;

/// What `--fix` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// `--fix`: the safe fixes, then each unsafe one is offered.
    Offer,
    /// `--fix=safe`: the safe ones alone.
    Safe,
    /// `--fix=all`: safe and unsafe ones together.
    All,
    /// `--fix=FIX[:SUBJECT]`, repeatable: these.
    Named(Vec<Name>),
}

/// A fix by its id, and perhaps by what its finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The fix: `move-port`.
    pub fix: String,
    /// The subject: `litellm`; none means every one.
    pub subject: Option<String>,
}

impl Mode {
    /// From the values of `--fix`, in the order in which they were typed; an option without a value
    /// is an empty text.
    ///
    /// # Errors
    /// A sentence, when they contradict each other or one names no fix.
    pub fn parse(values: &[String]) -> Result<Self, String> {
        let words = |word: &str| values.iter().any(|value| value == word);
        let names = || {
            values
                .iter()
                .filter(|value| !matches!(value.as_str(), "" | "safe" | "all"))
        };
        let kinds = [
            words(""),
            words("safe"),
            words("all"),
            names().next().is_some(),
        ];
        if kinds.iter().filter(|is_there| **is_there).count() > 1 {
            return Err("--fix, --fix=safe, --fix=all and --fix=FIX exclude each other".into());
        }
        if words("all") {
            return Ok(Self::All);
        }
        if words("safe") {
            return Ok(Self::Safe);
        }
        let names: Vec<Name> = names()
            .map(|value| Name::parse(value))
            .collect::<Result<_, _>>()?;
        Ok(if names.is_empty() {
            Self::Offer
        } else {
            Self::Named(names)
        })
    }

    /// The mode in one word, as the report has it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Offer => "offer",
            Self::Safe => "safe",
            Self::All => "all",
            Self::Named(_) => "named",
        }
    }
}

impl Name {
    fn parse(text: &str) -> Result<Self, String> {
        let (fix, subject) = match text.split_once(':') {
            Some((fix, subject)) => (fix, Some(subject.to_owned())),
            None => (text, None),
        };
        let is_id = !fix.is_empty()
            && fix
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        if !is_id || subject.as_deref() == Some("") {
            return Err(format!("{text:?} is no fix; expected FIX or FIX:SUBJECT"));
        }
        if !FIXES.contains(&fix) {
            return Err(match suggest::closest(fix, FIXES) {
                Some(known) => format!("there is no fix {fix}; did you mean {known}"),
                None => format!("there is no fix {fix}"),
            });
        }
        Ok(Self {
            fix: fix.to_owned(),
            subject,
        })
    }

    /// Whether it names a fix of a finding.
    pub fn means(&self, finding: &Finding, fix: &Fix) -> bool {
        let is_about = |subject: &String| *subject == finding.subject.to_string();
        fix.id == self.fix && self.subject.as_ref().is_none_or(is_about)
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.subject {
            Some(subject) => write!(f, "{}:{subject}", self.fix),
            None => f.write_str(&self.fix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_known_and_mixtures_are_not() {
        let parse = |values: &[&str]| {
            let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            Mode::parse(&values)
        };
        assert_eq!(parse(&[""]), Ok(Mode::Offer));
        assert_eq!(parse(&["safe"]), Ok(Mode::Safe));
        assert_eq!(parse(&["all"]), Ok(Mode::All));
        let named = |fix: &str, subject: Option<&str>| Name {
            fix: fix.into(),
            subject: subject.map(str::to_owned),
        };
        assert_eq!(
            parse(&["set-mode:.router/a:b.json", "start"]),
            Ok(Mode::Named(vec![
                named("set-mode", Some(".router/a:b.json")),
                named("start", None)
            ]))
        );
        for wrong in [
            &["safe", "all"][..],
            &["", "start"],
            &["Start"],
            &["move-prt"],
            &["start:"],
            &[":x"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(
            parse(&["move-prt:litellm"]),
            Err("there is no fix move-prt; did you mean move-port".into())
        );
    }
}
