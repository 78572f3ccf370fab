//! Which archive of a release is for this machine (facts/cliproxyapi.md 7.1 and 7.2).

use std::path::Path;

/// The machine that an archive must be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// `linux` or `darwin`.
    pub os: String,
    /// Every name that releases give the processor, the one of today last.
    pub arch: Vec<String>,
    /// Whether there is a GNU C library, which the builds with plugins need.
    pub has_glibc: bool,
}

/// The loaders of the GNU C library.
const GLIBC: [&str; 2] = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];

/// The ending of the builds that need no C library.
const STATIC: &str = "no-plugin";

/// The ending of every archive.
const ENDING: &str = ".tar.gz";

impl Platform {
    /// This machine.
    pub fn here() -> Self {
        let has_glibc = GLIBC.iter().any(|loader| Path::new(loader).exists());
        Self::of(std::env::consts::OS, std::env::consts::ARCH, has_glibc)
    }

    /// A machine by Rust's names.
    pub fn of(os: &str, arch: &str, has_glibc: bool) -> Self {
        let arch: &[&str] = match arch {
            "x86_64" => &["amd64"],
            "aarch64" => &["arm64", "aarch64"],
            other => &[other],
        };
        Self {
            os: if os == "macos" { "darwin" } else { os }.to_owned(),
            arch: arch.iter().map(|name| (*name).to_owned()).collect(),
            has_glibc,
        }
    }

    /// In two words, as the archives are named: `linux amd64`.
    pub fn words(&self) -> String {
        format!("{} {}", self.os, self.arch.join("/"))
    }

    /// The archive for this machine among those of a release.
    pub fn choose<'a>(&self, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        names
            .filter_map(|name| Some((self.rank(name)?, name)))
            .min()
            .map(|(_, name)| name)
    }

    /// How well an archive fits, the less the better; none when it is for another machine.
    fn rank(&self, name: &str) -> Option<(bool, bool)> {
        let parts: Vec<&str> = name.strip_suffix(ENDING)?.split('_').collect();
        let (product, rest) = parts.split_first()?;
        let (os, arch, variant) = match rest {
            [_, os, arch] => (os, arch, None),
            [_, os, arch, variant] => (os, arch, Some(*variant)),
            _ => return None,
        };
        let product = product.to_ascii_lowercase();
        let is_ours = product.starts_with("cliproxyapi")
            && *os == self.os
            && self.arch.iter().any(|name| name == arch)
            && variant.is_none_or(|variant| variant == STATIC);
        let is_plain = variant.is_none();
        is_ours.then_some((!product.contains("plus"), is_plain != self.has_glibc))
    }

    /// The names that an archive of a version may have, the likeliest first; for a release that
    /// does not list its own.
    pub fn guesses(&self, product: &str, version: &str) -> Vec<String> {
        let endings = match self.has_glibc {
            true => ["", "_no-plugin"],
            false => ["_no-plugin", ""],
        };
        let os = &self.os;
        let of_arch = |arch: &String| {
            endings.map(|ending| format!("{product}_{version}_{os}_{arch}{ending}{ENDING}"))
        };
        self.arch.iter().rev().flat_map(of_arch).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OF_7_2: [&str; 6] = [
        "CLIProxyAPIPlus_7.2.1-0_darwin_aarch64.tar.gz",
        "CLIProxyAPIPlus_7.2.1-0_linux_aarch64.tar.gz",
        "CLIProxyAPIPlus_7.2.1-0_linux_aarch64_no-plugin.tar.gz",
        "CLIProxyAPIPlus_7.2.1-0_linux_amd64.tar.gz",
        "CLIProxyAPIPlus_7.2.1-0_linux_amd64_no-plugin.tar.gz",
        "CLIProxyAPIPlus_7.2.1-0_windows_amd64.zip",
    ];
    const OF_6_6: [&str; 3] = [
        "CLIProxyAPIPlus_6.6.9-0_darwin_arm64.tar.gz",
        "CLIProxyAPIPlus_6.6.9-0_linux_amd64.tar.gz",
        "CLIProxyAPIPlus_6.6.9-0_linux_arm64.tar.gz",
    ];

    #[test]
    fn each_machine_has_its_archive_under_either_name_of_its_processor() {
        let rows = [
            (&OF_7_2[..], "linux", "x86_64", true, Some(OF_7_2[3])),
            (&OF_7_2[..], "linux", "x86_64", false, Some(OF_7_2[4])),
            (&OF_7_2[..], "linux", "aarch64", true, Some(OF_7_2[1])),
            (&OF_7_2[..], "linux", "aarch64", false, Some(OF_7_2[2])),
            (&OF_7_2[..], "macos", "aarch64", true, Some(OF_7_2[0])),
            (&OF_7_2[..], "macos", "x86_64", true, None),
            (&OF_7_2[..], "linux", "riscv64", true, None),
            (&OF_6_6[..], "linux", "aarch64", true, Some(OF_6_6[2])),
            // The only build there was before is static.
            (&OF_6_6[..], "linux", "x86_64", false, Some(OF_6_6[1])),
            // Some releases have nothing but static builds.
            (&OF_7_2[4..], "linux", "x86_64", true, Some(OF_7_2[4])),
        ];
        for (names, os, arch, has_glibc, wanted) in rows {
            let platform = Platform::of(os, arch, has_glibc);
            assert_eq!(
                platform.choose(names.iter().copied()),
                wanted,
                "{platform:?}"
            );
        }
    }

    #[test]
    fn a_plus_build_is_taken_before_another() {
        let names = [
            "CLIProxyAPI_7_linux_amd64.tar.gz",
            "CLIProxyAPIPlus_7_linux_amd64.tar.gz",
        ];
        let platform = Platform::of("linux", "x86_64", true);
        assert_eq!(platform.choose(names.into_iter()), Some(names[1]));
        assert_eq!(platform.choose(names[..1].iter().copied()), Some(names[0]));
    }

    #[test]
    fn names_are_guessed_with_the_name_of_today_first() {
        let guesses = Platform::of("linux", "aarch64", false).guesses("CLIProxyAPIPlus", "7.2.1-0");
        assert_eq!(guesses[0], OF_7_2[2]);
        assert_eq!(guesses.len(), 4);
    }
}
