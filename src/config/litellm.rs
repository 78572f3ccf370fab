//! The active config of LiteLLM by type.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use flowgate_checks::model::{ConfigProblem, Position};
use secrecy::SecretString;

use super::allow::FileKind;
use super::document::{Document, Node, NodeValue, ParseFault};
use super::file::{Loaded, Reading};
use super::section::{self, Section};
use super::{path, secrets};

/// What flowgate needs to know of a LiteLLM config. No `Debug`: it holds keys.
#[derive(Clone, Default)]
pub struct LitellmConfig {
    /// `model_list`, in its order.
    pub deployments: Vec<Deployment>,
    /// `general_settings.master_key`; none when the key is not there or null.
    pub master_key: Option<KeyRef>,
    /// `environment_variables`, which LiteLLM puts into its own environment.
    pub environment: BTreeMap<String, SecretString>,
    /// The other files that it reads too (`include`), as written, each with its entry. What they say
    /// is not looked at.
    pub includes: Vec<(String, String, Position)>,
}

/// One entry of `model_list`.
#[derive(Clone)]
pub struct Deployment {
    /// Its place in the list, from 0.
    pub index: usize,
    /// The name that clients use.
    pub model_name: String,
    /// `litellm_params.model`: `openai/gpt-5`.
    pub model: String,
    /// `litellm_params.api_base` (or its older name `base_url`) as written.
    pub api_base: Option<String>,
    /// The entry that holds `api_base`: `model_list[0].litellm_params.api_base`.
    pub api_base_entry: String,
    /// `litellm_params.api_key`; none when it is not there or null.
    pub api_key: Option<KeyRef>,
    /// Its entry: `model_list[0]`.
    pub entry: String,
    /// Where it stands.
    pub position: Position,
}

/// A key as a config names it.
#[derive(Clone)]
pub struct KeyRef {
    /// The key, or where it comes from.
    pub value: KeyValue,
    /// The entry that holds it: `model_list[0].litellm_params.api_key`.
    pub entry: String,
    /// Where it stands.
    pub position: Position,
}

/// A key, or where it comes from.
#[derive(Debug, Clone)]
pub enum KeyValue {
    /// The key itself.
    Literal(SecretString),
    /// The variable that holds it (`os.environ/NAME`).
    Environment(String),
    /// The empty text.
    Empty,
}

impl KeyRef {
    /// The key at an entry; none for null and for what is no scalar.
    pub fn read(node: &Node, entry: impl Into<String>) -> Option<Self> {
        let text = node.scalar_text()?;
        let value = match secrets::environment_reference(&text) {
            Some(name) => KeyValue::Environment(name.to_owned()),
            None if text.is_empty() => KeyValue::Empty,
            None => KeyValue::Literal(SecretString::from(text)),
        };
        Some(Self {
            value,
            entry: entry.into(),
            position: node.position,
        })
    }
}

/// Reads a LiteLLM config; `path` is absolute.
///
/// Invalid is what LiteLLM itself refuses at load or startup (facts/litellm.md sections 3.1, 3.2).
pub fn load(path: &Path, reading: &Reading<'_>) -> Loaded<LitellmConfig> {
    reading.load(
        path,
        FileKind::Litellm,
        |document, _: &mut Vec<ConfigProblem>| LitellmConfig::read(document),
    )
}

impl LitellmConfig {
    /// Reads a document.
    ///
    /// # Errors
    /// What LiteLLM refuses.
    pub fn read(document: &Document) -> Result<Self, ParseFault> {
        let root = &document.root;
        if root.as_map().is_none() {
            let what = if root.is_null() {
                "is empty"
            } else {
                "is no mapping"
            };
            return Err(ParseFault::at(
                root.position,
                format!("{what}; LiteLLM expects keys such as model_list"),
            ));
        }
        let top = Section::open("", root)?;
        let general = top.section("general_settings")?;
        for name in ["router_settings", "litellm_settings"] {
            if let Some(section) = top.section(name)? {
                fallbacks(&section)?;
            }
        }
        Ok(Self {
            deployments: deployments(&top)?,
            master_key: general.as_ref().map(master_key).transpose()?.flatten(),
            environment: environment(&top)?,
            includes: includes(&top),
        })
    }

