//! The clients whose config flowgate wrote: what that config says now.

use std::collections::BTreeMap;
use std::path::Path;

use flowgate_checks::model::{ClientConfig, ClientEntry, ClientKey, ConfigState, Position};
use secrecy::ExposeSecret;

use super::configs::Wave0;
use super::context::Context;
use crate::config::secrets;
use crate::integration::client::Client;
use crate::integration::format::FormatError;
use crate::integration::gateway::Gateway;
use crate::integration::look::{self, Used, UsedText};
use crate::integration::record;
use crate::sys::read::{self, ReadError};

/// No client config is larger, in bytes.
const LARGEST: u64 = 4 << 20;

/// Every client that a record names, by the name of its record.
pub fn look(wave: &Wave0, context: &Context) -> BTreeMap<String, ClientConfig> {
    let Some(config) = &wave.flowgate else {
        return BTreeMap::new();
    };
    let gateway = Gateway::without_key(config).ok();
    record::all(&config.paths.runtime_dir)
        .into_iter()
        .filter_map(|(name, record)| {
            let client = Client::named(&record.client)?;
            let wanted = gateway.as_ref().map(|gateway| client.base_url(gateway));
            let mut found = one(client, &record.path, context);
            found.path = context.show(&record.path);
            found.wanted_url = wanted;
            Some((name, found))
        })
        .collect()
}

fn one(client: Client, path: &Path, context: &Context) -> ClientConfig {
    let of_state = |state| ClientConfig {
        state,
        ..ClientConfig::default()
    };
    let bytes = match read::whole(path, LARGEST) {
        Ok(bytes) => bytes,
        Err(ReadError::Missing) => return of_state(ConfigState::Missing),
        Err(why) => {
            return of_state(ConfigState::Unreadable {
                why: why.to_string(),
            });
        }
    };
    let invalid = |message: String, line: Option<u32>| ConfigState::Invalid {
        position: line.map(|line| Position { line, column: 1 }),
        message,
        excerpt: None,
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return of_state(invalid("is no UTF-8 text".into(), None));
    };
    match look::look(client, &text) {
        Ok(used) => known(used, context),
        Err(why) => {
            let line = match &why {
                FormatError::Syntax { line, .. } => Some(*line),
                _ => None,
            };
            of_state(invalid(why.to_string(), line))
        }
    }
}

fn known(used: Used, context: &Context) -> ClientConfig {
    let entry = |found: UsedText| ClientEntry {
        text: found.text,
        line: found.line,
    };
    let url = used.url.map(|found| {
        secrets::learn_url(&found.text, &context.redactor);
        ClientEntry {
            text: secrets::plain_url(&found.text),
            line: found.line,
        }
    });
    let key = used.key.map(|key| ClientKey {
        fingerprint: key.secret.map(|secret| {
            context.redactor.learn(&secret);
            context.fingerprinter.of(secret.expose_secret())
        }),
        variable: key.variable,
        line: key.line,
    });
    ClientConfig {
        state: ConfigState::Loaded,
        url,
        key,
        models: used
            .models
            .into_iter()
            .map(|(path, found)| (path, entry(found)))
            .collect(),
        ..ClientConfig::default()
    }
}
