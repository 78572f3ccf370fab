//! A client that flowgate pointed at the gateway points elsewhere now.

use super::CLIENT_NOT_POINTED;
use crate::clients;
use crate::model::{ClientConfig, Evidence, Finding, Subject, Verdict};
use crate::shell;
use crate::state::View;

/// Finds clients whose base URL does not lead to the configured address of LiteLLM.
pub fn look(litellm: View<'_>, verdict: &mut Verdict) {
    for (record, client) in clients::readable(litellm.snapshot) {
        let is_known = litellm.settings().port.is_some() && client.wanted_url.is_some();
        if is_known && !clients::is_pointed_at(client, litellm) {
            verdict.push(finding(litellm, record, client));
        }
    }
}

fn finding(litellm: View<'_>, record: &str, client: &ClientConfig) -> Finding {
    let wanted = client.wanted_url.as_deref().unwrap_or_default();
    let (seen, place) = match &client.url {
        Some(url) => (url.text.as_str(), clients::place(client, url.line)),
        None => ("no base URL", client.path.clone()),
    };
    let path = shell::absolute(litellm.snapshot, &client.path);
    Finding::new(
        &CLIENT_NOT_POINTED,
        Subject::Client(record.into()),
        format!("{record} does not ask this gateway any more"),
        format!("{place} gives it {seen}, and the gateway is {wanted}"),
    )
    .brief("points elsewhere")
    .evidence(
        Evidence::new("config", seen, place)
            .expected(wanted)
            .command(format!("grep -n http {}", shell::quote(&path))),
    )
    .fix(clients::point(litellm.snapshot, record, client))
}
