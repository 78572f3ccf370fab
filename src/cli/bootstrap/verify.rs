//! `bootstrap verify`: every installed file against the manifest.

use crate::bootstrap::manifest::Manifest;
use crate::bootstrap::{failure, verify};
use crate::cli::failure::{EXIT_FAILED, Failure};
use crate::cli::opened::Opened;
use crate::cli::output;

/// Compares, and gives the exit code: 0 all is as it was installed, 1 something is not.
pub fn run(opened: &Opened) -> Result<u8, Failure> {
    let places = super::places(opened);
    let manifest = Manifest::read(&places)
        .map_err(|why| Failure::refused(format!("bootstrap failed: {why}")))?;
    let mut is_same = true;
    let mut say = |name: &str, version: &str, end: Result<(), String>| match end {
        Ok(()) => output::text(&format!("{name}:verified version={version}\n")),
        Err(why) => {
            is_same = false;
            output::text(&format!("{name}:differs version={version}\n"))?;
            output::errors(&format!("{name}: {why}\n"));
            Ok(())
        }
    };
    if let Some(entry) = &manifest.cliproxyapi_plus {
        say(
            failure::CLIPROXYAPI,
            &entry.version,
            verify::program(&places, entry),
        )?;
    }
    if let Some(entry) = &manifest.litellm {
        let end = verify::packages(&places, entry).map(|_| ());
        say(failure::LITELLM, &entry.version, end)?;
    }
    if manifest == Manifest::default() {
        return Err(
            Failure::failed(anyhow::anyhow!("nothing was installed here by flowgate"))
                .hint("flowgate bootstrap download"),
        );
    }
    Ok(if is_same { 0 } else { EXIT_FAILED })
}
