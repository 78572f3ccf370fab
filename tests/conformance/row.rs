//! The rows of the tables.

use flowgate::gateway::classify::classify;
use flowgate::gateway::requests::Purpose;
use flowgate_checks::model::BodyClass;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::ask::ask;
use super::backend::{Backend, Program, Run, Stage, start};

/// One request and what it must get.
pub struct Row {
    /// Where it was seen.
    pub source: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    /// The headers that are sent.
    pub sent: &'static [(&'static str, &'static str)],
    pub status: u16,
    /// The headers that must be there.
    pub headers: &'static [(&'static str, &'static str)],
    pub body: Body,
}

/// What a body must be.
pub enum Body {
    /// These bytes.
    Exactly(&'static str),
    /// Something of this class.
    Class(BodyClass),
}

/// One start and what it must come to.
pub struct StartRow<'a> {
    pub source: &'static str,
    pub args: &'a [&'a str],
    /// Files to write first; `{port}` and `{folder}` are filled in.
    pub files: &'a [(&'a str, &'a str)],
    pub variables: &'a [(&'a str, &'a str)],
    /// The exit code, or none when it must serve.
    pub code: Option<i32>,
    /// Texts that must be among what it writes, in this order.
    pub says: &'a [&'a str],
}

/// Runs the requests of one table against a running program.
pub fn check_rows(rows: &[Row], stage: &Stage, backend: &Backend) {
    for row in rows {
        let answer = ask(stage.address(), row.method, row.path, row.sent);
        let name = format!("{} {} ({}) {backend:?}", row.method, row.path, row.source);
        assert_eq!(answer.status, row.status, "{name}: {}", answer.body);
        for (header, value) in row.headers {
            assert_eq!(answer.header(header), Some(*value), "{name}: {header}");
        }
        match &row.body {
            Body::Exactly(text) => assert_eq!(answer.body, *text, "{name}"),
            Body::Class(class) => {
                let headers: HeaderMap = answer
                    .headers
                    .iter()
                    .map(|(name, value)| {
                        (
                            HeaderName::try_from(name).unwrap(),
                            HeaderValue::try_from(value).unwrap(),
                        )
                    })
                    .collect();
                let purpose = match row.path {
                    "/" => Purpose::Identity,
                    _ => Purpose::Models,
                };
                let seen = classify(purpose, answer.status, &headers, answer.body.as_bytes());
                assert_eq!(seen, *class, "{name}: {}", answer.body);
            }
        }
    }
}

/// Runs one start; gives the run and its stage.
pub fn check_start(
    row: &StartRow<'_>,
    program: Program,
    backend: &Backend,
    mut stage: Stage,
) -> (Run, Stage) {
    for (name, text) in row.files {
        stage.write(name, text);
    }
    for (name, value) in row.variables {
        let value = stage.fill(value);
        stage.set(name, &value);
    }
    let run = start(backend, program, row.args, &stage);
    let name = format!("{:?} ({}) {backend:?}", row.args, row.source);
    let text = run.text();
    assert_eq!(run.code, row.code, "{name}\n{text}");
    let mut rest = text.as_str();
    for said in row.says {
        let said = stage.fill(said);
        let at = rest
            .find(&said)
            .unwrap_or_else(|| panic!("{name}: does not say {said:?}\n{text}"));
        rest = &rest[at + said.len()..];
    }
    (run, stage)
}
