//! Why services failed: the doctor looks in this process, and says what concerns them.

use std::collections::BTreeSet;
use std::time::Duration;

use flowgate_checks::model::{Finding, Policy, Subject};
use serde_json::{Value, json};

use crate::cli::{Global, output};
use crate::doctor::{self, DoctorError, Request, Source, Wish};
use crate::report::json_v1::Document;
use crate::report::{FailOn, Report, Selection, text};

/// Bound of the look.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What the doctor found on the services that failed.
pub struct Diagnosis {
    failed: BTreeSet<String>,
    /// A provider that failed to log in.
    provider: Option<String>,
    report: Result<Report, DoctorError>,
}

impl Diagnosis {
    /// Looks.
    pub fn of(failed: &BTreeSet<&str>, global: &Global) -> Self {
        let failed = failed.iter().map(|name| (*name).to_owned()).collect();
        Self::about(failed, None, global)
    }

    /// Looks why a login failed, of which this service is the one that logs in.
    pub fn of_login(provider: &str, service: &str, global: &Global) -> Self {
        let service = BTreeSet::from([service.to_owned()]);
        Self::about(service, Some(provider.to_owned()), global)
    }

    fn about(failed: BTreeSet<String>, provider: Option<String>, global: &Global) -> Self {
        let report = doctor::look(Wish {
            source: Source::Machine(Request {
                config: global.config.clone(),
                policy: Policy::default(),
                timeout: TIMEOUT,
            }),
            expect: None,
            selection: Selection::default(),
            fail_on: FailOn::default(),
            bundle: None,
        });
        Self {
            failed,
            provider,
            report,
        }
    }

    /// The roots that concern the services, in the order of the report.
    fn roots<'a>(&self, report: &'a Report) -> Vec<&'a Finding> {
        let roots = report.heard_roots();
        roots.filter(|root| self.concerns(root)).collect()
    }

    fn concerns(&self, root: &Finding) -> bool {
        match &self.provider {
            None => concerns(root, &self.failed),
            Some(provider) => concerns(root, &self.failed) || hinders(root, provider),
        }
    }

    /// The findings for people; where none explains the failure, who looks further.
    pub fn text(&self) -> String {
        let report = match &self.report {
            Ok(report) => report,
            Err(error) => return format!("\nthe doctor could not look: {error}\n"),
        };
        let roots = self.roots(report);
        if roots.is_empty() {
            let names: Vec<String> = self
                .failed
                .iter()
                .map(|name| format!("{} service logs {name}", report.command))
                .collect();
            return format!("\nhint: {}\n", names.join("; "));
        }
        text::blocks(report, &roots, &output::layout(false))
    }

    /// The same findings as in the report of the doctor.
    pub fn json(&self) -> Value {
        let Ok(report) = &self.report else {
            return json!([]);
        };
        let keys: BTreeSet<String> = self.roots(report).iter().map(|root| root.key()).collect();
        let mut findings = Document::from(report).findings;
        findings.retain(|finding| keys.contains(&finding.key));
        json!(findings)
    }
}

/// Whether a root is about one of the services, or explains what is; what the supervisor itself
/// lacks concerns all.
fn concerns(root: &Finding, failed: &BTreeSet<String>) -> bool {
    let is_about = match &root.subject {
        Subject::Service(name) => failed.contains(name),
        Subject::Supervisor | Subject::Host => true,
        _ => false,
    };
    let explains = root.explains.iter().any(|key| {
        key.split_once(':')
            .is_some_and(|(_, subject)| failed.contains(subject))
    });
    is_about || explains
}

/// Whether a root is about the login of a provider, or explains what is.
fn hinders(root: &Finding, provider: &str) -> bool {
    let is_login = root.key().starts_with("oauth-login/");
    let is_of_another =
        matches!(&root.subject, Subject::Provider(name) if name.as_str() != provider);
    (is_login && !is_of_another)
        || root
            .explains
            .iter()
            .any(|key| key.starts_with("oauth-login/"))
}
