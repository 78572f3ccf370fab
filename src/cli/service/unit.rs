//! The text of the systemd user unit that starts flowgate at login.

use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::cli::run::EXIT_ELSEWHERE;
use crate::cli::run::end::{EXIT_ALL_FAILED, EXIT_SERVICE_FAILED};
use crate::sys::autostart::{CONFIG_LINE, TARGET};
use crate::sys::hex::hex;

/// Begins the part that systemd reads over.
const OWN_PART: &str = "[X-Flowgate]\n";

/// The line that tells whether somebody changed what stands before.
const DIGEST_LINE: &str = "Digest=";

/// What a unit is made of. No variable but PATH is in it: others may be secrets.
pub struct Unit<'a> {
    /// This program, absolute.
    pub program: &'a Path,
    /// The flowgate.yaml, absolute.
    pub config: &'a Path,
    /// The folder of the gateway, absolute.
    pub folder: &'a Path,
    /// PATH of the shell, so that programs are found as they are there.
    pub path: Option<&'a str>,
    /// How long all services together may take to stop.
    pub stop_timeout: Duration,
}

impl Unit<'_> {
    /// The whole text.
    ///
    /// # Errors
    /// Which path cannot stand in a unit, as a fragment.
    pub fn text(&self) -> Result<String, String> {
        let (program, config) = (quoted(self.program)?, quoted(self.config)?);
        let folder = specifiers(plain(self.folder)?);
        let path = match self.path.filter(|path| !path.contains(['\n', '\0'])) {
            Some(path) => format!("Environment=\"PATH={}\"\n", escaped(path)),
            None => String::new(),
        };
        let seconds = self.stop_timeout.as_secs();
        let failed: Vec<String> = (EXIT_SERVICE_FAILED + 1..=EXIT_ALL_FAILED)
            .map(|code| code.to_string())
            .collect();
        let failed = failed.join(" ");
        let text = format!(
            "# Written by `flowgate service enable`; `flowgate service disable` removes it.
# What you add belongs into a drop-in: systemctl --user edit flowgate.service
[Unit]
Description=flowgate, the local LLM gateway of {folder}

[Service]
Type=exec
WorkingDirectory={folder}
{path}ExecStart={program} --config {config} run
# It stops the services itself, in order; when it is killed they go on, and the next one takes them up.
KillMode=process
TimeoutStopSec={seconds}
Restart=on-failure
RestartSec=2
# A service that failed for good does not come back before a file was changed; a config that does
# not load does not either. {EXIT_ELSEWHERE} says that a flowgate run on a terminal serves this gateway.
RestartPreventExitStatus=2 {EXIT_ELSEWHERE} {failed}

[Install]
WantedBy={TARGET}

"
        );
        let digest = digest(&text);
        let config = plain(self.config)?;
        Ok(format!(
            "{text}{OWN_PART}{CONFIG_LINE}{config}\n{DIGEST_LINE}{digest}\n"
        ))
    }
}

/// Whether a unit is as flowgate wrote it.
pub fn is_untouched(unit: &str) -> bool {
    let Some((text, own)) = unit.split_once(OWN_PART) else {
        return false;
    };
    let mut lines = own.lines();
    let is_own = lines
        .next()
        .is_some_and(|line| line.starts_with(CONFIG_LINE));
    let noted = lines.next().and_then(|line| line.strip_prefix(DIGEST_LINE));
    is_own && noted == Some(digest(text).as_str()) && lines.next().is_none()
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..8])
}

/// A path as one word of a command line.
fn quoted(path: &Path) -> Result<String, String> {
    // A variable would be put in for a dollar sign.
    let escaped = escaped(plain(path)?).replace('$', "$$");
    Ok(format!("\"{escaped}\""))
}

fn escaped(text: &str) -> String {
    specifiers(text).replace('\\', "\\\\").replace('"', "\\\"")
}

/// `%h` would be the home.
fn specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

fn plain(path: &Path) -> Result<&str, String> {
    match path.to_str() {
        Some(text) if !text.contains(char::is_control) => Ok(text),
        _ => Err(format!("{} cannot stand in a unit", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::autostart;

    fn unit<'a>(config: &'a str, folder: &'a str) -> Unit<'a> {
        Unit {
            program: Path::new("/opt/my apps/flowgate"),
            config: Path::new(config),
            folder: Path::new(folder),
            path: Some("/bin:/home/ana/50%/bin"),
            stop_timeout: Duration::from_secs(50),
        }
    }

    #[test]
    fn words_with_blanks_and_signs_stay_one_word() {
        let text = unit("/g w/a$b\"c\\d%e.yaml", "/g w").text().unwrap();
        let line = text.lines().find(|line| line.starts_with("ExecStart="));
        assert_eq!(
            line.unwrap(),
            r#"ExecStart="/opt/my apps/flowgate" --config "/g w/a$$b\"c\\d%%e.yaml" run"#
        );
        assert!(text.contains("\nEnvironment=\"PATH=/bin:/home/ana/50%%/bin\"\n"));
        assert!(text.contains("\nWorkingDirectory=/g w\n"));
        assert_eq!(
            autostart::config_of(&text).unwrap(),
            Path::new("/g w/a$b\"c\\d%e.yaml")
        );
        assert!(unit("/a\nb", "/").text().is_err());
    }

    #[test]
    fn an_edit_anywhere_shows() {
        let text = unit("/gw/flowgate.yaml", "/gw").text().unwrap();
        assert!(is_untouched(&text));
        assert!(!is_untouched(&text.replace("RestartSec=2", "RestartSec=9")));
        assert!(!is_untouched(&format!("{text}Environment=A=b\n")));
        assert!(!is_untouched("[Service]\nExecStart=/bin/true\n"));
    }
}
