use flowgate_checks::model::ExitClass;
use proptest::prelude::*;

use super::super::policy;
use super::*;

fn failure(class: ExitClass) -> Failure {
    policy::tests::failure(class, "x")
}

/// What the rest of the world does to a machine, and what it may not let it do.
struct World {
    machine: Machine,
    /// Whether the last word of a person was to run it.
    is_asked: bool,
    child_lives: bool,
    workers_live: bool,
    /// Whether the main process and its session are being ended.
    is_ending: bool,
    is_waiting: bool,
    can_spawn: bool,
    class: ExitClass,
    spawned: u32,
    ended: u32,
    seen_ended: u32,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Start,
    Restart,
    Stop,
    GetReady,
    FallSilent,
    Move,
    Die { leaves_workers: bool },
    WorkersDie,
    EndsWell,
    EndsBadly { child_dies: bool },
    TimeComes,
    SpawningBreaks(bool),
    Class(u8),
}

impl World {
    fn new() -> Self {
        Self {
            machine: Machine::new(Stopped, false, false, Tries::default(), 0),
            is_asked: false,
            child_lives: false,
            workers_live: false,
            is_ending: false,
            is_waiting: false,
            can_spawn: true,
            class: ExitClass::Unknown,
            spawned: 0,
            ended: 0,
            seen_ended: 0,
        }
    }

    fn leftovers(&self) -> bool {
        self.workers_live && !self.child_lives
    }

    fn tell(&mut self, input: Input) {
        let mut input = Some(input);
        while let Some(next) = input.take() {
            if matches!(next, Input::Exited { .. }) {
                self.seen_ended += 1;
            }
            let action = self.machine.on(next, 0.5);
            if !matches!(self.machine.state(), Backoff | CrashLoop) {
                self.is_waiting = false;
            }
            input = action.and_then(|action| self.carry_out(action));
        }
    }

    fn carry_out(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::Spawn => {
                assert!(!self.child_lives, "two living children");
                assert!(!self.workers_live, "a child beside workers of the last");
                assert!(!self.is_ending, "a child while the last is ended");
                assert!(self.is_asked, "started after a stop");
                self.is_waiting = false;
                if !self.can_spawn {
                    return Some(Input::NotSpawned(failure(self.class)));
                }
                self.child_lives = true;
                self.spawned += 1;
                Some(Input::Spawned)
            }
            Action::End => {
                assert!(!self.is_ending, "ended twice");
                self.is_ending = true;
                None
            }
            Action::Wait(_) => {
                assert!(!self.child_lives, "waits to start what lives");
                self.is_waiting = true;
                None
            }
        }
    }

    fn child_ends(&mut self) {
        if std::mem::take(&mut self.child_lives) {
            self.ended += 1;
            let leftovers = self.workers_live;
            let failure = failure(self.class);
            self.tell(Input::Exited { failure, leftovers });
        }
    }

    fn step(&mut self, step: Step) {
        let leftovers = self.leftovers();
        match step {
            Step::Start => {
                self.is_asked = true;
                self.tell(Input::AskedToStart { leftovers });
            }
            Step::Restart => {
                self.is_asked = true;
                self.tell(Input::AskedToRestart { leftovers });
            }
            Step::Stop => {
                self.is_asked = false;
                self.tell(Input::AskedToStop { leftovers });
            }
            Step::GetReady if self.child_lives => self.tell(Input::Answered),
            Step::FallSilent if self.child_lives => self.tell(Input::WentSilent),
            Step::Move if self.child_lives => self.tell(Input::Moved(failure(self.class))),
            Step::Die { leaves_workers } if self.child_lives => {
                self.workers_live = leaves_workers;
                self.child_ends();
            }
            Step::WorkersDie => self.workers_live = false,
            Step::EndsWell if self.is_ending => {
                self.workers_live = false;
                self.child_ends();
                self.is_ending = false;
                self.tell(Input::Cleared);
            }
            Step::EndsBadly { child_dies } if self.is_ending => {
                if child_dies {
                    self.child_ends();
                    self.workers_live = true;
                }
                self.is_ending = false;
                self.tell(Input::Survived);
            }
            Step::TimeComes if self.is_waiting => {
                self.is_waiting = false;
                self.tell(Input::Due { leftovers });
            }
            Step::SpawningBreaks(breaks) => self.can_spawn = !breaks,
            Step::Class(class) => {
                self.class = [
                    ExitClass::Config,
                    ExitClass::Port,
                    ExitClass::Killed,
                    ExitClass::Unknown,
                ][usize::from(class % 4)];
            }
            _ => {}
        }
        self.check();
    }

    fn check(&self) {
        let state = self.machine.state();
        assert_eq!(self.machine.lives(), self.child_lives, "a lost exit");
        assert_eq!(self.ended, self.seen_ended);
        assert_eq!(self.spawned - self.ended, u32::from(self.child_lives));
        assert_eq!(self.machine.is_wanted(), self.is_asked);
        assert_eq!(state == Stopping, self.is_ending, "{state:?}");
        assert_eq!(matches!(state, Backoff | CrashLoop), self.is_waiting);
        if matches!(state, Starting | Ready | Unready) {
            assert!(self.child_lives, "{state:?} and dead");
        }
        if self.is_asked && !self.child_lives {
            assert!(
                self.is_ending || self.is_waiting,
                "{state:?}: wanted, dead, and nobody does anything"
            );
        }
        if !self.is_asked {
            assert!(!self.is_waiting, "waits to start what nobody wants");
        }
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Start),
        2 => Just(Step::Restart),
        2 => Just(Step::Stop),
        4 => Just(Step::GetReady),
        1 => Just(Step::FallSilent),
        1 => Just(Step::Move),
        4 => any::<bool>().prop_map(|leaves_workers| Step::Die { leaves_workers }),
        1 => Just(Step::WorkersDie),
        5 => Just(Step::EndsWell),
        2 => any::<bool>().prop_map(|child_dies| Step::EndsBadly { child_dies }),
        5 => Just(Step::TimeComes),
        1 => any::<bool>().prop_map(Step::SpawningBreaks),
        1 => any::<u8>().prop_map(Step::Class),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_order_of_events_leads_to_a_forbidden_state(
        steps in prop::collection::vec(any_step(), 0..60)
    ) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
        }
    }
}

