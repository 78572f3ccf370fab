//! One fault, the fix that ends it, and the proof: it does not work before, it works after, nothing
//! outside of the plan changes, and undo restores every byte and mode.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::fix::text;
use crate::gateway::{PLANTED, roots};
use crate::process::read;
use crate::stage::{FLOWGATE_YAML, PROXY_YAML, Stage};
use crate::state::{Entry, differences, state};

const SERVICES: [&str; 2] = ["litellm", "cliproxyapi_plus"];

/// One fault and the fix that ends it.
pub struct Situation {
    /// What is wrong.
    pub name: &'static str,
    /// The key of the root: `readiness/killed:litellm`.
    pub root: &'static str,
    /// The fix that is proved.
    pub fix: &'static str,
    /// `S` or `U`.
    pub letter: char,
    /// Makes it.
    pub make: fn() -> Stage,
    /// Whether the gateway does what it could not.
    pub works: fn(&Stage) -> bool,
    /// What undo makes of the repair.
    pub undo: Undo,
    /// Whether another fix of its row comes first, so that it must be named.
    pub is_second: bool,
    /// Whether it is less than an error once it is repaired, and not gone.
    pub is_lessened: bool,
    /// Whether it is a hint alone, which is not asked for with everything.
    pub is_hint: bool,
    /// The exit code once it is repaired.
    pub exit_code: i32,
    /// What it needs around it.
    pub place: Place,
}

/// What undo makes of a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// The gateway cannot do again what it could not.
    ComesBack,
    /// Files and modes are as before, and what runs goes on.
    Stays,
    /// There is nothing to take back.
    Final,
}

/// What a situation needs around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing.
    Anywhere,
    /// A user who is not root, whom modes and low ports hold back; in a network of his own.
    OrdinaryUser,
    /// The same, beside a server of root at [`crate::elsewhere::HELD`].
    BesideRoot,
    /// A network of its own in which every address may be bound, and no mark of a container: what a
    /// container publishes, nobody in it knows.
    OutsideContainers,
    /// A network of its own, since it needs a port that others may hold.
    OwnNetwork,
}

impl Situation {
    /// A fault that is repaired without asking.
    pub const fn safe(
        name: &'static str,
        root: &'static str,
        fix: &'static str,
        make: fn() -> Stage,
        works: fn(&Stage) -> bool,
    ) -> Self {
        Self {
            name,
            root,
            fix,
            letter: 'S',
            make,
            works,
            undo: Undo::ComesBack,
            is_second: false,
            is_lessened: false,
            is_hint: false,
            exit_code: 0,
            place: Place::Anywhere,
        }
    }

    /// A fault whose repair is asked for.
    pub const fn asked(
        name: &'static str,
        root: &'static str,
        fix: &'static str,
        make: fn() -> Stage,
        works: fn(&Stage) -> bool,
    ) -> Self {
        let safe = Self::safe(name, root, fix, make, works);
        Self {
            letter: 'U',
            ..safe
        }
    }

    /// What was done is not taken back by undo: a process that runs, goes on.
    pub const fn stays(self) -> Self {
        Self {
            undo: Undo::Stays,
            ..self
        }
    }

    /// There is nothing to take back.
    pub const fn lasts(self) -> Self {
        Self {
            undo: Undo::Final,
            ..self
        }
    }

    /// Another fix comes before it.
    pub const fn second(self) -> Self {
        Self {
            is_second: true,
            ..self
        }
    }

    /// A warning of it is left.
    pub const fn lessens(self) -> Self {
        Self {
            is_lessened: true,
            ..self
        }
    }

    /// It is a hint alone.
    pub const fn hint(self) -> Self {
        Self {
            is_hint: true,
            ..self
        }
    }

    /// Something else is left to do.
    pub const fn leaves_an_error(self) -> Self {
        Self {
            exit_code: 1,
            ..self
        }
    }

    /// It needs something around it.
    pub const fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    fn choice(&self) -> String {
        let (_, subject) = self.root.split_once(':').unwrap();
        format!("--fix={}:{subject}", self.fix)
    }
}

