//! LiteLLM must be installed here, and nothing can make an environment for it.

/// The package managers by distribution, the likest first: the command that brings a Python with its
/// venv module.
const COMMANDS: [(&str, &str); 8] = [
    ("debian", "sudo apt install python3 python3-venv"),
    ("ubuntu", "sudo apt install python3 python3-venv"),
    ("fedora", "sudo dnf install python3.12"),
    ("rhel", "sudo dnf install python3.12"),
    ("alpine", "sudo apk add python3 py3-pip"),
    ("arch", "sudo pacman -S python"),
    ("suse", "sudo zypper install python312"),
    ("opensuse", "sudo zypper install python312"),
];

/// The command that brings Python to a distribution, as `Host.distribution` names it; else the one that
/// shows what is there.
pub fn python_command(distribution: Option<&str>) -> String {
    let words = distribution.unwrap_or_default().split_whitespace();
    words
        .flat_map(|word| COMMANDS.iter().find(|(name, _)| *name == word))
        .map(|(_, command)| (*command).to_owned())
        .next()
        .unwrap_or_else(|| "python3 --version".into())
}
