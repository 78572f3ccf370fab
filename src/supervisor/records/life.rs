//! What became of a recorded process.

use flowgate_checks::model::RunLife;

/// The process that has a recorded pid now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifeSign {
    /// Its start time, in clock ticks after boot.
    pub start_time: u64,
    /// When it was started, in seconds after 1970, where the machine tells.
    pub started_at_seconds: Option<i64>,
    /// Whether it has ended and nobody has read its status.
    pub is_zombie: bool,
    /// Whether it runs the program of the service, or its start time is the one that a pid file names.
    pub is_configured_program: bool,
}

/// What became of a recorded process, by start time and boot id where they were recorded.
/// A bare pid is believed only when the process at it is the configured program.
pub fn life_of(recorded: Option<(u64, &str)>, boot_id: &str, now: Option<&LifeSign>) -> RunLife {
    if let Some((_, recorded_boot)) = recorded
        && recorded_boot != boot_id
    {
        return RunLife::OtherBoot;
    }
    let Some(now) = now else {
        return RunLife::Gone;
    };
    let is_same = match recorded {
        Some((start_time, _)) => start_time == now.start_time,
        // A process that is ending has no command line any more by which it could be told.
        None => now.is_configured_program || now.is_zombie,
    };
    match (is_same, now.is_zombie) {
        (true, false) => RunLife::Alive,
        (true, true) => RunLife::Zombie,
        (false, _) => RunLife::Reused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(start_time: u64, is_zombie: bool, is_configured_program: bool) -> LifeSign {
        LifeSign {
            start_time,
            started_at_seconds: None,
            is_zombie,
            is_configured_program,
        }
    }

    #[test]
    fn a_pid_alone_proves_nothing() {
        let recorded = Some((10, "boot"));
        for (recorded, boot, now, life) in [
            (
                recorded,
                "boot",
                Some(sign(10, false, false)),
                RunLife::Alive,
            ),
            (
                recorded,
                "boot",
                Some(sign(10, true, false)),
                RunLife::Zombie,
            ),
            (
                recorded,
                "boot",
                Some(sign(11, false, true)),
                RunLife::Reused,
            ),
            (recorded, "boot", None, RunLife::Gone),
            (
                recorded,
                "other",
                Some(sign(10, false, true)),
                RunLife::OtherBoot,
            ),
            (None, "boot", Some(sign(5, false, true)), RunLife::Alive),
            (None, "boot", Some(sign(5, false, false)), RunLife::Reused),
            (None, "boot", None, RunLife::Gone),
        ] {
            assert_eq!(life_of(recorded, boot, now.as_ref()), life);
        }
    }
}
