//! The environment of LiteLLM sends requests to this machine through a proxy.

use super::PROXY_CAPTURES_LOOPBACK;
use super::process::subject;
use crate::by_hand;
use crate::model::{
    EnvVariable, Evidence, Finding, Fix, RunLife, RunSource, Safety, Step, Verdict,
};
use crate::state::{View, all_sockets};
use crate::upstream::{Address, Deployment, deployments};

/// What keeps this machine out of a proxy.
const LOOPBACK: &str = "127.0.0.1,localhost,::1";

/// Finds a proxy that takes the requests of LiteLLM to an address of this machine.
pub fn look(litellm: View<'_>, verdict: &mut Verdict) {
    if !litellm.is_running() || litellm.service.environment.known().is_none() {
        return;
    }
    let all = deployments(litellm.snapshot);
    let captured = all.iter().find_map(|deployment| {
        let (url, address) = (deployment.base.url()?, deployment.address.as_ref()?);
        if !address.is_local() {
            return None;
        }
        let proxy = proxy_for(litellm, url)?;
        let kept_out = exceptions(litellm);
        (!is_kept_out(kept_out.as_deref()?, address)).then_some((deployment, address, proxy))
    });
    if let Some((deployment, address, proxy)) = captured {
        verdict.push(finding(litellm, deployment, address, &proxy));
    }
}

/// A variable with its value.
struct Variable {
    name: String,
    value: String,
}

/// The value that Python sees of a variable: small letters win, and empty ones take the variable
/// away. The `.env` that LiteLLM reads gives what the environment does not have. `None` when it is
/// not set, `Some(None)` when it is set to nothing.
fn value(litellm: View<'_>, name: &str) -> Option<Option<String>> {
    let environment = litellm.service.environment.known()?;
    match environment.get(name) {
        Some(EnvVariable::Text(text)) => return Some(Some(text.clone())),
        Some(EnvVariable::Secret { .. } | EnvVariable::Empty) => return Some(None),
        None => {}
    }
    let read = litellm.service.env_files.iter().filter(|file| file.is_read);
    read.filter_map(|file| file.values.get(name))
        .next()
        .map(|text| Some(text.clone()))
}

fn either(litellm: View<'_>, name: &str) -> Option<Variable> {
    let capitals = name.to_ascii_uppercase();
    [name, &capitals].into_iter().find_map(|name| {
        let value = value(litellm, name)?;
        Some(Variable {
            name: name.into(),
            value: value.unwrap_or_default(),
        })
    })
}

/// The variable that names a proxy for a URL: that of its scheme, else `ALL_PROXY`.
fn proxy_for(litellm: View<'_>, url: &str) -> Option<Variable> {
    let scheme = url.split_once("://")?.0.to_ascii_lowercase();
    let of_scheme = either(litellm, &format!("{scheme}_proxy"));
    of_scheme
        .filter(|variable| !variable.value.is_empty())
        .or_else(|| either(litellm, "all_proxy"))
        .filter(|variable| !variable.value.is_empty())
}

/// What `NO_PROXY` says; none when nobody can tell.
fn exceptions(litellm: View<'_>) -> Option<String> {
    let config = &litellm.snapshot.configs.litellm;
    let in_config = ["no_proxy", "NO_PROXY"].iter().any(|name| {
        config
            .entry(&format!("environment_variables.{name}"))
            .is_some()
    });
    if in_config {
        return None;
    }
    Some(either(litellm, "no_proxy").map_or_else(String::new, |variable| variable.value))
}

/// Whether a list like `127.0.0.1,localhost,.example.com` keeps an address out of the proxy. Ranges
/// like 127.0.0.0/8 do not: the HTTP client of LiteLLM knows none.
fn is_kept_out(list: &str, address: &Address) -> bool {
    list.split(',').map(str::trim).any(|item| {
        let item = item.rsplit_once("://").map_or(item, |(_, host)| host);
        let item = item.trim_start_matches('.');
        let bare = item.trim_start_matches('[').trim_end_matches(']');
        item == "*"
            || bare.eq_ignore_ascii_case(&address.host)
            || item.eq_ignore_ascii_case(&address.to_string())
    })
}

