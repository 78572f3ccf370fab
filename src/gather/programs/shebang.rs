//! The first lines of a script.

/// The kernel reads no more of the first line.
const LINE: usize = 256;

/// What a shebang line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shebang {
    /// The line without `#!`; a carriage return is shown as `\r`.
    pub line: String,
    /// The program that the kernel runs, as written (a carriage return is part of it).
    pub program: String,
    /// Everything behind it: the kernel passes it as one argument.
    pub argument: Option<String>,
}

impl Shebang {
    /// For `/usr/bin/env NAME`, `env -S NAME args` and `env VAR=x NAME`: the name that PATH resolves.
    pub fn name_for_path(&self) -> Option<&str> {
        let is_env = self.program.rsplit('/').next() == Some("env");
        let argument = self.argument.as_deref().filter(|_| is_env)?;
        match argument.strip_prefix("-S") {
            Some(words) => words
                .split([' ', '\t'])
                .find(|word| !word.is_empty() && !word.contains('=') && !word.starts_with('-')),
            // Without -S the rest of the line is one name, blanks and all.
            None => Some(argument),
        }
    }
}

/// Reads the shebang of a script; none without one, or without a program in it.
pub fn parse_shebang(head: &[u8]) -> Option<Shebang> {
    let rest = head.strip_prefix(b"#!")?;
    let end = rest
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(rest.len())
        .min(LINE - 2);
    let line = String::from_utf8_lossy(&rest[..end]).into_owned();
    // The kernel cuts at blanks and tabs alone: a carriage return becomes part of a name.
    let trimmed = line.trim_matches([' ', '\t', '\0']);
    let (program, argument) = match trimmed.split_once([' ', '\t']) {
        Some((program, argument)) => (program, argument.trim_matches([' ', '\t'])),
        None => (trimmed, ""),
    };
    if program.is_empty() {
        return None;
    }
    Some(Shebang {
        line: trimmed.replace('\r', "\\r"),
        program: program.to_owned(),
        argument: (!argument.is_empty()).then(|| argument.to_owned()),
    })
}

/// The Python behind the shell trampoline that installers write when the path is too long for a
/// shebang: `#!/bin/sh`, then `'''exec' "/long path/python" "$0" "$@"`, or, relocatable,
/// `'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python3' "$0" "$@"`, whose path is relative to
/// the folder of the script and comes back as such.
pub fn parse_trampoline(head: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines();
    if !lines.next()?.starts_with("#!") {
        return None;
    }
    let command = lines.next()?.strip_prefix("'''exec' ")?.trim();
    let path = command.strip_suffix(r#""$0" "$@""#)?.trim();
    if let Some((_, name)) = path.rsplit_once(")\"/") {
        let name = name.trim_matches(['\'', '"']);
        return (!name.is_empty()).then(|| name.to_owned());
    }
    let path = path.trim_matches(['\'', '"']);
    (path.starts_with('/') && !path.contains('$')).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Shebang {
        parse_shebang(text.as_bytes()).unwrap()
    }

    #[test]
    fn program_argument_and_name_are_read() {
        let plain = read("#!/opt/venv/bin/python3.11\nimport sys\n");
        assert_eq!(plain.program, "/opt/venv/bin/python3.11");
        assert_eq!(plain.argument, None);
        assert_eq!(plain.name_for_path(), None);
        assert_eq!(
            read("#! /usr/bin/env python3\n").name_for_path(),
            Some("python3")
        );
        assert_eq!(
            read("#!/usr/bin/env -S FOO=1 python3 -E\n").name_for_path(),
            Some("python3")
        );
        assert_eq!(parse_shebang(b"#!\nx"), None);
        assert_eq!(parse_shebang(b"import sys"), None);
    }

    #[test]
    fn a_carriage_return_stays_in_the_name_and_shows() {
        let crlf = read("#!/opt/venv/bin/python\r\nimport sys\r\n");
        assert_eq!(crlf.program, "/opt/venv/bin/python\r");
        assert_eq!(crlf.line, "/opt/venv/bin/python\\r");
        let env = read("#!/usr/bin/env python3\r\n");
        assert_eq!(env.name_for_path(), Some("python3\r"));
    }

    #[test]
    fn the_trampoline_of_a_long_path_is_followed() {
        let pip =
            "#!/bin/sh\n'''exec' \"/very long/bin/python3\" \"$0\" \"$@\"\n' '''\nimport sys\n";
        assert_eq!(
            parse_trampoline(pip.as_bytes()).as_deref(),
            Some("/very long/bin/python3")
        );
        let bare = "#!/bin/sh\n'''exec' /long/bin/python \"$0\" \"$@\"\n' '''\n";
        assert_eq!(
            parse_trampoline(bare.as_bytes()).as_deref(),
            Some("/long/bin/python")
        );
        let uv = "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python3' \"$0\" \"$@\"\n' '''\n";
        assert_eq!(parse_trampoline(uv.as_bytes()).as_deref(), Some("python3"));
        assert_eq!(parse_trampoline(b"#!/bin/sh\nexec python \"$@\"\n"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_them_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            parse_trampoline(&bytes);
            let mut script = b"#!".to_vec();
            script.extend(&bytes);
            if let Some(shebang) = parse_shebang(&script) {
                shebang.name_for_path();
            }
        }

        #[test]
        fn no_script_makes_the_trampoline_panic(line in "('''exec' )?[\"'$()/a-z @0]{0,60}") {
            parse_trampoline(format!("#!/bin/sh\n{line}\n").as_bytes());
        }
    }
}
