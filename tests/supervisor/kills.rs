//! kill -9 at any moment: of the supervisor, of a service, of its whole group. Afterwards exactly one
//! of each service runs, or the state says why not, and no orphan holds a port.

use std::collections::BTreeSet;
use std::io::Write;
use std::time::{Duration, Instant};

use flowgate::supervisor::client::Client;
use flowgate::supervisor::places::Places;
use flowgate::supervisor::protocol::Command;
use flowgate::supervisor::records::ServiceState;
use flowgate::supervisor::{lock, session};
use rustix::process::{Pid, Signal};

use crate::house::{House, is_alive, kill, read, wait_for};

const SERVICES: [&str; 2] = ["cliproxyapi_plus", "litellm"];

/// A sequence of numbers that looks like chance and is the same in every run: `xorshift64`.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[derive(Debug, Clone, Copy)]
enum Victim {
    Supervisor,
    Child,
    Group,
    SupervisorAndChild,
}

#[derive(Debug, Clone, Copy)]
enum Deed {
    Start,
    Restart,
    Stop,
}

/// The processes that carry the mark of a run of this house, with their parents' sessions.
fn marked(house: &House) -> BTreeSet<u32> {
    let runtime = house.path("").display().to_string();
    flowgate::platform::process_ids()
        .into_iter()
        .filter(|pid| {
            let cwd = flowgate::platform::working_directory(*pid);
            let is_here =
                cwd.is_some_and(|cwd| cwd.display().to_string() == runtime.trim_end_matches('/'));
            is_here
                && flowgate::platform::environment_block(*pid).is_ok_and(|block| {
                    block
                        .split(|byte| *byte == 0)
                        .any(|pair| pair.starts_with(session::RUN_VARIABLE.as_bytes()))
                })
                && is_alive(*pid)
        })
        .collect()
}

fn supervisor_pid(house: &House) -> Option<u32> {
    let holder = lock::holder(&Places::new(&house.runtime))?;
    is_alive(holder.pid).then_some(holder.pid)
}

fn main_pid(house: &House, service: &str) -> Option<u32> {
    let path = house.runtime.join(format!("supervisor/{service}.json"));
    let record: serde_json::Value = serde_json::from_str(&read(&path)).ok()?;
    let pid = u32::try_from(record["run"]["pid"].as_u64()?).ok()?;
    let start_time = record["run"]["startTime"].as_u64()?;
    let stat = flowgate::platform::process_stat(pid)?;
    (stat.start_time == start_time && !stat.is_dead()).then_some(pid)
}

fn kill_quietly(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}

