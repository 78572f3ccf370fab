//! A Python traceback, reduced to the line that says what happened.

use super::is_quoted_source;

/// The exception that a line ends a traceback with. Examples: `KeyError: 'model_name'`,
/// `litellm.proxy.X.UnsafeMasterKeyError: …`, `yaml.scanner.ScannerError: …`. A task that was
/// cancelled, and a person who pressed Ctrl-C, say nothing of a cause.
fn is_exception(line: &str) -> bool {
    let name = line.split(": ").next().unwrap_or_default().trim_end();
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_name = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
    is_name
        && (last.ends_with("Error") || last.ends_with("Exception") || last == "SystemExit")
        && last != "CancelledError"
}

/// The last exception of a log.
pub fn last_exception(lines: &[String]) -> Option<&str> {
    let mut lines = lines.iter().rev().map(String::as_str);
    lines.find(|line| is_exception(line) && !is_quoted_source(line))
}

/// The exception for which LiteLLM's startup failed: the last one above the line that says so.
pub fn exception_of_startup(lines: &[String]) -> Option<&str> {
    let end = lines
        .iter()
        .rposition(|line| line.contains("Application startup failed"))?;
    let above = &lines[..end];
    last_exception(&above[above.len().saturating_sub(REACH)..])
}

/// So many lines above it are looked at.
const REACH: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_traceback_is_its_last_line() {
        let log = lines(
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    raise KeyError(name)\n\
             KeyError: 'model_name'\n\nERROR:    Application startup failed. Exiting.\nINFO: after",
        );
        assert_eq!(exception_of_startup(&log), Some("KeyError: 'model_name'"));
        assert_eq!(last_exception(&log), Some("KeyError: 'model_name'"));
    }

    #[test]
    fn what_is_no_exception_ends_no_traceback() {
        for line in [
            "ERROR:    Application startup failed. Exiting.",
            "    raise ValueError(x)",
            "asyncio.exceptions.CancelledError",
            "KeyboardInterrupt",
            "An Error: of words",
            ": Error",
            "",
        ] {
            assert_eq!(last_exception(&lines(line)), None, "{line}");
        }
        assert_eq!(exception_of_startup(&lines("KeyError: 'x'")), None);
    }
}
