//! A runbook section as code.

use super::{Finding, Impact, Severity, Snapshot, UnknownDatum};

/// A runbook section as code: a pure function from a snapshot to findings.
pub struct Check {
    /// Stable id, kebab-case: `port-conflict`.
    pub id: &'static str,
    /// What it looks at, as a heading.
    pub title: &'static str,
    /// Section of the runbook, 1 to 5; none for the checks on which the five rest.
    pub section: Option<u8>,
    /// Its runbook page, Markdown.
    pub page: &'static str,
    /// Every finding that it can make.
    pub findings: &'static [&'static Spec],
    /// The diagnosis.
    pub run: fn(&Snapshot) -> Verdict,
}

/// The catalogue entry of a finding; made by [`findings!`] alone, which also lists it.
#[derive(Debug, PartialEq, Eq)]
pub struct Spec {
    /// Stable id `<check>/<name>`.
    pub id: &'static str,
    /// Its usual severity.
    pub severity: Severity,
    /// Its usual impact.
    pub impact: Impact,
    /// What it means, in a few words.
    pub title: &'static str,
}

/// What a check found, and what kept it from a verdict.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The findings.
    pub findings: Vec<Finding>,
    /// The data that it needed and nobody could give.
    pub unknowns: Vec<UnknownDatum>,
}

impl Verdict {
    /// Adds one finding.
    pub fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Takes in what a part of the check found.
    pub fn merge(&mut self, other: Verdict) {
        self.findings.extend(other.findings);
        self.unknowns.extend(other.unknowns);
    }
}

/// Declares the findings of a check: a static [`Spec`] for each, and `FINDINGS` with all of them,
/// so that a finding which is not listed does not compile.
///
/// ```text
/// findings! { "port-conflict";
///     FOREIGN_LISTENER = "foreign-listener", Error, Outage, "another program holds the port";
/// }
/// ```
#[macro_export]
macro_rules! findings {
    ($check:literal; $($name:ident = $id:literal, $severity:ident, $impact:ident, $title:literal;)+) => {
        $(
            #[doc = $title]
            pub static $name: $crate::model::Spec = $crate::model::Spec {
                id: concat!($check, "/", $id),
                severity: $crate::model::Severity::$severity,
                impact: $crate::model::Impact::$impact,
                title: $title,
            };
        )+
        /// Every finding of this check, in the order of the catalogue.
        pub static FINDINGS: &[&$crate::model::Spec] = &[$(&$name),+];
    };
}
