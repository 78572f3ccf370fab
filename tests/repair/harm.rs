//! No repair harms, and every repair helps: each fault that stand-ins can show, repaired once by the
//! name of its fix and once with everything.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::elsewhere;
use crate::situation::{Situation, prove_by_name, prove_with_all};
use crate::situations;

/// Most of a repair is waiting for processes, so more of them go side by side than there are cores.
const SIDE_BY_SIDE: usize = 4;
/// So many faults are shown at least.
const AT_LEAST: usize = 40;

#[test]
fn what_is_safe_is_done_unasked_and_the_rest_by_its_name() {
    prove_all("by-name");
}

#[test]
fn everything_at_once_helps_and_harms_nobody() {
    prove_all("all");
}

/// Not a test by itself: one fault, in a process with its own user or network.
#[test]
#[ignore = "the other tests here run it as a process of its own"]
fn one_fault_elsewhere() {
    let word = |name: &str| std::env::var(name).unwrap();
    let name = word("REPAIR_SITUATION");
    let situation = situations::all().find(|one| one.name == name).unwrap();
    prove(situation, &word("REPAIR_WAY"));
}

/// Not a test by itself: a server that serves until it is ended.
#[test]
#[ignore = "a fault needs it as a process of its own"]
fn a_server_at_a_port() {
    elsewhere::serve_at_a_port();
}

/// Not a test by itself: a proxy without keys that binds what its file says.
#[test]
#[ignore = "a fault needs it as a process of its own"]
fn an_open_proxy() {
    elsewhere::serve_to_everybody();
}

fn prove(situation: &Situation, way: &str) {
    match way {
        "all" => prove_with_all(situation),
        _ => prove_by_name(situation),
    }
}

/// Proves every situation, or those whose name holds the word in `REPAIR_ONLY`.
#[expect(
    clippy::print_stdout,
    reason = "a test that takes long says where it is"
)]
fn prove_all(way: &str) {
    let only = std::env::var("REPAIR_ONLY").unwrap_or_default();
    let chosen: Vec<&Situation> = situations::all()
        .filter(|one| one.name.contains(&only))
        .collect();
    assert!(
        !only.is_empty() || chosen.len() >= AT_LEAST,
        "{}",
        chosen.len()
    );
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(situation) = chosen.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let began = Instant::now();
                    let result = catch_unwind(AssertUnwindSafe(|| {
                        if !elsewhere::prove(situation.name, way, situation.place) {
                            prove(situation, way);
                        }
                    }));
                    let took = began.elapsed().as_millis();
                    println!("{took:>6} ms {way} {}", situation.name);
                    if let Err(why) = result {
                        failed.lock().unwrap().push(format!(
                            "{}: {}",
                            situation.name,
                            words(&*why)
                        ));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {}:\n\n{}",
        failed.len(),
        chosen.len(),
        failed.join("\n\n")
    );
}

/// What a panic said.
fn words(why: &(dyn std::any::Any + Send)) -> String {
    why.downcast_ref::<String>()
        .cloned()
        .or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default()
}
