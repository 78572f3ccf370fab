//! Text that a person pastes into a shell.

use crate::model::Snapshot;

/// One word of a shell, quoted only where the shell would read it otherwise: `'a b'`, `'it'\''s'`.
pub fn quote(text: &str) -> String {
    // `=` and `~` mean something at the start of a word, to one shell or another.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+:,./-_".contains(&byte);
    let is_plain_inside = |byte: u8| is_plain(byte) || byte == b'=';
    let bytes = text.as_bytes();
    if bytes.first().is_some_and(|&first| is_plain(first))
        && bytes.iter().all(|&byte| is_plain_inside(byte))
    {
        return text.to_owned();
    }
    if text.chars().any(char::is_control) {
        return quote_control(text);
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A terminal acts on control characters, also inside quotes: they are written as escapes.
fn quote_control(text: &str) -> String {
    let mut quoted = String::from("$'");
    for character in text.chars() {
        match character {
            '\'' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str(r"\n"),
            '\r' => quoted.push_str(r"\r"),
            '\t' => quoted.push_str(r"\t"),
            control if control.is_control() => {
                let mut bytes = [0; 4];
                for byte in control.encode_utf8(&mut bytes).bytes() {
                    quoted.push_str(&format!(r"\x{byte:02x}"));
                }
            }
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// A path of the snapshot as the shell's `.` takes it: a name without a slash is looked up on PATH.
pub fn sourced(snapshot: &Snapshot, shown: &str) -> String {
    let path = path(snapshot, shown);
    if path.contains('/') {
        path
    } else {
        format!("./{path}")
    }
}

/// A path of the snapshot as a shell word that names it from where flowgate was called:
/// as shown when that is the root, absolute otherwise.
pub fn path(snapshot: &Snapshot, shown: &str) -> String {
    let paths = &snapshot.paths;
    if shown.starts_with('/') {
        return quote(shown);
    }
    if paths.root.is_empty() || paths.cwd == paths.root {
        // A leading dash would be read as an option.
        return match shown {
            "" => ".".into(),
            dashed if dashed.starts_with('-') => quote(&format!("./{dashed}")),
            plain => quote(plain),
        };
    }
    quote(&absolute(snapshot, shown))
}

/// A path of the snapshot as an absolute path, not quoted.
pub fn absolute(snapshot: &Snapshot, shown: &str) -> String {
    let root = snapshot.paths.root.trim_end_matches('/');
    match shown {
        "" | "." => snapshot.paths.root.clone(),
        absolute if absolute.starts_with('/') => absolute.to_owned(),
        relative => format!("{root}/{}", relative.trim_start_matches("./")),
    }
}

/// An absolute path as the snapshot shows it: relative to the root when it lies below.
pub fn shown(snapshot: &Snapshot, absolute: &str) -> String {
    let root = snapshot.paths.root.trim_end_matches('/');
    match absolute.strip_prefix(root) {
        Some(below) if !root.is_empty() && below.starts_with('/') => below[1..].to_owned(),
        _ => absolute.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn called_in(cwd: &str) -> Snapshot {
        let mut snapshot = Snapshot::new(Timestamp::UNIX_EPOCH);
        snapshot.paths.root = "/home/ana/my gw".into();
        snapshot.paths.cwd = cwd.into();
        snapshot
    }

    #[test]
    fn only_what_needs_it_is_quoted() {
        for plain in [
            "litellm",
            "/a/b.c",
            "codex-ana@example.com.json",
            "a=b",
            "-p",
        ] {
            assert_eq!(quote(plain), plain);
        }
        assert_eq!(quote(""), "''");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote("~/x"), "'~/x'");
        assert_eq!(quote("=x"), "'=x'");
        assert_eq!(quote("$(reboot)`x`"), "'$(reboot)`x`'");
        assert_eq!(quote("ä"), "'ä'");
    }

    #[test]
    fn no_control_character_reaches_a_terminal() {
        assert_eq!(quote("a\nb\u{1b}[2J'\\"), r"$'a\nb\x1b[2J\'\\'");
        assert_eq!(quote("\u{9b}"), r"$'\xc2\x9b'");
    }

    #[test]
    fn a_path_can_be_pasted_where_flowgate_was_called() {
        let inside = called_in("/home/ana/my gw");
        assert_eq!(path(&inside, "config/x.yaml"), "config/x.yaml");
        assert_eq!(path(&inside, "-x"), "./-x");
        assert_eq!(path(&inside, "/etc/x"), "/etc/x");
        let outside = called_in("/tmp");
        assert_eq!(
            path(&outside, "config/x.yaml"),
            "'/home/ana/my gw/config/x.yaml'"
        );
        assert_eq!(path(&outside, "/etc/x"), "/etc/x");
    }

    #[test]
    fn what_lies_below_the_root_is_shown_relative_to_it() {
        let snapshot = called_in("/tmp");
        assert_eq!(shown(&snapshot, "/home/ana/my gw/config"), "config");
        assert_eq!(shown(&snapshot, "/home/ana/my gwx"), "/home/ana/my gwx");
        assert_eq!(shown(&snapshot, "/etc"), "/etc");
    }
}