fn run(inputs: &[Input]) -> (Machine, Option<Action>) {
    let mut machine = Machine::new(Stopped, false, false, Tries::default(), 0);
    let mut last = None;
    for input in inputs {
        last = machine.on(input.clone(), 0.5);
    }
    (machine, last)
}

const START: Input = Input::AskedToStart { leftovers: false };

fn exited(class: ExitClass) -> Input {
    Input::Exited {
        failure: failure(class),
        leftovers: false,
    }
}

#[test]
fn one_that_was_ready_is_made_anew_at_once_and_counted() {
    let (mut machine, action) = run(&[
        START,
        Input::Spawned,
        Input::Answered,
        exited(ExitClass::Killed),
    ]);
    assert_eq!((action, machine.state()), (Some(Action::Spawn), Backoff));
    machine.on(Input::Spawned, 0.5);
    assert_eq!((machine.state(), machine.restarts()), (Starting, 1));
    machine.on(exited(ExitClass::Killed), 0.5);
    machine.on(START, 0.5);
    machine.on(Input::Spawned, 0.5);
    assert_eq!(machine.restarts(), 0, "a person asked");
}

#[test]
fn a_start_that_fails_twice_for_its_config_is_given_up_until_somebody_acts() {
    let (mut machine, action) = run(&[
        START,
        Input::Spawned,
        exited(ExitClass::Config),
        Input::Due { leftovers: false },
        Input::Spawned,
        exited(ExitClass::Config),
    ]);
    assert_eq!(
        (action, machine.state()),
        (Some(Action::Wait(Wait::Files)), CrashLoop)
    );
    let due = Input::Due { leftovers: false };
    assert_eq!(machine.on(due, 0.5), Some(Action::Spawn));
    machine.on(Input::Spawned, 0.5);
    assert_eq!(
        machine.on(exited(ExitClass::Config), 0.5),
        Some(Action::Wait(Wait::Files)),
        "the same again needs no second proof"
    );
}

#[test]
fn workers_of_a_dead_main_process_end_before_the_next_one_begins() {
    let (mut machine, action) = run(&[
        START,
        Input::Spawned,
        Input::Answered,
        Input::Exited {
            failure: failure(ExitClass::Killed),
            leftovers: true,
        },
    ]);
    assert_eq!((action, machine.state()), (Some(Action::End), Stopping));
    assert_eq!(machine.on(Input::Cleared, 0.5), Some(Action::Spawn));
}

#[test]
fn one_that_does_not_answer_is_left_alone() {
    let (machine, action) = run(&[START, Input::Spawned, Input::Answered, Input::WentSilent]);
    assert_eq!((action, machine.state()), (None, Unready));
}