/// What is there before a repair.
struct Before {
    files: BTreeMap<PathBuf, Entry>,
    pids: [Option<u32>; 2],
}

impl Before {
    fn of(stage: &Stage) -> Self {
        Self {
            files: state(&stage.gateway.path(".")),
            pids: SERVICES.map(|service| stage.ready_pid(service)),
        }
    }
}

/// Without asking what is safe is done, and nothing else; the rest by its name, once that is agreed to.
pub fn prove_by_name(situation: &Situation) {
    let mut stage = (situation.make)();
    assert!(!(situation.works)(&stage), "it works before the repair");
    let before = Before::of(&stage);
    let unasked = match situation.is_second && situation.letter == 'S' {
        true => situation.choice(),
        false => "--fix=safe".to_owned(),
    };
    let document = look(&stage, &[&unasked]);
    assert_harmless(&mut stage, &before, &document);
    if situation.letter == 'S' {
        return assert_proved(situation, &mut stage, &before, &document);
    }
    assert!(
        !(situation.works)(&stage),
        "nobody agreed: {}",
        brief(&document)
    );
    assert!(run(&document, situation).is_none(), "{}", brief(&document));

    let before = Before::of(&stage);
    let document = look(&stage, &[&situation.choice(), "--yes"]);
    assert_harmless(&mut stage, &before, &document);
    assert_proved(situation, &mut stage, &before, &document);
}

/// With everything agreed to it works afterwards as well.
pub fn prove_with_all(situation: &Situation) {
    let mut stage = (situation.make)();
    assert!(!(situation.works)(&stage), "it works before the repair");
    let before = Before::of(&stage);
    let document = look(&stage, &["--fix=all", "--yes"]);
    assert_harmless(&mut stage, &before, &document);
    if situation.is_hint {
        assert!(!(situation.works)(&stage), "{}", brief(&document));
        return assert!(runs(&document).is_empty(), "{}", brief(&document));
    }
    if situation.is_second {
        assert_repaired(situation, &stage, &document);
        return assert_taken_back(situation, &mut stage, &before, &document);
    }
    assert_proved(situation, &mut stage, &before, &document);
}

fn assert_proved(situation: &Situation, stage: &mut Stage, before: &Before, document: &Value) {
    let run =
        run(document, situation).unwrap_or_else(|| panic!("not repaired: {}", brief(document)));
    assert_eq!(run["fix"], situation.fix, "{run:#}");
    assert_repaired(situation, stage, document);
    assert_taken_back(situation, stage, before, document);
    let comes_back = situation.undo == Undo::ComesBack;
    let mut is_back = !(situation.works)(stage);
    if comes_back && !is_back {
        // Its supervisor was faster than the repair, so that undo found it running and left it so: the
        // fault is there at its next start.
        stage.restart();
        is_back = !(situation.works)(stage);
    }
    assert_eq!(
        is_back,
        comes_back,
        "whether undo brings it back, of {}",
        brief(document)
    );
}

fn assert_repaired(situation: &Situation, stage: &Stage, document: &Value) {
    for run in runs(document) {
        // What an earlier run left half-way is taken back.
        let is_kept = run["state"] == "kept" || run["fix"] == "finish-roll-back";
        assert!(is_kept, "{run:#}");
    }
    assert!(
        (situation.works)(stage),
        "it does not work: {}",
        brief(document)
    );
    let left = roots(document);
    let is_left = left.iter().any(|root| root == situation.root);
    assert_eq!(is_left, situation.is_lessened, "{left:?}");
    let code = &document["exitCode"];
    assert_eq!(*code, situation.exit_code, "{}", brief(document));
}