fn strike(house: &House, victim: Victim, service: &str) {
    let child = main_pid(house, service);
    if matches!(victim, Victim::Supervisor | Victim::SupervisorAndChild)
        && let Some(pid) = supervisor_pid(house)
    {
        kill_quietly(pid);
        wait_for("the end of the supervisor", || !is_alive(pid));
    }
    if matches!(victim, Victim::Child | Victim::SupervisorAndChild)
        && let Some(pid) = child
    {
        kill_quietly(pid);
    }
    if matches!(victim, Victim::Group)
        && let Some(group) = child
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(Pid::from_raw)
    {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
}

/// Asks for something, and does not mind when the supervisor dies over it.
fn ask(house: &House, deed: Deed, service: &str) {
    let Some(mut client) = Client::connect(&house.runtime) else {
        return;
    };
    let launch = || house.launch(service, &[("FLOWGATE_STANDIN_DELAY_MS", "40")]);
    let _ = client.request(
        match deed {
            Deed::Start => Command::Start(launch()),
            Deed::Restart => Command::Restart(launch()),
            Deed::Stop => Command::Stop {
                service: service.to_owned(),
            },
        },
        drop,
    );
}

/// Whether a service stands still where it may.
fn is_settled(house: &House, service: &str, port: u16) -> bool {
    let status = house.status(service);
    match status.state {
        ServiceState::Ready => status.wanted && status.pid.is_some() && house.answers(port),
        ServiceState::Stopped => !status.wanted && status.pid.is_none() && !house.answers(port),
        _ => false,
    }
}

fn check(house: &House, what: &str) {
    wait_for(&format!("one of each and no orphan after {what}"), || {
        let is_settled = is_settled(house, SERVICES[0], house.proxy)
            && is_settled(house, SERVICES[1], house.litellm);
        let running: BTreeSet<u32> = SERVICES
            .iter()
            .filter_map(|service| house.status(service).pid)
            .collect();
        // Whoever waits behind the gate of a supervisor that has died goes by itself.
        is_settled && marked(house) == running
    });
}

#[test]
fn a_kill_at_any_moment_leaves_one_of_each_service_and_no_orphan() {
    let mut house = House::new();
    let mut chance = Chance(0x5eed_0001);
    for service in SERVICES {
        house.start_ready(service);
    }
    let victims = [
        Victim::Supervisor,
        Victim::Child,
        Victim::Group,
        Victim::SupervisorAndChild,
    ];
    let deeds = [Deed::Start, Deed::Restart, Deed::Stop];
    // Every victim at every deed, three times each.
    for round in 0..36 {
        let victim = victims[round % victims.len()];
        let deed = deeds[round / victims.len() % deeds.len()];
        let service = SERVICES[chance.below(2) as usize];
        let moment = Duration::from_micros(chance.below(90_000));
        let what = format!("round {round}: {victim:?} {moment:?} into {deed:?} of {service}");
        std::thread::scope(|scope| {
            scope.spawn(|| ask(&house, deed, service));
            // The moment is what is tested here: nothing is waited for.
            let begun = Instant::now();
            while begun.elapsed() < moment {
                std::thread::park_timeout(moment.saturating_sub(begun.elapsed()));
            }
            strike(&house, victim, service);
        });
        if supervisor_pid(&house).is_none() {
            house.bury_supervisor();
            house.start_supervisor();
        }
        check(&house, &what);
        for service in SERVICES {
            if house.status(service).state == ServiceState::Stopped {
                house.start(service, &[]);
            }
        }
        check(&house, &what);
    }
}

/// Kills the supervisor again and again under a service that writes a numbered line every now and
/// then.
fn survives(kills: u32) {
    let mut house = House::new();
    let proxy = house.start_ready("cliproxyapi_plus");
    let litellm = house.start_ready("litellm");
    for round in 0..kills {
        let line = format!("line {round}\n");
        // What a service writes goes to its log by its own descriptor.
        append_through(proxy, &line);
        house.kill_supervisor();
        append_through(proxy, &format!("alone {round}\n"));
        house.start_supervisor();
        assert_eq!(house.status("cliproxyapi_plus").pid, Some(proxy));
        assert_eq!(house.status("litellm").pid, Some(litellm));
    }
    assert_eq!(house.spawns("cliproxyapi_plus"), 1);
    assert_eq!(house.spawns("litellm"), 1);
    let log = house.log("cliproxyapi_plus");
    let count = |line: &str| log.lines().filter(|one| *one == line).count();
    for round in 0..kills {
        assert_eq!(count(&format!("line {round}")), 1);
        assert_eq!(count(&format!("alone {round}")), 1);
    }
    assert_eq!(marked(&house), BTreeSet::from([proxy, litellm]));
    assert!(house.answers(house.proxy) && house.answers(house.litellm));
}

/// Writes through the standard output that a process has open.
fn append_through(pid: u32, text: &str) {
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(format!("/proc/{pid}/fd/1"))
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_hundred_kills_of_the_supervisor_change_nothing() {
    survives(100);
}

#[test]
fn an_adopted_service_that_dies_again_and_again_comes_back_each_time() {
    let mut house = House::new();
    house.start_ready("cliproxyapi_plus");
    for _ in 0..3 {
        house.kill_supervisor();
        house.start_supervisor();
        let pid = house.status("cliproxyapi_plus").pid.unwrap();
        kill(pid);
        wait_for("the next one", || {
            let status = house.status("cliproxyapi_plus");
            status.state == ServiceState::Ready && status.pid != Some(pid)
        });
    }
    assert_eq!(house.spawns("cliproxyapi_plus"), 4);
}
