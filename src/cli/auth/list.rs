//! `flowgate auth list`: the providers of flowgate.yaml; nothing else is read.

use clap::Args;
use serde_json::json;

use super::providers::{self, Provider, yes};
use crate::cli::failure::Failure;
use crate::cli::{Global, again, opened, output, table};

/// Show the providers of flowgate.yaml.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Runs `auth list`; gives the exit code.
///
/// # Errors
/// A config that does not load.
pub fn run(args: &ListArgs, global: &Global) -> Result<u8, Failure> {
    let opened = opened::open(global).map_err(|failure| failure.as_document(args.json))?;
    let providers = providers::of(&opened);
    if args.json {
        output::json(&document(&providers))?;
    } else if output::is_for_scripts(global) {
        output::text(&tokens(&providers))?;
    } else {
        output::text(&page(&providers, global))?;
    }
    Ok(0)
}

fn document(providers: &[Provider<'_>]) -> serde_json::Value {
    let providers: Vec<_> = providers
        .iter()
        .map(|provider| {
            json!({
                "provider": provider.name,
                "method": provider.method,
                "oauthLogin": provider.has_login,
                "headlessImport": provider.has_import,
            })
        })
        .collect();
    json!({"schemaVersion": 1, "providers": providers})
}

/// The lines of the original.
fn tokens(providers: &[Provider<'_>]) -> String {
    let mut text: String = providers
        .iter()
        .map(|provider| {
            format!(
                "provider={} oauth_login={} headless_import={}\n",
                table::plain(provider.name),
                yes(provider.has_login),
                yes(provider.has_import)
            )
        })
        .collect();
    let with = |is: fn(&Provider<'_>) -> bool| {
        let names: Vec<&str> = providers
            .iter()
            .filter(|provider| is(provider))
            .map(|provider| provider.name)
            .collect();
        if names.is_empty() {
            "none".into()
        } else {
            table::plain(&names.join(","))
        }
    };
    text.push_str(&format!(
        "oauth_providers={}\nheadless_import_providers={}\n",
        with(|provider| provider.has_login),
        with(|provider| provider.has_import)
    ));
    text
}

fn page(providers: &[Provider<'_>], global: &Global) -> String {
    if providers.is_empty() {
        return "no provider is configured: write one under auth.providers of flowgate.yaml\n"
            .into();
    }
    let rows = providers.iter().map(|provider| {
        [
            table::plain(provider.name),
            yes(provider.has_login).to_owned(),
            yes(provider.has_import).to_owned(),
        ]
    });
    let mut text = table::table(&["provider", "login", "import"], rows);
    text.push_str(&format!(
        "\nwho is logged in: {}\n",
        again::command(global, "auth status")
    ));
    text
}
