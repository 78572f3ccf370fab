//! One case: one LiteLLM at most, and what the doctor says of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::gateway::{effects, roots};
use crate::network::Network;
use crate::package::Package;

/// A fault, or several that one LiteLLM can show.
#[derive(Clone, Copy)]
pub struct Case {
    /// A sentence.
    pub name: &'static str,
    /// Makes the fault and looks.
    pub run: fn(&mut Looks<'_>),
}

/// What the looks of one case came to.
pub struct Looks<'a> {
    /// The real program.
    pub package: &'a Package,
    /// Where it runs.
    pub network: Network,
    seen: Vec<Seen>,
    not_run: Vec<String>,
}

/// One look.
struct Seen {
    what: String,
    /// The key that must be the first root; none where nothing is wrong.
    expected: Option<&'static str>,
    first: Option<String>,
    /// What was wrong with it.
    fault: Option<String>,
    took: Duration,
}

impl Looks<'_> {
    /// Notes a look at a fault: its key must be the first root, every other root one of `others`.
    pub fn names(&mut self, what: &str, document: &Value, expected: &'static str, others: &[&str]) {
        let roots = roots(document);
        let is_first = roots.first().is_some_and(|root| root == expected);
        let is_alone = roots
            .iter()
            .skip(1)
            .all(|root| others.contains(&root.as_str()));
        let fault = (!is_first || !is_alone).then(|| {
            format!(
                "roots are {roots:?}, effects {:?}, not {expected} first and then only {others:?}\n{document:#}",
                effects(document)
            )
        });
        self.note(what, document, Some(expected), fault);
    }

    /// Notes a look at what is merely unusual: nothing above an info.
    pub fn is_silent(&mut self, what: &str, document: &Value) {
        let roots = roots(document);
        let fault = (!roots.is_empty()).then(|| format!("roots are {roots:?}\n{document:#}"));
        self.note(what, document, None, fault);
    }

    /// Notes that something could not be made here.
    pub fn cannot(&mut self, what: &str, why: &str) {
        self.not_run.push(format!("{what}: {why}"));
    }

    fn note(
        &mut self,
        what: &str,
        document: &Value,
        expected: Option<&'static str>,
        fault: Option<String>,
    ) {
        self.seen.push(Seen {
            what: what.to_owned(),
            expected,
            first: roots(document).into_iter().next(),
            fault,
            took: Duration::from_millis(document["durationMs"].as_u64().unwrap_or_default()),
        });
    }
}

/// Runs the cases one after another and prints what they came to.
pub fn run_all(cases: &[Case], wanted: &[String], package: &Package, network: Network) -> ExitCode {
    let began = Instant::now();
    let (mut seen, mut not_run, mut broken) = (Vec::new(), Vec::new(), Vec::new());
    let is_wanted =
        |case: &&Case| wanted.is_empty() || wanted.iter().any(|part| case.name.contains(part));
    for case in cases.iter().filter(is_wanted) {
        let started = Instant::now();
        let mut looks = Looks {
            package,
            network,
            seen: Vec::new(),
            not_run: Vec::new(),
        };
        let ended = catch_unwind(AssertUnwindSafe(|| (case.run)(&mut looks)));
        println!("{} ({:.1} s)", case.name, started.elapsed().as_secs_f32());
        for look in &looks.seen {
            let mark = if look.fault.is_none() { "ok  " } else { "MISS" };
            let expected = look.expected.unwrap_or("nothing");
            println!("  {mark} {}: {expected}", look.what);
            if let Some(fault) = &look.fault {
                println!("       {fault}");
            }
        }
        for what in &looks.not_run {
            eprintln!("  NOT RUN {what}");
        }
        if ended.is_err() {
            println!("  BROKEN: it panicked");
            broken.push(case.name);
        }
        seen.append(&mut looks.seen);
        not_run.append(&mut looks.not_run);
    }
    print_count(&seen, &not_run, &broken, began.elapsed());
    let is_good = broken.is_empty() && seen.iter().all(|look| look.fault.is_none());
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The line that README quotes.
fn print_count(seen: &[Seen], not_run: &[String], broken: &[&str], took: Duration) {
    let faults: Vec<&Seen> = seen.iter().filter(|look| look.expected.is_some()).collect();
    let first = |look: &&&Seen| look.first.as_deref() == look.expected;
    let quiet: Vec<&Seen> = seen.iter().filter(|look| look.expected.is_none()).collect();
    let alarms = quiet.iter().filter(|look| look.first.is_some()).count();
    let mut times: Vec<Duration> = seen.iter().map(|look| look.took).collect();
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    println!(
        "\nreal LiteLLM: {} of {} faults named first · {alarms} false alarms on {} sound gateways · \
         a look took {} ms (median), {} ms at most · {:.0} s in all · {} not run, {} broken",
        faults.iter().filter(first).count(),
        faults.len(),
        quiet.len(),
        median.as_millis(),
        times.last().copied().unwrap_or_default().as_millis(),
        took.as_secs_f32(),
        not_run.len(),
        broken.len(),
    );
    for look in seen.iter().filter(|look| look.fault.is_some()) {
        println!(
            "  miss: {} ({} expected, {} named)",
            look.what,
            look.expected.unwrap_or("nothing"),
            look.first.as_deref().unwrap_or("nothing")
        );
    }
    for what in not_run {
        eprintln!("  NOT RUN {what}");
    }
}
