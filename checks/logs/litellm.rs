//! What LiteLLM's log says of its start. Texts: `facts/litellm.md` section 10.

/// The port in the line with which LiteLLM says where it listens, as it was bound. Example:
/// `INFO:     Uvicorn running on http://127.0.0.1:15792 (Press CTRL+C to quit)`.
pub fn announced_port(line: &str) -> Option<u16> {
    let (_, after) = line.split_once("Uvicorn running on http")?;
    let (_, address) = after.split_once("://")?;
    let address = address.split_whitespace().next()?;
    address.rsplit_once(':')?.1.parse().ok()
}

/// Whether a run came as far as to serve: what it logs afterwards says nothing of its start.
pub fn has_served(lines: &[String]) -> bool {
    lines.iter().any(|line| announced_port(line).is_some())
}

/// The line in which LiteLLM ends for want of its `[proxy]` parts. Example: ``ModuleNotFoundError:
/// Missing dependency No module named 'websockets'. Run `pip install 'litellm[proxy]'` ``.
pub fn missing_dependency(lines: &[String]) -> Option<&str> {
    lines.iter().map(String::as_str).find(|line| {
        let said = line.split_once("Missing dependency ");
        said.is_some_and(|(_, rest)| rest.contains("litellm[proxy]")) && !is_quoted_source(line)
    })
}

/// Whether a line is source code that a traceback quotes, and nothing that the program says.
/// Example: `    raise Exception(f"Config file not found: {file_path}")`.
pub fn is_quoted_source(line: &str) -> bool {
    line.starts_with("    ")
}

/// The module for want of which Python ended, where that is the end of the log: in the middle of one
/// it is a traceback that LiteLLM survived. Example: `ModuleNotFoundError: No module named 'yaml'`.
pub fn missing_module(lines: &[String]) -> Option<&str> {
    let last = lines.iter().rev().find(|line| !line.trim().is_empty())?;
    let (_, rest) = last.split_once("ModuleNotFoundError: No module named '")?;
    rest.split('\'').next()
}

/// The module that a line names: `websockets`.
pub fn named_module(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("No module named '")?;
    rest.split('\'').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_announced_port_is_the_one_after_the_address() {
        for (line, port) in [
            (
                "INFO:     Uvicorn running on http://0.0.0.0:15792 (Press CTRL+C to quit)",
                Some(15792),
            ),
            ("Uvicorn running on https://[::1]:4000 (Press", Some(4000)),
            ("Uvicorn running on http://localhost:99999", None),
            ("Uvicorn running on unix socket", None),
            ("Application startup complete.", None),
        ] {
            assert_eq!(announced_port(line), port, "{line}");
        }
    }

    #[test]
    fn only_the_proxy_parts_are_a_missing_dependency() {
        let log = lines(
            "Traceback (most recent call last):\n    raise ModuleNotFoundError(f\"Missing dependency {e}. Run `pip install 'litellm[proxy]'`\") from e\nModuleNotFoundError: Missing dependency No module named 'websockets'. Run `pip install 'litellm[proxy]'`",
        );
        let line = missing_dependency(&log).unwrap();
        assert_eq!(named_module(line), Some("websockets"));
        assert_eq!(missing_dependency(&lines("No module named 'prisma'")), None);
    }

    #[test]
    fn a_module_that_is_missed_in_the_middle_was_not_the_end() {
        let end = lines("Traceback\nModuleNotFoundError: No module named 'yaml'\n\n");
        assert_eq!(missing_module(&end), Some("yaml"));
        let middle =
            lines("ModuleNotFoundError: No module named 'prisma'\nINFO: 127.0.0.1 GET / 200");
        assert_eq!(missing_module(&middle), None);
        assert_eq!(missing_module(&[]), None);
    }
}
