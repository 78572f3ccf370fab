//! When the foreground has nothing left to watch, and what its exit code says then.

use std::collections::{BTreeMap, BTreeSet};

use flowgate_checks::model::ServiceKind;

use crate::config::schema::FlowgateConfig;
use crate::supervisor::protocol::ServiceStatus;
use crate::supervisor::records::ServiceState;

/// A service failed for good; which one is added: 1 for CLIProxyAPIPlus, 2 for LiteLLM, 4 for
/// another. So 17 is CLIProxyAPIPlus alone, 18 LiteLLM alone, 19 both.
pub const EXIT_SERVICE_FAILED: u8 = 16;

/// The last of these codes.
pub const EXIT_ALL_FAILED: u8 = EXIT_SERVICE_FAILED + 7;

/// How it stands with the services.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing {
    /// These run; nothing happens until one of them ends.
    Settled(Vec<u32>),
    /// Something is going on.
    Moving,
    /// None runs, and none will: these failed, none of them when all were told to stop.
    Over(Vec<String>),
}

/// How it stands. A service that was refused at its start never became wanted; it failed all the same.
pub fn judge(services: &BTreeMap<String, ServiceStatus>, not_started: &[String]) -> Standing {
    let is_over =
        |state: ServiceState| matches!(state, ServiceState::Stopped | ServiceState::CrashLoop);
    if services.values().all(|service| is_over(service.state)) {
        let wanted = services.iter().filter(|(_, service)| service.wanted);
        let mut failed: BTreeSet<String> = wanted.map(|(name, _)| name.clone()).collect();
        let never_ran = |name: &&String| {
            let service = services.get(*name);
            service.is_none_or(|service| service.last_exit.is_none())
        };
        failed.extend(not_started.iter().filter(never_ran).cloned());
        return Standing::Over(failed.into_iter().collect());
    }
    let mut pids = Vec::new();
    for service in services.values() {
        match (service.state, service.pid) {
            (ServiceState::Stopped | ServiceState::CrashLoop, _) => {}
            (ServiceState::Ready | ServiceState::Unready, Some(pid)) => pids.push(pid),
            _ => return Standing::Moving,
        }
    }
    Standing::Settled(pids)
}

/// The exit code that says which services failed; 0 when none did.
pub fn code(failed: &[String], config: &FlowgateConfig) -> u8 {
    failed.iter().fold(0, |code, name| {
        let kind = config.service(name).map(|service| service.kind);
        let which = match kind {
            Some(ServiceKind::Cliproxyapi) => 1,
            Some(ServiceKind::Litellm) => 2,
            _ => 4,
        };
        code | EXIT_SERVICE_FAILED | which
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn service(state: ServiceState, wanted: bool, pid: Option<u32>) -> ServiceStatus {
        ServiceStatus {
            state,
            wanted,
            pid,
            since: None,
            ready_at: None,
            restarts: 0,
            next_try_at: None,
            last_exit: None,
        }
    }

    fn two(proxy: ServiceStatus, litellm: ServiceStatus) -> BTreeMap<String, ServiceStatus> {
        BTreeMap::from([
            ("cliproxyapi_plus".to_owned(), proxy),
            ("litellm".to_owned(), litellm),
        ])
    }

    #[test]
    fn it_goes_on_while_one_runs_or_will() {
        use ServiceState::{Backoff, CrashLoop, Ready, Starting, Stopped, Unready};
        let ready = || service(Ready, true, Some(5));
        let failed = || service(CrashLoop, true, None);
        for (services, expected) in [
            (two(ready(), failed()), Standing::Settled(vec![5])),
            (
                two(ready(), service(Unready, true, Some(6))),
                Standing::Settled(vec![5, 6]),
            ),
            (
                two(service(Backoff, true, None), failed()),
                Standing::Moving,
            ),
            (
                two(ready(), service(Starting, true, Some(6))),
                Standing::Moving,
            ),
            (
                two(failed(), service(Stopped, false, None)),
                Standing::Over(vec!["cliproxyapi_plus".to_owned()]),
            ),
            (
                two(service(Stopped, false, None), service(Stopped, false, None)),
                Standing::Over(Vec::new()),
            ),
        ] {
            assert_eq!(judge(&services, &[]), expected);
        }
        let refused = ["litellm".to_owned()];
        let none = BTreeMap::new();
        assert_eq!(judge(&none, &refused), Standing::Over(refused.to_vec()));
    }

    #[test]
    fn the_code_says_which_failed() {
        let config = FlowgateConfig::assumed(Path::new("/gw"));
        let code = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            code(&names, &config)
        };
        assert_eq!(code(&[]), 0);
        assert_eq!(code(&["cliproxyapi_plus"]), 17);
        assert_eq!(code(&["litellm"]), 18);
        assert_eq!(code(&["cliproxyapi_plus", "litellm"]), 19);
        assert_eq!(code(&["cliproxyapi_plus", "litellm", "x"]), EXIT_ALL_FAILED);
    }
}
