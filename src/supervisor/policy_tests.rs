use flowgate_checks::model::{ExitSource, ExitStage};
use proptest::prelude::*;

use super::super::records::LastExit;
use super::*;

pub fn failure(class: ExitClass, line: &str) -> Failure {
    Failure {
        signature: ExitSignature {
            class,
            stage: ExitStage::Start,
            status: "exit 3".into(),
            line: Some(line.into()),
        },
        inputs: Inputs::default(),
        was_healthy: false,
    }
}

fn judge(tries: &mut Tries, failure: Failure) -> Decision {
    tries.judge(failure, false, 0.5)
}

#[test]
fn the_first_try_is_at_once_and_the_pauses_double_to_half_a_minute() {
    let mut tries = Tries::default();
    let unknown = || failure(ExitClass::Unknown, "x");
    assert_eq!(judge(&mut tries, unknown()), Decision::Now);
    let pauses: Vec<u128> = (0..12)
        .map(|_| match judge(&mut tries, unknown()) {
            Decision::Later(pause) => pause.as_millis(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        pauses,
        [
            100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000
        ]
    );
}

#[test]
fn a_minute_of_health_begins_anew() {
    let mut tries = Tries::default();
    let unknown = || failure(ExitClass::Unknown, "x");
    judge(&mut tries, unknown());
    judge(&mut tries, unknown());
    let after_health = Failure {
        was_healthy: true,
        ..unknown()
    };
    assert_eq!(judge(&mut tries, after_health), Decision::Now);
}

#[test]
fn what_only_a_file_can_change_is_tried_twice() {
    for class in [ExitClass::Config, ExitClass::Program, ExitClass::Usage] {
        let mut tries = Tries::default();
        assert_eq!(judge(&mut tries, failure(class, "x")), Decision::Now);
        assert!(matches!(
            judge(&mut tries, failure(class, "another line")),
            Decision::Later(_)
        ));
        let mut changed = failure(class, "another line");
        changed.inputs.digests.insert("a".into(), "1".into());
        assert!(matches!(
            judge(&mut tries, changed.clone()),
            Decision::Later(_)
        ));
        assert_eq!(judge(&mut tries, changed), Decision::WhenChanged);
    }
}

#[test]
fn a_port_is_waited_for_and_a_signal_never_ends_the_trying() {
    let mut tries = Tries::default();
    for _ in 0..5 {
        assert!(matches!(
            judge(&mut tries, failure(ExitClass::Port, "x")),
            Decision::WhenFree(pause) if pause >= TICK
        ));
    }
    let mut tries = Tries::default();
    for class in [
        ExitClass::Killed,
        ExitClass::Environment,
        ExitClass::Unknown,
    ] {
        for _ in 0..5 {
            assert!(matches!(
                judge(&mut tries, failure(class, "x")),
                Decision::Now | Decision::Later(_)
            ));
        }
    }
}

#[test]
fn a_person_who_is_told_has_time_to_look() {
    let mut tries = Tries::default();
    let unknown = || failure(ExitClass::Unknown, "x");
    assert_eq!(
        tries.judge(unknown(), true, 0.5),
        Decision::Later(Duration::from_secs(2))
    );
    assert_eq!(
        judge(&mut tries, unknown()),
        Decision::Later(Duration::from_secs(2))
    );
    tries.is_up();
    assert_eq!(
        judge(&mut tries, unknown()),
        Decision::Later(Duration::from_millis(200))
    );
}

fn exit(seconds: i64, signature: &ExitSignature) -> HistoryLine {
    HistoryLine::Exit {
        exit: LastExit {
            at: jiff::Timestamp::from_second(seconds).unwrap(),
            code: Some(3),
            signal: None,
            requested: false,
            uptime_ms: None,
            source: Some(ExitSource::Waited),
            signature: Some(signature.clone()),
        },
    }
}

#[test]
fn what_was_tried_is_known_from_the_history() {
    let config = failure(ExitClass::Config, "x");
    let ready = |second| HistoryLine::Ready {
        at: jiff::Timestamp::from_second(second).unwrap(),
    };
    let asked = HistoryLine::Decision {
        at: jiff::Timestamp::UNIX_EPOCH,
        decision: ASKED.into(),
        reason: None,
    };
    let inputs = Inputs::default();
    let exited = |second| exit(second, &config.signature);
    let count = |lines: &[HistoryLine]| Tries::of_history(lines, &inputs).failures();
    assert_eq!(count(&[exited(1), exited(2)]), 2);
    assert_eq!(count(&[exited(1), asked, exited(2)]), 1);
    assert_eq!(count(&[exited(1), ready(2), exited(61)]), 2);
    assert_eq!(count(&[exited(1), ready(2), exited(62)]), 1);
    let mut tries = Tries::of_history(&[exited(1)], &inputs);
    assert_eq!(judge(&mut tries, config), Decision::WhenChanged);
}

proptest! {
    #[test]
    fn no_pause_is_beyond_its_bounds(failures in 1u32..200, told in any::<bool>(), jitter in 0.0f64..1.0) {
        let mut tries = Tries::default();
        for _ in 0..failures {
            let decision = tries.judge(failure(ExitClass::Unknown, "x"), told, jitter);
            if let Decision::Later(pause) = decision {
                prop_assert!(pause >= SHORTEST.mul_f64(0.8) && pause <= LONGEST.mul_f64(1.2));
            }
        }
    }
}
