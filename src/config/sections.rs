//! The sections of flowgate.yaml, read one by one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use flowgate_checks::model::{ConfigProblem, Position};

use super::document::{Node, NodeValue, ParseFault};
use super::schema::{
    Bootstrap, ConfigPaths, FlowgateConfig, Integration, ProviderConfig, UpstreamCredential,
};
use super::section::{Base, Section};
use super::service::ServiceConfig;
use super::service_section as service;

/// Reads the sections of flowgate.yaml.
///
/// # Errors
/// The first thing that is missing or of the wrong kind, with its place.
pub fn read(
    top: Section<'_>,
    base: &Base,
    problems: &mut Vec<ConfigProblem>,
) -> Result<FlowgateConfig, ParseFault> {
    let version = version(&top)?;
    let reader = Reader { top, base, version };
    reader.read(problems)
}

fn version(top: &Section<'_>) -> Result<u8, ParseFault> {
    let Some(field) = top.field("config_version") else {
        return Ok(2);
    };
    match &field.node.value {
        NodeValue::Int(number @ 1..=3) => Ok(u8::try_from(*number).unwrap_or(2)),
        NodeValue::Int(number) => Err(ParseFault::at(
            field.node.position,
            format!("Unsupported config_version={number}; supported versions: 1, 2, 3"),
        )),
        _ => Err(field.fault("must be an integer")),
    }
}

/// The keys at the top, those of all versions.
const TOP: [&str; 11] = [
    "config_version",
    "paths",
    "services",
    "litellm_base",
    "profiles",
    "auth",
    "secret_files",
    "integration",
    "bootstrap",
    "credentials",
    "cliproxyapi_plus",
];

struct Reader<'a> {
    top: Section<'a>,
    base: &'a Base,
    version: u8,
}