fn finding(
    litellm: View<'_>,
    deployment: &Deployment<'_>,
    address: &Address,
    proxy: &Variable,
) -> Finding {
    let pid = litellm.main_process().map_or(0, |process| process.pid);
    let (answers, is_proven) = reach(litellm, &proxy.value);
    let finding = Finding::new(
        &PROXY_CAPTURES_LOOPBACK,
        subject(litellm),
        format!(
            "{} sends its requests to {address} through the proxy {} ({})",
            litellm.name, proxy.value, proxy.name
        ),
        format!(
            "its environment has {} and no NO_PROXY for {}{answers}",
            proxy.name, address.host
        ),
    )
    .brief("sends loopback through a proxy")
    .evidence(
        Evidence::new(
            "environment",
            format!("{}={}", proxy.name, proxy.value),
            format!("pid {pid}"),
        )
        .expected(format!("NO_PROXY={LOOPBACK}"))
        .command(format!(
            "tr '\\0' '\\n' < /proc/{pid}/environ | grep -i '_proxy=' | sed 's#//[^/]*@#//#'"
        )),
    );
    let config = &litellm.snapshot.configs.litellm;
    let entry = super::api_base::entry(litellm, deployment);
    let finding = finding.evidence(
        Evidence::new(
            "config",
            format!("api_base: {}", deployment.base.url().unwrap_or_default()),
            config.place(&entry),
        )
        .command(by_hand::show_entry(litellm.snapshot, config, &entry)),
    );
    let finding = finding.fix(fix(litellm));
    match is_proven {
        true => finding,
        false => finding.likely(),
    }
}

/// What is known of the proxy, and whether it proves that the request fails.
fn reach(litellm: View<'_>, proxy: &str) -> (&'static str, bool) {
    let url = match proxy.split_once("://") {
        Some((_, rest)) => format!("http://{rest}"),
        None => format!("http://{proxy}"),
    };
    let Some(address) = Address::of_url(&url).filter(Address::is_local) else {
        return (", and another machine has nothing at that address", true);
    };
    if litellm.snapshot.sockets.known().is_none() {
        return ("", false);
    }
    let listens =
        all_sockets(litellm.snapshot).any(|socket| address.reaches(&socket.address, socket.port));
    match listens {
        true => ("; it depends on that proxy whether they arrive", false),
        false => (", and nothing listens there", true),
    }
}

/// flowgate keeps loopback out of the proxy of whatever it starts; a run of its own that is captured
/// got that from `services.X.env`.
fn fix(litellm: View<'_>) -> Fix {
    let is_ours = litellm
        .service
        .run
        .as_ref()
        .is_some_and(|run| run.source == RunSource::Record && run.life == RunLife::Alive);
    let flowgate = &litellm.snapshot.configs.flowgate;
    let own = ["NO_PROXY", "no_proxy"]
        .iter()
        .map(|name| format!("services.{}.env.{name}", litellm.name))
        .find(|entry| flowgate.entry(entry).is_some());
    if let Some(entry) = own {
        let title = format!(
            "add {LOOPBACK} to {entry} ({}), then restart {}",
            flowgate.place(&entry),
            litellm.name
        );
        return Fix::new("restart", Safety::Unsafe, title, by_hand::restart(litellm));
    }
    let mut commands = vec![format!("export NO_PROXY={LOOPBACK} no_proxy={LOOPBACK}")];
    commands.extend(by_hand::restart(litellm));
    let title = format!("restart {} with NO_PROXY={LOOPBACK}", litellm.name);
    let fix = Fix::new("restart", Safety::Unsafe, title, commands);
    match is_ours && litellm.settings().managed {
        true => fix.with_steps(vec![Step::RestartService {
            service: litellm.name.into(),
        }]),
        false => fix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_out_what_it_names_and_no_range() {
        let address = Address::of_url("http://127.0.0.1:8317/v1").unwrap();
        for list in [
            "127.0.0.1",
            "localhost, 127.0.0.1",
            "*",
            "http://127.0.0.1",
            "127.0.0.1:8317",
        ] {
            assert!(is_kept_out(list, &address), "{list}");
        }
        for list in [
            "",
            "localhost",
            "127.0.0.0/8",
            "127.0.0.1:4000",
            ".example.com",
            "127.0.0.11",
        ] {
            assert!(!is_kept_out(list, &address), "{list}");
        }
        let name = Address::of_url("http://localhost:8317/v1").unwrap();
        assert!(is_kept_out("LOCALHOST", &name));
        let v6 = Address::of_url("http://[::1]:8317/v1").unwrap();
        assert!(is_kept_out("::1", &v6) && is_kept_out("[::1]", &v6));
    }
}
