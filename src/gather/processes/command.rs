//! A command line for people: one line, bounded, without secrets.

use crate::sys::plain;
use crate::sys::redact::{REDACTED, Redactor};

/// At most so many characters are kept.
const LENGTH: usize = 300;

/// The arguments in one line, secrets redacted; `[name]` when a process has none.
pub fn describe(argv: &[String], name: &str, redactor: &Redactor) -> String {
    if argv.is_empty() {
        return plain::cut(&format!("[{}]", plain::one_line(name)), LENGTH);
    }
    let mut words = Vec::new();
    let mut is_value_of_secret = false;
    for argument in argv {
        let word = if is_value_of_secret && !argument.starts_with('-') {
            REDACTED.to_owned()
        } else {
            without_value(argument)
        };
        is_value_of_secret = is_secret_flag(argument);
        words.push(plain::one_line(&word));
    }
    plain::cut(&redactor.clean(words.join(" ").trim()), LENGTH)
}

/// `-password`, `--master_key`, `--api-key`: the next word is nobody's business.
fn is_secret_flag(argument: &str) -> bool {
    let Some(name) = argument.strip_prefix('-') else {
        return false;
    };
    let name = name.to_ascii_lowercase();
    ["password", "passwd", "token", "secret", "key"]
        .iter()
        .any(|word| name.ends_with(word))
}

/// `--api-key=abc` becomes `--api-key=[redacted]`.
fn without_value(argument: &str) -> String {
    match argument.split_once('=') {
        Some((flag, value)) if !value.is_empty() && is_secret_flag(flag) => {
            format!("{flag}={REDACTED}")
        }
        _ => argument.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(words: &[&str]) -> String {
        let argv: Vec<String> = words.iter().map(|word| (*word).into()).collect();
        describe(&argv, "name", &Redactor::default())
    }

    #[test]
    fn secrets_of_flags_are_taken_out_and_the_rest_stays() {
        assert_eq!(
            line(&["CLIProxyAPIPlus", "-password", "pw", "-config", "a.yaml"]),
            "CLIProxyAPIPlus -password [redacted] -config a.yaml"
        );
        assert_eq!(line(&["x", "--api-key=abc"]), "x --api-key=[redacted]");
        assert_eq!(
            line(&["litellm", "--ssl_keyfile_path", "k.pem"]),
            "litellm --ssl_keyfile_path k.pem"
        );
        assert_eq!(line(&["x", "a\nb\u{1b}[2Jc"]), "x a\u{fffd}bc");
        assert_eq!(line(&[]), "[name]");
    }

    proptest! {
        #[test]
        fn a_command_line_is_bounded_and_plain(argv in prop::collection::vec(".{0,80}", 0..12)) {
            let line = describe(&argv, "name", &Redactor::default());
            prop_assert!(line.chars().count() <= LENGTH);
            prop_assert!(!line.chars().any(char::is_control));
        }
    }
}
