//! The tree of a service: its session, member by member.

use rustix::process::{Pid, Signal};

use super::records::RunRecord;
use crate::platform::{self, ProcessHandle};

/// The variable by which members of a session are known when its leader is gone: the id of a run.
pub const RUN_VARIABLE: &str = "FLOWGATE_RUN";

/// The session that flowgate made for one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    leader: u32,
    start_time: u64,
    run_id: String,
}

/// A living process of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Member {
    /// Its pid.
    pub pid: u32,
    /// Its start time, without which a pid says nothing.
    pub start_time: u64,
}

impl Session {
    /// The session of a recorded run; none of another boot.
    pub fn of(run: &RunRecord) -> Option<Self> {
        let id = run.id.as_ref().and_then(serde_json::Value::as_str);
        (run.boot_id == platform::boot_id()).then(|| Self {
            leader: run.pid,
            start_time: run.start_time,
            run_id: id.unwrap_or_default().to_owned(),
        })
    }

    /// Whether its leader, the main process, lives.
    pub fn leader_lives(&self) -> bool {
        self.leader().is_some()
    }

    /// Whether its leader has a group that lives, zombies included: one look instead of a search. Of
    /// one whose leader has gone the number may be another's by now, so this proves nothing.
    pub fn group_lives(&self) -> bool {
        let group = i32::try_from(self.leader).ok().and_then(Pid::from_raw);
        group.is_some_and(|group| {
            let looked = rustix::process::test_kill_process_group(group);
            looked != Err(rustix::io::Errno::SRCH)
        })
    }

    /// Whether its leader was stopped by a signal, and not by a debugger.
    pub fn is_stopped(&self) -> bool {
        self.leader_stat().is_some_and(|stat| stat.state == 'T')
    }

    fn leader_stat(&self) -> Option<platform::ProcessStat> {
        platform::process_stat(self.leader).filter(|stat| stat.start_time == self.start_time)
    }

    /// Its leader, while that lives.
    pub fn leader(&self) -> Option<Member> {
        let stat = self.leader_stat().filter(|stat| !stat.is_dead())?;
        Some(Member {
            pid: stat.pid,
            start_time: stat.start_time,
        })
    }

    /// Its living members. The leader counts from its first moment on, when it has no session of
    /// its own yet.
    ///
    /// As long as the leader has an entry in the process table, no other session can have its
    /// number. Without it only those count that carry the id of the run.
    pub fn members(&self) -> Vec<Member> {
        let is_proven = self.leader_stat().is_some();
        let mut pids = platform::process_ids();
        pids.sort_unstable();
        pids.into_iter()
            .filter_map(platform::process_stat)
            .filter(|stat| !stat.is_dead() && stat.start_time >= self.start_time)
            .filter(|stat| {
                let is_leader = stat.pid == self.leader && stat.start_time == self.start_time;
                let is_in = stat.session == self.leader;
                is_leader || (is_in && (is_proven || self.is_marked(stat.pid)))
            })
            .map(|stat| Member {
                pid: stat.pid,
                start_time: stat.start_time,
            })
            .collect()
    }

    /// Whether a process that was a member is one still.
    pub fn has(&self, member: Member) -> bool {
        let is_in = |stat: &platform::ProcessStat| {
            let is_leader = stat.pid == self.leader && stat.start_time == self.start_time;
            is_leader || (stat.session == self.leader && self.leader_stat().is_some())
        };
        platform::process_stat(member.pid).is_some_and(|stat| {
            stat.start_time == member.start_time && !stat.is_dead() && is_in(&stat)
        })
    }

    fn is_marked(&self, pid: u32) -> bool {
        let mark = format!("{RUN_VARIABLE}={}", self.run_id);
        !self.run_id.is_empty()
            && platform::environment_block(pid).is_ok_and(|block| {
                block
                    .split(|byte| *byte == 0)
                    .any(|pair| pair == mark.as_bytes())
            })
    }
}

impl Member {
    /// Sends a signal to exactly this process; one that has gone gets none.
    pub fn signal(self, signal: Signal) {
        if let Ok(handle) = ProcessHandle::of(self.pid, self.start_time) {
            // It may have ended in between.
            let _ = handle.signal(signal);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn run(pid: u32, start_time: u64, boot_id: String) -> RunRecord {
        RunRecord {
            id: Some("abc".into()),
            pid,
            start_time,
            boot_id,
            sid: Some(pid),
            exe: None,
            digests: BTreeMap::new(),
            binary_digest: None,
            variables: Vec::new(),
            started_at: None,
            log_offset: 0,
        }
    }

    #[test]
    fn a_pid_with_another_start_time_or_boot_is_no_leader() {
        let pid = std::process::id();
        let start = platform::process_stat(pid).unwrap().start_time;
        let ours = Session::of(&run(pid, start, platform::boot_id())).unwrap();
        assert!(ours.leader_lives());
        assert!(ours.members().iter().any(|member| member.pid == pid));
        let reused = Session::of(&run(pid, start + 1, platform::boot_id())).unwrap();
        assert!(!reused.leader_lives());
        assert!(reused.members().is_empty());
        assert_eq!(Session::of(&run(pid, start, "another".into())), None);
    }
}
