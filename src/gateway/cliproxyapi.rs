//! CLIProxyAPI and CLIProxyAPIPlus by what they say (`facts/cliproxyapi.md` 3, `facts/real-stack.md` "HTTP").

use flowgate_checks::model::BodyClass;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::classify::header;

/// The header with which the version is told on every management answer.
pub const VERSION_HEADER: &str = "x-cpa-version";

/// Safe mode of mainline says so in a header.
pub(super) fn by_header(headers: &HeaderMap) -> Option<BodyClass> {
    (!header(headers, "x-cpa-safe-mode").is_empty()).then_some(BodyClass::CliproxySafeMode)
}

/// A JSON body that only this program sends.
pub(super) fn by_json(json: &Value) -> Option<BodyClass> {
    if json.get("message").and_then(Value::as_str) == Some("CLI Proxy API Server") {
        return Some(BodyClass::CliproxyIdentity);
    }
    if json.get("files").is_some_and(Value::is_array) {
        return Some(BodyClass::ManagementAuthFiles);
    }
    // A plain string: an object under `error` comes from an upstream (`facts/cliproxyapi.md` 10.17).
    let error = json.get("error")?.as_str()?;
    match error {
        "Missing API key" => Some(BodyClass::CliproxyKeyMissing),
        "Invalid API key" => Some(BodyClass::CliproxyKeyRejected),
        "unsafe_example_api_key" => Some(BodyClass::CliproxySafeMode),
        "missing management key" => Some(BodyClass::ManagementKeyMissing),
        "invalid management key" => Some(BodyClass::ManagementKeyRejected),
        "remote management disabled" => Some(BodyClass::ManagementRemoteDisabled),
        _ => banned_minutes(error).map(|minutes| BodyClass::ManagementBanned { minutes }),
    }
}

/// The page at `/` in safe mode, which stands in the place of the identity.
pub(super) fn by_page(page: &str) -> Option<BodyClass> {
    page.contains("<title>Example API key detected</title>")
        .then_some(BodyClass::CliproxySafeMode)
}

/// Minutes that are left, rounded up, of
/// `IP banned due to too many failed attempts. Try again in 29m59s`.
fn banned_minutes(error: &str) -> Option<u32> {
    if !error.starts_with("IP banned") {
        return None;
    }
    let left = error.rsplit("Try again in ").next().unwrap_or_default();
    let seconds = go_duration_seconds(left.trim()).unwrap_or(30.0 * 60.0);
    Some((seconds / 60.0).ceil().clamp(1.0, 1440.0) as u32)
}

/// Seconds of a duration as Go prints it: `30m0s`, `1h2m3.5s`, `59s`.
fn go_duration_seconds(text: &str) -> Option<f64> {
    let mut seconds = 0.0;
    let mut number = String::new();
    for letter in text.chars() {
        let unit = match letter {
            '0'..='9' | '.' => {
                number.push(letter);
                continue;
            }
            'h' => 3600.0,
            'm' => 60.0,
            's' => 1.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit;
        number.clear();
    }
    (number.is_empty() && !text.is_empty()).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_of_a_ban_are_rounded_up() {
        let banned = |left: &str| {
            banned_minutes(&format!(
                "IP banned due to too many failed attempts. Try again in {left}"
            ))
        };
        assert_eq!(banned("30m0s"), Some(30));
        assert_eq!(banned("29m59s"), Some(30));
        assert_eq!(banned("4.5s"), Some(1));
        assert_eq!(banned("1h0m1s"), Some(61));
        assert_eq!(banned("soon"), Some(30));
        assert_eq!(banned_minutes("Invalid API key"), None);
    }
}
