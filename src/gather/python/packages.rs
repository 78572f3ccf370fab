//! Package names, and which of them the LiteLLM proxy needs at its start.

use std::collections::BTreeSet;

/// The packages without which the proxy ends at its start, with the module that it imports
/// (litellm.md §2). What LiteLLM starts without is not here.
pub const REQUIRED: [(&str, &str); 18] = [
    ("litellm", "litellm"),
    ("fastapi", "fastapi"),
    ("starlette", "starlette"),
    ("orjson", "orjson"),
    ("apscheduler", "apscheduler"),
    ("backoff", "backoff"),
    ("cryptography", "cryptography"),
    ("websockets", "websockets"),
    ("uvicorn", "uvicorn"),
    ("pyyaml", "yaml"),
    ("click", "click"),
    ("openai", "openai"),
    ("tiktoken", "tiktoken"),
    ("aiohttp", "aiohttp"),
    ("pydantic", "pydantic"),
    ("httpx", "httpx"),
    ("jinja2", "jinja2"),
    ("uvloop", "uvloop"),
];

/// The name of a package in the one spelling that compares (PEP 503): `PyYAML` is `pyyaml`,
/// `litellm_proxy.extras` is `litellm-proxy-extras`.
pub fn normal_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for char in name.trim().chars() {
        if matches!(char, '-' | '_' | '.') {
            if !out.ends_with('-') {
                out.push('-');
            }
        } else {
            out.extend(char.to_lowercase());
        }
    }
    out
}

/// Name and version of a metadata folder: `litellm-1.106.2.dist-info`.
pub fn version_of(folder: &str) -> Option<(String, String)> {
    let stem = folder
        .strip_suffix(".dist-info")
        .or_else(|| folder.strip_suffix(".egg-info"))?;
    let (name, version) = stem.rsplit_once('-')?;
    let is_version = version.starts_with(|char: char| char.is_ascii_digit());
    is_version.then(|| (normal_name(name), version.to_owned()))
}

/// The packages that a METADATA file declares, whatever their conditions:
/// `Requires-Dist: fastapi<1.0,>=0.115.5; extra == "proxy"`.
pub fn declared(metadata: &str) -> BTreeSet<String> {
    metadata
        .lines()
        // The description follows behind an empty line and may hold anything.
        .take_while(|line| !line.trim().is_empty())
        .filter_map(|line| line.strip_prefix("Requires-Dist:"))
        .map(|requirement| {
            let requirement = requirement.trim();
            let end = requirement
                .find(|char: char| !(char.is_alphanumeric() || "-_.".contains(char)))
                .unwrap_or(requirement.len());
            normal_name(&requirement[..end])
        })
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_compare_in_one_spelling() {
        assert_eq!(normal_name("PyYAML"), "pyyaml");
        assert_eq!(normal_name("litellm_proxy-.extras"), "litellm-proxy-extras");
        assert_eq!(
            version_of("litellm-1.106.2.dist-info"),
            Some(("litellm".into(), "1.106.2".into()))
        );
        assert_eq!(
            version_of("litellm_proxy_extras-0.2.3.dist-info"),
            Some(("litellm-proxy-extras".into(), "0.2.3".into()))
        );
        assert_eq!(version_of("litellm"), None);
    }

    #[test]
    fn declared_packages_are_read_from_the_head_alone() {
        let text = "Metadata-Version: 2.1\nName: litellm\nRequires-Dist: PyYAML (<7.0,>=6.0.1) ; extra == \"proxy\"\n\
            Requires-Dist: uvicorn[standard]>=0.31\nRequires-Dist: click\n\nRequires-Dist: from-the-text\n";
        let expected: BTreeSet<String> = ["pyyaml", "uvicorn", "click"].map(String::from).into();
        assert_eq!(declared(text), expected);
    }

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in "(Requires-Dist: ?)?[-_.a-zA-Zé0-9(\n]{0,30}(\\.dist-info)?") {
            declared(&text);
            version_of(&text);
            normal_name(&text);
        }
    }
}
