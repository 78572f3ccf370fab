//! The rows of the tables.

use std::thread;
use std::time::{Duration, Instant};

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
    assert_eq!(run.code, row.code, "{name}\n{}", run.text());
    let says: Vec<String> = row.says.iter().map(|said| stage.fill(said)).collect();
    // A program of its own may serve before it has said all.
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(missing) = says_in_order(&run.text(), &says) {
        let is_over = run.code.is_some() || Instant::now() > deadline;
        assert!(!is_over, "{name}: does not say {missing:?}\n{}", run.text());
        thread::sleep(Duration::from_millis(5));
    }
    (run, stage)
}

/// The first text that is missing, or not where it should be.
fn says_in_order(text: &str, says: &[String]) -> Result<(), String> {
    let mut rest = text;
    for said in says {
        let at = rest.find(said).ok_or_else(|| said.clone())?;
        rest = &rest[at + said.len()..];
    }
    Ok(())
}
