//! What a person types: how a program is started, logged in to and asked without flowgate.
//!
//! No command prints a secret: a key goes from its file into the request through a pipe.

use crate::model::{
    ConfigFile, EntryValue, Manager, Process, Run, RunLife, RunSource, Scheme, ServiceKind,
    Snapshot,
};
use crate::routes::canonical_provider;
use crate::shell;
use crate::state::View;

/// Mark of a secret that was taken out of a text; what holds it cannot be pasted.
const REDACTED: &str = "[redacted]";

/// The command that starts a service: flowgate's own, or for one that somebody else runs the
/// command line of the program in the foreground; none when that holds a secret.
pub fn start(view: View<'_>) -> Option<String> {
    if is_started_by_flowgate(view) {
        return Some(service(view, "start"));
    }
    let mut words = view.settings().args.clone();
    if let (ServiceKind::Litellm, Some(port)) = (view.service.kind, view.settings().port) {
        words = with_port(words, port);
    }
    run(view, &words)
}

/// The arguments with the port of flowgate.yaml: without one LiteLLM takes 4000, and another one is
/// what has to be corrected.
fn with_port(mut words: Vec<String>, port: u16) -> Vec<String> {
    if let Some(index) = words.iter().position(|word| word == "--port") {
        match words.get_mut(index + 1) {
            Some(value) => *value = port.to_string(),
            None => words.push(port.to_string()),
        }
    } else if let Some(joined) = words.iter_mut().find(|word| word.starts_with("--port=")) {
        *joined = format!("--port={port}");
    } else {
        words.extend(["--port".into(), port.to_string()]);
    }
    words
}

/// The commands that restart a service. A run that no record of the supervisor names is not its to
/// stop: its main process is ended first.
pub fn restart(view: View<'_>) -> Vec<String> {
    let is_recorded = |run: &Run| run.source == RunSource::Record && run.life == RunLife::Alive;
    if is_started_by_flowgate(view) && view.service.run.as_ref().is_some_and(is_recorded) {
        return vec![service(view, "restart")];
    }
    view.main_process()
        .map(|process| format!("kill {}", process.pid))
        .into_iter()
        .chain(start(view))
        .collect()
}

/// Whether flowgate starts it: it is managed, and has a command.
pub fn is_started_by_flowgate(view: View<'_>) -> bool {
    view.settings().managed && !view.settings().args.is_empty()
}

fn service(view: View<'_>, verb: &str) -> String {
    let command = &view.snapshot.tool.command;
    format!("{command} service {verb} {}", shell::quote(view.name))
}

/// The command that renders a profile into the active config.
pub fn activate(snapshot: &Snapshot, profile: &str) -> String {
    let command = &snapshot.tool.command;
    format!("{command} profile set {}", shell::quote(profile))
}

/// The command that logs in to a provider: flowgate's own, which says why where it does not come to a
/// credential. Of a provider that flowgate.yaml does not name it knows these two; others are logged in
/// to by the program itself.
pub fn login(proxy: View<'_>, provider: &str) -> Option<String> {
    let snapshot = proxy.snapshot;
    let name = canonical_provider(provider);
    let configured = &snapshot.credentials.providers;
    let written = configured
        .contains_key(provider)
        .then_some(provider)
        .or_else(|| {
            let mut names = configured.keys().map(String::as_str);
            names.find(|known| canonical_provider(known) == name)
        });
    let known = ["codex", "copilot"].into_iter().find(|own| *own == name);
    match written.or(known) {
        Some(name) => Some(format!(
            "{} auth login {}",
            snapshot.tool.command,
            shell::quote(name)
        )),
        None => login_by_program(proxy, provider),
    }
}

/// The command with which the program itself logs in to a provider (`facts/cliproxyapi.md` 1.1);
/// none when it has no flag for that.
pub fn login_by_program(proxy: View<'_>, provider: &str) -> Option<String> {
    let flag = match canonical_provider(provider).as_str() {
        "codex" => "-codex-login",
        "copilot" => "-github-copilot-login",
        "claude" => "-claude-login",
        "gemini" => "-login",
        "qwen" => "-qwen-login",
        "iflow" => "-iflow-login",
        "antigravity" => "-antigravity-login",
        "kiro" => "-kiro-login",
        "kimi" => "-kimi-login",
        "xai" => "-xai-login",
        _ => return None,
    };
    let mut words = proxy.settings().args.clone();
    words.push(flag.into());
    run(proxy, &words)
}

/// How a process is ended by whoever manages it.
pub fn stop(process: &Process) -> String {
    match &process.manager {
        Some(Manager::Systemd { unit, user: true }) => {
            format!("systemctl --user stop {}", shell::quote(unit))
        }
        Some(Manager::Systemd { unit, user: false }) => {
            format!("sudo systemctl stop {}", shell::quote(unit))
        }
        Some(Manager::Container { id }) => format!("docker stop {}", shell::quote(id)),
        None => format!("kill {}", process.pid),
    }
}

fn run(view: View<'_>, words: &[String]) -> Option<String> {
    if words.is_empty() || words.iter().any(|word| word.contains(REDACTED)) {
        return None;
    }
    let cwd = shell::absolute(view.snapshot, &view.settings().cwd);
    let line: Vec<String> = words.iter().map(|word| shell::quote(word)).collect();
    Some(format!("cd {} && {}", shell::quote(&cwd), line.join(" ")))
}

