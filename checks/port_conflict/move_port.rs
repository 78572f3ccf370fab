//! Another port for a service: every place that names the old one, as text to write.

use crate::model::{Fix, ServiceKind};
use crate::places::{self, Place};
use crate::state::{View, service_of};
use crate::steps::{self, Edits, litellm};
use crate::words;

/// The remedy `move-port`, to the next free port; none when no free one was found.
pub fn fix(view: &View<'_>, port: u16) -> Option<Fix> {
    let free = view.snapshot.binds.get(view.name)?.next_free_port?;
    Some(fix_as("move-port", view, port, free))
}

/// The same under another id, to a given port.
pub fn fix_as(id: &str, view: &View<'_>, port: u16, free: u16) -> Fix {
    let mut edits = Edits::new(view.snapshot);
    steps::port::set_everywhere(&mut edits, view, port, free);
    edits.fix(id, view.name, text(view, port, free), Vec::new())
}

/// What to write where, so that everything that names the port of a service names another.
fn text(view: &View<'_>, port: u16, free: u16) -> String {
    let snapshot = view.snapshot;
    let upstreams = !steps::port::upstreams(snapshot, port).is_empty();
    let rendered = upstreams && litellm::is_from_profile(snapshot);
    let mut places = places::port_places(view, port);
    if rendered {
        // It is written anew from the profile.
        places.retain(|place| place.file != snapshot.configs.litellm.path);
    }
    let mut parts = Vec::new();
    if !places.is_empty() {
        let places: Vec<String> = places.iter().map(Place::to_string).collect();
        parts.push(format!(
            "write {free} instead of {port} at {}",
            words::list(&places)
        ));
    }
    parts.extend(additions(view, free));
    if rendered {
        let profile =
            litellm::profile(snapshot).map_or_else(String::new, |name| format!(" {name}"));
        parts.push(format!("render the profile{profile} anew"));
    }
    let litellm = service_of(snapshot, ServiceKind::Litellm).filter(|_| upstreams);
    let mut names: Vec<&str> = std::iter::once(*view)
        .chain(litellm)
        .filter(View::is_running)
        .map(|view| view.name)
        .collect();
    names.dedup();
    if !names.is_empty() {
        parts.push(format!("then restart {}", words::list(&names)));
    }
    parts.join("; ")
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