    /// The model names that clients can ask for, in their order, each once.
    pub fn model_names(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let names = self.deployments.iter().map(|one| one.model_name.as_str());
        names.filter(|name| seen.insert(*name)).collect()
    }
}

/// What is no list of texts LiteLLM passes over.
fn includes(top: &Section<'_>) -> Vec<(String, String, Position)> {
    let Some(field) = top.field("include") else {
        return Vec::new();
    };
    let items = field.node.as_list().unwrap_or_default().iter().enumerate();
    items
        .filter_map(|(index, node)| {
            let file = node.scalar_text()?;
            Some((file, path::index(&field.path, index), node.position))
        })
        .collect()
}

fn master_key(general: &Section<'_>) -> Result<Option<KeyRef>, ParseFault> {
    let Some(field) = general.field("master_key") else {
        return Ok(None);
    };
    match &field.node.value {
        NodeValue::Text(_) => Ok(KeyRef::read(field.node, field.path)),
        _ => Err(field.fault("must be text; put it in quotes")),
    }
}

/// Each item of a list of fallbacks is a mapping of one key: `- gpt-5: [gpt-5-mini]`
/// (facts/litellm.md section 3.2).
fn fallbacks(section: &Section<'_>) -> Result<(), ParseFault> {
    for key in ["fallbacks", "content_policy_fallbacks"] {
        let Some(field) = section.field(key) else {
            continue;
        };
        let items = field
            .node
            .as_list()
            .ok_or_else(|| field.fault("must be a list"))?;
        let is_wrong = |item: &&Node| item.as_map().is_none_or(|pairs| pairs.len() != 1);
        if let Some(item) = items.iter().find(is_wrong) {
            return Err(ParseFault::at(
                item.position,
                format!("an item of {} must be a mapping of one key", field.path),
            ));
        }
    }
    Ok(())
}

fn environment(top: &Section<'_>) -> Result<BTreeMap<String, SecretString>, ParseFault> {
    let variables = top.section("environment_variables")?;
    let fields = variables.iter().flat_map(Section::fields);
    Ok(fields
        .filter_map(|(key, field)| {
            let value = field.node.scalar_text()?;
            Some((key.text.clone(), SecretString::from(value)))
        })
        .collect())
}

fn deployments(top: &Section<'_>) -> Result<Vec<Deployment>, ParseFault> {
    let Some(list) = top.field("model_list") else {
        return Ok(Vec::new());
    };
    let items = list
        .node
        .as_list()
        .ok_or_else(|| list.fault("must be a list"))?;
    items
        .iter()
        .enumerate()
        .map(|(index, node)| deployment(index, node, path::index(&list.path, index)))
        .collect()
}

fn deployment(index: usize, node: &Node, entry: String) -> Result<Deployment, ParseFault> {
    let section = Section::open(entry.clone(), node)?;
    let missing = |section: &Section<'_>, key: &str| {
        ParseFault::at(
            section.position(),
            format!("{} is missing", section.path_of(key)),
        )
    };
    let Some(model_name) = section.field("model_name") else {
        return Err(missing(&section, "model_name"));
    };
    let Some(params) = section.section("litellm_params")? else {
        return Err(missing(&section, "litellm_params"));
    };
    let Some(model) = params.field("model") else {
        return Err(missing(&params, "model"));
    };
    let text = |field: &section::Field<'_>| {
        field
            .node
            .scalar_text()
            .ok_or_else(|| field.fault("must be text"))
    };
    let base = params
        .field("api_base")
        .or_else(|| params.field("base_url"));
    let key = params.field("api_key");
    Ok(Deployment {
        index,
        model_name: text(&model_name)?,
        model: text(&model)?,
        api_base: base.as_ref().map(text).transpose()?,
        api_base_entry: base.map_or_else(|| params.path_of("api_base"), |field| field.path),
        api_key: key.and_then(|field| KeyRef::read(field.node, field.path)),
        entry,
        position: node.position,
    })
}

#[cfg(test)]
#[path = "litellm_tests.rs"]
mod tests;