/// The URL of a path at an `address:port`.
pub fn url(scheme: Scheme, address: &str, path: &str) -> String {
    let scheme = match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    format!("{scheme}://{address}{path}")
}

/// `curl` without a key.
pub fn ask(url: &str) -> String {
    curl("is", "", url)
}

/// Shows the status of a request with the key that stands in a line of a file, or with the whole
/// content of a file.
pub fn ask_with_key(snapshot: &Snapshot, key_from: &str, url: &str) -> String {
    let request = curl("s", "-o /dev/null -w '%{http_code}\\n' -H @- ", url);
    format!("{} | {request}", header(snapshot, key_from))
}

/// Shows the body of the answer to such a request.
pub fn list_with_key(snapshot: &Snapshot, key_from: &str, url: &str) -> String {
    format!(
        "{} | {}",
        header(snapshot, key_from),
        curl("s", "-H @- ", url)
    )
}

/// Makes the header with a key, for a pipe. Examples of the line of a key:
/// `      api_key: "sk-1"`, `  - sk-1`.
fn header(snapshot: &Snapshot, key_from: &str) -> String {
    let (file, line) = split_place(key_from);
    let file = shell::path(snapshot, file);
    match line {
        Some(line) => format!(
            r#"sed -n '{line}s/^ *\(- *\)*\("*[A-Za-z_-]*"*: *\)*["'\'']*\([^"'\'', ]*\).*/Authorization: Bearer \3/p' {file}"#
        ),
        None => format!("sed '1s/^/Authorization: Bearer /;q' {file}"),
    }
}

/// The variables of a proxy in the user's shell say nothing of this machine.
fn curl(flags: &str, options: &str, url: &str) -> String {
    let trust = if url.starts_with("https") { "k" } else { "" };
    // Without `-g` curl would read the brackets of IPv6 as a pattern.
    let raw = if url.contains('[') { "g" } else { "" };
    format!(
        "curl -{flags}{trust}{raw} -m 5 --noproxy '*' {options}{}",
        shell::quote(url)
    )
}

/// `file:line` in its parts; no line when the place is a whole file.
pub fn split_place(place: &str) -> (&str, Option<u32>) {
    place
        .rsplit_once(':')
        .and_then(|(file, line)| Some((file, Some(line.parse().ok()?))))
        .unwrap_or((place, None))
}

/// Shows where a key stands without its value: `9:      api_key`.
pub fn show_name(snapshot: &Snapshot, file: &str, key: &str) -> String {
    format!(
        "grep -nFe {} {} | cut -d: -f1,2",
        shell::quote(key),
        shell::path(snapshot, file)
    )
}

/// Shows the line of an entry; where a secret stands on the same line, the entry alone.
pub fn show_entry(snapshot: &Snapshot, config: &ConfigFile, path: &str) -> String {
    let file = shell::path(snapshot, &config.path);
    let key = path
        .rsplit('.')
        .next()
        .unwrap_or(path)
        .split('[')
        .next()
        .unwrap_or(path);
    let Some(entry) = config.entry(path) else {
        return show_name(snapshot, &config.path, key);
    };
    let line = entry.position.line;
    let is_secret = |value: &EntryValue| matches!(value, EntryValue::Secret { .. });
    let shares = config
        .entries
        .values()
        .any(|other| other.position.line == line && is_secret(&other.value));
    if is_secret(&entry.value) || shares {
        show_name(snapshot, &config.path, key)
    } else {
        format!("sed -n {line}p {file}")
    }
}

/// The end of a service's log.
pub fn tail(view: View<'_>) -> Option<String> {
    let log = view.service.log.known()?;
    (!log.path.is_empty()).then(|| format!("tail -n 20 {}", shell::path(view.snapshot, &log.path)))
}

/// The first 6 digits of a fingerprint, as it is shown.
pub fn short(fingerprint: &str) -> &str {
    fingerprint.get(..6).unwrap_or(fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_file_and_perhaps_a_line() {
        assert_eq!(split_place("a/b.yaml:9"), ("a/b.yaml", Some(9)));
        assert_eq!(split_place(".router/x.key"), (".router/x.key", None));
        assert_eq!(split_place("a:b"), ("a:b", None));
    }

    #[test]
    fn the_port_of_flowgate_is_the_one_that_is_typed() {
        let typed = |text: &str| {
            let words = text.split(' ').map(str::to_owned).collect();
            with_port(words, 4100).join(" ")
        };
        assert_eq!(typed("litellm"), "litellm --port 4100");
        assert_eq!(typed("litellm --port 4000 -x"), "litellm --port 4100 -x");
        assert_eq!(typed("litellm --port"), "litellm --port 4100");
        assert_eq!(typed("litellm --port=1"), "litellm --port=4100");
    }

    #[test]
    fn a_url_is_asked_as_it_is() {
        assert_eq!(
            ask("http://127.0.0.1:4000/"),
            "curl -is -m 5 --noproxy '*' http://127.0.0.1:4000/"
        );
        assert_eq!(
            ask("https://[::1]:4000/"),
            "curl -iskg -m 5 --noproxy '*' 'https://[::1]:4000/'"
        );
    }
}