fn assert_taken_back(situation: &Situation, stage: &mut Stage, before: &Before, document: &Value) {
    let said = stage.gateway.flowgate(&["doctor", "undo"]);
    if situation.undo == Undo::Final {
        assert_eq!(said.code, 1, "{}", said.out);
        return assert!(stage.others_are_well(), "after undo");
    }
    assert_eq!(said.code, 0, "{}{}{}", said.out, said.err, brief(document));
    let left = differences(&before.files, &state(&stage.gateway.path(".")));
    assert_eq!(left, Vec::<String>::new(), "after undo: {}", said.out);
    assert!(stage.others_are_well(), "after undo");
}

fn runs(document: &Value) -> Vec<&Value> {
    let rounds = document["repair"]["rounds"].as_array().unwrap().iter();
    rounds
        .flat_map(|round| round["runs"].as_array().unwrap())
        .collect()
}

/// The doctor with time enough for a machine that does much else.
fn look(stage: &Stage, args: &[&str]) -> Value {
    stage
        .gateway
        .doctor(&[args, &["--timeout", "30s"]].concat())
}

/// The roots that are left and what was repaired.
fn brief(document: &Value) -> String {
    let unknowns = &document["unknowns"];
    format!(
        "{:?} {:#} {unknowns:#}",
        roots(document),
        document["repair"]
    )
}

/// The run that was to end the fault.
fn run<'a>(document: &'a Value, situation: &Situation) -> Option<&'a Value> {
    runs(document).into_iter().find(|run| {
        let mut roots = run["roots"].as_array().unwrap().iter();
        roots.any(|root| root == situation.root)
    })
}

/// Nothing outside of the plan changed, and no secret is in what the repair wrote down.
fn assert_harmless(stage: &mut Stage, before: &Before, document: &Value) {
    let (mut files, targets) = planned(document);
    files.extend(finished(stage, &targets));
    let changed = differences(&before.files, &state(&stage.gateway.path(".")));
    let outside: Vec<&String> = changed
        .iter()
        .filter(|path| !files.contains(*path))
        .collect();
    assert!(outside.is_empty(), "{outside:?} changed, planned {files:?}");
    for (service, pid) in SERVICES.iter().zip(before.pids) {
        if pid.is_some() && !targets.contains(*service) {
            let now = stage.recorded_pid(service);
            assert_eq!(now, pid, "{service} is not in the plan: {targets:?}");
        }
    }
    assert!(stage.others_are_well(), "somebody else was hurt");
    assert_kept_secret(&stage.gateway.path(".router/runtime/doctor"));
}

/// The files and the other things that the plan names.
fn planned(document: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut files, mut targets) = (BTreeSet::new(), BTreeSet::new());
    for step in runs(document)
        .iter()
        .flat_map(|run| run["steps"].as_array().unwrap())
    {
        let target = step["target"].as_str().unwrap();
        files.insert(target.split(": ").next().unwrap().to_owned());
        targets.insert(target.to_owned());
        let diff = step["diff"].as_str().unwrap_or_default().lines();
        files.extend(
            diff.filter_map(|line| line.strip_prefix("+++ b/"))
                .map(str::to_owned),
        );
    }
    (files, targets)
}

/// The files that an unfinished run changed which this one finishes.
fn finished(stage: &Stage, targets: &BTreeSet<String>) -> Vec<String> {
    let runs = targets
        .iter()
        .filter_map(|target| target.strip_prefix("run "));
    let plans = runs.map(|run| {
        let plan = format!(".router/runtime/doctor/runs/{run}/plan.json");
        text(&stage.gateway, &plan)
    });
    let configs = [FLOWGATE_YAML, PROXY_YAML];
    plans
        .flat_map(|plan| configs.into_iter().filter(move |file| plan.contains(file)))
        .map(str::to_owned)
        .collect()
}

/// Plans, journals and reports hold no secret; copies of files are for this user alone.
fn assert_kept_secret(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{}", path.display());
        if path.is_dir() {
            assert_kept_secret(&path);
            continue;
        }
        let is_copy = path
            .extension()
            .is_some_and(|ending| ending == "before" || ending == "after");
        let text = read(&path);
        for secret in PLANTED {
            assert!(is_copy || !text.contains(secret), "{}", path.display());
        }
    }
}
