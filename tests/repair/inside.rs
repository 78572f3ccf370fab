//! A repair inside the test, so that something can happen at each line of its journal.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flowgate::doctor::{self, Request, Source};
use flowgate::repair::error::RepairError;
use flowgate::repair::journal::{self, Lines};
use flowgate::repair::mode::Mode;
use flowgate::repair::{Offer, Talk, Wish, repair};
use flowgate::report::{FailOn, Report, Selection};
use flowgate_checks::model::Policy;

/// What happens at the line of a number, from 0, before it is written.
pub type AtLine = Arc<dyn Fn(usize, &str) -> io::Result<()> + Send + Sync>;

/// Lines that are written as always, after something has happened.
struct Watched {
    inner: Box<dyn Lines>,
    number: Arc<AtomicUsize>,
    at_line: AtLine,
}

impl Lines for Watched {
    fn put(&mut self, line: &str) -> io::Result<()> {
        let number = self.number.fetch_add(1, Ordering::SeqCst);
        (self.at_line)(number, line)?;
        self.inner.put(line)
    }
}

/// Nobody at the other end.
struct Nobody;

impl Talk for Nobody {
    fn can_answer(&self) -> bool {
        false
    }

    fn agrees(&mut self, _: &[Offer]) -> bool {
        false
    }

    fn note(&mut self, _: &str) {}
}

/// Repairs the gateway of a config as `doctor --fix=… --yes` does.
pub fn run(config: &Path, fix: &str, at_line: AtLine) -> Result<Report, RepairError> {
    run_with(config, fix, at_line, &mut Nobody)
}

/// The same with somebody at the other end, who is asked before anything unsafe is done.
pub fn run_with(
    config: &Path,
    fix: &str,
    at_line: AtLine,
    talk: &mut dyn Talk,
) -> Result<Report, RepairError> {
    let look = || {
        let request = Request {
            config: Some(config.to_owned()),
            policy: Policy::default(),
            timeout: Duration::from_secs(5),
        };
        doctor::see(Source::Machine(request), None, &doctor::Underway::default())
    };
    let number = Arc::new(AtomicUsize::new(0));
    let open = move |path: &Path| -> io::Result<Box<dyn Lines>> {
        Ok(Box::new(Watched {
            inner: journal::on_disk(path)?,
            number: number.clone(),
            at_line: at_line.clone(),
        }))
    };
    let wish = Wish {
        mode: Mode::parse(&[fix.to_owned()]).unwrap(),
        yes: !talk.can_answer(),
        dry_run: false,
        selection: Selection::default(),
        fail_on: FailOn::default(),
        lines: &open,
    };
    repair(&look, &wish, talk)
}
