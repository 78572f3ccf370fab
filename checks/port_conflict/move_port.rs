//! Another port for a service: every place that names the old one, as text to write.

use crate::model::{Fix, Safety, ServiceKind};
use crate::places::{self, Place};
use crate::state::View;
use crate::words;

/// The remedy `move-port`, to the next free port; none when no free one was found.
pub fn fix(view: &View<'_>, port: u16) -> Option<Fix> {
    let free = view.snapshot.binds.get(view.name)?.next_free_port?;
    Some(Fix::new(
        "move-port",
        Safety::Unsafe,
        text(view, port, free),
        Vec::new(),
    ))
}

/// What to write where, so that everything that names the port of a service names another.
pub fn text(view: &View<'_>, port: u16, free: u16) -> String {
    let places = places::port_places(view, port);
    let mut parts = Vec::new();
    if !places.is_empty() {
        let places: Vec<String> = places.iter().map(Place::to_string).collect();
        parts.push(format!(
            "write {free} instead of {port} at {}",
            words::list(&places)
        ));
    }
    parts.extend(additions(view, free));
    let then = if view.is_running() {
        format!("; then restart {}", view.name)
    } else {
        String::new()
    };
    format!("{}{then}", parts.join("; "))
}

/// The lines that are missing: a port that stands in no file is a default, which must be written.
fn additions(view: &View<'_>, free: u16) -> Vec<String> {
    let configs = &view.snapshot.configs;
    let mut added = Vec::new();
    if places::setting(view, "port").is_none() {
        added.push(format!(
            "add `port: {free}` to services.{} in {}",
            view.name, configs.flowgate.path
        ));
    }
    match view.service.kind {
        // Without the argument LiteLLM takes 4000, whatever flowgate.yaml says.
        ServiceKind::Litellm if !places::has_port_argument(view) => added.push(format!(
            "add `--port`, `\"{free}\"` to services.{}.command.args at {}",
            view.name,
            places::place_of(view, "command.args")
        )),
        ServiceKind::Cliproxyapi
            if configs.cliproxyapi.is_loaded() && configs.cliproxyapi.entry("port").is_none() =>
        {
            added.push(format!(
                "add `port: {free}` to {}",
                configs.cliproxyapi.path
            ));
        }
        _ => {}
    }
    added
}
