//! What listens on a port, as an observation.

use crate::holder::Holder;
use crate::model::{Evidence, Owner, Snapshot, Socket};
use crate::state::{View, address_key, asked_host};
use crate::words;

/// The command that shows who listens on a port: `ss -ltnp 'sport = :4000'`.
pub fn look(snapshot: &Snapshot, port: u16) -> String {
    let hides = |socket: &&Socket| matches!(socket.owner, Owner::Hidden { .. });
    let is_hidden = crate::state::all_sockets(snapshot)
        .filter(|socket| socket.port == port)
        .any(|socket| hides(&socket));
    let sudo = super::stop_holder::sudo_if(snapshot, is_hidden);
    format!("{sudo}ss -ltnp 'sport = :{port}'")
}

/// The listeners of a holder.
pub fn row(view: &View<'_>, holder: &Holder<'_>, port: u16) -> Evidence {
    let addresses: Vec<String> = holder
        .sockets
        .iter()
        .map(|socket| address_key(&socket.address, socket.port))
        .collect();
    let who = match holder.processes.first() {
        Some(process) => format!("pid {}  {}", process.pid, process.command),
        None => holder.describe(),
    };
    Evidence::new(
        "listener",
        format!("{}  {who}", words::list(&addresses)),
        "/proc/net/tcp",
    )
    .expected(format!("a process of {}, or nobody", view.name))
    .command(look(view.snapshot, port))
}

/// What the configured address answers to a request without a key.
pub fn answer_row(view: &View<'_>, port: u16) -> Option<Evidence> {
    let probes = view.probes()?;
    let answer = [&probes.root, &probes.readiness, &probes.liveness]
        .into_iter()
        .find_map(|answer| answer.known())?;
    let path = answer.request.split(' ').next_back().unwrap_or("/");
    let scheme = match view.settings().scheme {
        crate::model::Scheme::Http => "http",
        crate::model::Scheme::Https => "https",
    };
    let address = address_key(asked_host(&view.settings().host), port);
    Some(
        Evidence::new(
            "answer",
            format!("{} → {}", answer.request, answer.describe()),
            format!("{scheme}://{address}"),
        )
        .command(format!(
            "curl -i --noproxy '*' {}",
            crate::shell::quote(&format!("{scheme}://{address}{path}"))
        )),
    )
}
