//! How this flowgate is called again.

use flowgate_checks::shell;

use super::Global;

/// A command of this flowgate as a person can paste it, with the config that was named.
pub fn command(global: &Global, rest: &str) -> String {
    let called = std::env::args_os().next().map_or_else(
        || "flowgate".into(),
        |called| called.to_string_lossy().into_owned(),
    );
    let mut command = shell::quote(&called);
    if let Some(config) = &global.config {
        command = format!(
            "{command} --config {}",
            shell::quote(&config.display().to_string())
        );
    }
    format!("{command} {rest}")
}