impl Reader<'_> {
    fn read(&self, problems: &mut Vec<ConfigProblem>) -> Result<FlowgateConfig, ParseFault> {
        let known: &[&str] = if self.version == 3 {
            &TOP[..11]
        } else {
            &TOP[..10]
        };
        let with_legacy: Vec<&str> = known.iter().copied().chain(["secrets", "oauth"]).collect();
        self.top.note_unknown(&with_legacy, problems);
        self.require(
            &self.top,
            self.required_at_top()?,
            "Missing required top-level keys",
        )?;
        let paths = self.paths(problems)?;
        let services = self.services(&paths, problems)?;
        Ok(FlowgateConfig {
            version: self.version,
            services,
            litellm_base: self.litellm_base()?,
            profiles: self.profiles()?,
            providers: self.providers(problems)?,
            secret_files: self.secret_files(problems)?,
            integration: self.integration(problems)?,
            upstream: self.upstream(problems)?,
            bootstrap: self.bootstrap(problems)?,
            paths,
        })
    }

    /// What must be there. LiteLLM's part is asked for only when flowgate renders its config:
    /// not of a LiteLLM that is off, run by somebody else, or given its own `config_file`.
    fn required_at_top(&self) -> Result<&'static [&'static str], ParseFault> {
        if self.version == 3 {
            return Ok(&["cliproxyapi_plus", "paths"]);
        }
        let renders = match self.top.section("services")? {
            Some(services) => match services.section("litellm")? {
                Some(litellm) => service::is_rendered(&litellm)?,
                None => true,
            },
            None => true,
        };
        Ok(if renders {
            &["litellm_base", "paths", "profiles", "services"]
        } else {
            &["paths", "services"]
        })
    }

    fn require(
        &self,
        section: &Section<'_>,
        keys: &[&str],
        sentence: &str,
    ) -> Result<(), ParseFault> {
        let mut missing: Vec<&str> = keys
            .iter()
            .copied()
            .filter(|key| section.field(key).is_none())
            .collect();
        missing.sort_unstable();
        if missing.is_empty() {
            return Ok(());
        }
        Err(ParseFault::at(
            section.position(),
            format!("{sentence}: {}", missing.join(", ")),
        ))
    }

    fn paths(&self, problems: &mut Vec<ConfigProblem>) -> Result<ConfigPaths, ParseFault> {
        const KEYS: [&str; 4] = ["runtime_dir", "active_config", "state_file", "log_file"];
        let paths = self.open("paths")?;
        paths.note_unknown(&KEYS, problems);
        let required: &[&str] = if self.version == 3 {
            &["runtime_dir", "log_file"]
        } else {
            &KEYS
        };
        self.require(&paths, required, "paths is missing required keys")?;
        let file = |key: &str| {
            paths
                .field(key)
                .map(|field| field.file(self.base))
                .transpose()
        };
        let usual = ConfigPaths::below(file("runtime_dir")?.unwrap_or_default());
        Ok(ConfigPaths {
            active_config: file("active_config")?.unwrap_or(usual.active_config),
            state_file: file("state_file")?.unwrap_or(usual.state_file),
            log_file: file("log_file")?.unwrap_or(usual.log_file),
            runtime_dir: usual.runtime_dir,
        })
    }

    fn services(
        &self,
        paths: &ConfigPaths,
        problems: &mut Vec<ConfigProblem>,
    ) -> Result<Vec<ServiceConfig>, ParseFault> {
        if self.version == 3 {
            let own = self.open("cliproxyapi_plus")?;
            return Ok(vec![service::of_version_3(
                &own, paths, self.base, problems,
            )?]);
        }
        let services = self.open("services")?;
        let is_renamed = services.field("cliproxyapi_plus").is_none();
        if is_renamed {
            services.note_legacy("cliproxyapi", "services.cliproxyapi_plus", problems);
        }
        let mut read = Vec::new();
        let mut last = None;
        for (key, field) in services.fields() {
            if is_renamed && key.text == "cliproxyapi" {
                last = Some(service::read(
                    "cliproxyapi_plus",
                    &field,
                    self.base,
                    problems,
                )?);
            } else {
                read.push(service::read(&key.text, &field, self.base, problems)?);
            }
        }
        read.extend(last);
        let mut missing = vec!["cliproxyapi_plus", "litellm"];
        missing.retain(|name| !read.iter().any(|service| service.name == *name));
        if missing.is_empty() {
            return Ok(read);
        }
        Err(ParseFault::at(
            services.position(),
            format!("services is missing required keys: {}", missing.join(", ")),
        ))
    }

    fn litellm_base(&self) -> Result<Option<Node>, ParseFault> {
        let Some(field) = self.top.field("litellm_base") else {
            return Ok(None);
        };
        field.section()?;
        Ok(Some(field.node.clone()))
    }

    fn profiles(&self) -> Result<BTreeMap<String, Node>, ParseFault> {
        let Some(profiles) = self.top.section("profiles")? else {
            return Ok(BTreeMap::new());
        };
        let mut read = BTreeMap::new();
        for (key, field) in profiles.fields() {
            field.section()?;
            read.insert(key.text.clone(), field.node.clone());
        }
        if read.is_empty() {
            return Err(ParseFault::at(
                profiles.position(),
                "profiles must not be empty",
            ));
        }
        Ok(read)
    }

    fn providers(
        &self,
        problems: &mut Vec<ConfigProblem>,
    ) -> Result<BTreeMap<String, ProviderConfig>, ParseFault> {
        self.top.note_legacy("oauth", "auth.providers", problems);
        let auth = self.top.section("auth")?;
        if let Some(auth) = &auth {
            auth.note_unknown(&["providers"], problems);
        }
        let old = self.top.section("oauth")?;
        // `auth` wins over `oauth` even when it is empty; `oauth` is checked all the same.
        let old = read_providers(old.as_ref(), problems)?;
        if self.top.key_position("auth").is_none() {
            return Ok(old);
        }
        let new = match auth {
            Some(auth) => auth.section("providers")?,
            None => None,
        };
        read_providers(new.as_ref(), problems)
    }

    fn secret_files(&self, problems: &mut Vec<ConfigProblem>) -> Result<Vec<PathBuf>, ParseFault> {
        self.top.note_legacy("secrets", "secret_files", problems);
        let new = self.top.field("secret_files");
        let old = || self.top.field("secrets");
        let Some(field) = new.or_else(old) else {
            return Ok(Vec::new());
        };
        let files = field.texts("must be a list of string paths")?;
        files.iter().map(|file| file.file(self.base)).collect()
    }

    fn integration(&self, problems: &mut Vec<ConfigProblem>) -> Result<Integration, ParseFault> {
        let Some(section) = self.top.section("integration")? else {
            return Ok(Integration::default());
        };
        section.note_unknown(&["default_model", "fast_model"], problems);
        Ok(Integration {
            default_model: text(&section, "default_model")?,
            fast_model: text(&section, "fast_model")?,
        })
    }

    fn upstream(
        &self,
        problems: &mut Vec<ConfigProblem>,
    ) -> Result<BTreeMap<String, UpstreamCredential>, ParseFault> {
        let mut read = BTreeMap::new();
        let Some(credentials) = self.top.section("credentials")? else {
            return Ok(read);
        };
        credentials.note_unknown(&["upstream"], problems);
        let Some(upstream) = credentials.section("upstream")? else {
            return Ok(read);
        };
        for (key, field) in upstream.fields() {
            let section = field.section()?;
            section.note_unknown(&["file", "env"], problems);
            let credential = match (section.field("file"), text(&section, "env")?) {
                (Some(file), None) => UpstreamCredential::File(file.file(self.base)?),
                (None, Some(name)) => UpstreamCredential::Environment(name),
                _ => return Err(field.fault("must have either file or env")),
            };
            read.insert(key.text.clone(), credential);
        }
        Ok(read)
    }

    fn bootstrap(&self, problems: &mut Vec<ConfigProblem>) -> Result<Bootstrap, ParseFault> {
        let mut read = Bootstrap::default();
        let Some(section) = self.top.section("bootstrap")? else {
            return Ok(read);
        };
        section.note_unknown(&["cliproxyapi", "litellm"], problems);
        if let Some(proxy) = section.section("cliproxyapi")? {
            proxy.note_unknown(&["repository", "version", "sha256", "mirror"], problems);
            read.repository = text(&proxy, "repository")?;
            read.version = text(&proxy, "version")?;
            read.sha256 = text(&proxy, "sha256")?;
            read.mirror = text(&proxy, "mirror")?;
        }
        if let Some(litellm) = section.section("litellm")? {
            litellm.note_unknown(&["requirements"], problems);
            let file = litellm.field("requirements");
            read.requirements = file.map(|file| file.file(self.base)).transpose()?;
        }
        Ok(read)
    }

    /// A section that must be there.
    fn open(&self, key: &str) -> Result<Section<'_>, ParseFault> {
        let missing = || {
            ParseFault::at(
                Position { line: 1, column: 1 },
                format!("Missing required top-level keys: {key}"),
            )
        };
        self.top.section(key)?.ok_or_else(missing)
    }
}

fn read_providers(
    section: Option<&Section<'_>>,
    problems: &mut Vec<ConfigProblem>,
) -> Result<BTreeMap<String, ProviderConfig>, ParseFault> {
    let mut read = BTreeMap::new();
    for (key, field) in section.into_iter().flat_map(Section::fields) {
        let provider = field.section()?;
        provider.note_unknown(
            &["method", "auth_url_endpoint", "status_endpoint"],
            problems,
        );
        let config = ProviderConfig {
            method: text(&provider, "method")?.unwrap_or_else(|| "oauth_poll".into()),
            auth_url_endpoint: text(&provider, "auth_url_endpoint")?,
            status_endpoint: text(&provider, "status_endpoint")?,
            entry: field.path.clone(),
        };
        read.insert(key.text.clone(), config);
    }
    Ok(read)
}

fn text(section: &Section<'_>, key: &str) -> Result<Option<String>, ParseFault> {
    section.field(key).map(|field| field.text()).transpose()
}
