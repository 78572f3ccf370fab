//! A release of CLIProxyAPIPlus by its direct addresses; no API is asked.

use std::collections::BTreeMap;

use super::asset::Platform;
use super::error::{BootstrapError, Reason, Wanted};
use super::fetch::{FetchError, Fetcher};
use super::watch::{Doing, Watch};
use super::{checksums, digest};

/// The repository that is taken when none is named.
///
/// The one of the original answers 404 since April 2026 (facts/cliproxyapi.md 0.1). This one goes on
/// with it under the same name, follows the mainline, and has the providers that mainline lacks.
pub const REPOSITORY: &str = "kaitranntt/CLIProxyAPIPlus";

/// The repository that is gone.
pub const GONE: &str = "router-for-me/CLIProxyAPIPlus";

/// The release that is taken when none is named: its digests are known.
pub const VERSION: &str = "v7.2.127-7";

/// SHA-256 of the archives of [`VERSION`], which are static and run with every C library.
const PINNED: [(&str, &str); 4] = [
    (
        "CLIProxyAPIPlus_7.2.127-7_darwin_aarch64_no-plugin.tar.gz",
        "d5b8407adc5643d870fff58c691d24db0c227dd8d5d0224e538259bba49d122e",
    ),
    (
        "CLIProxyAPIPlus_7.2.127-7_darwin_amd64_no-plugin.tar.gz",
        "e627557b49bf0a55de416ca92ef5013252a9266b3c6f53b526b5f53f99b6ed23",
    ),
    (
        "CLIProxyAPIPlus_7.2.127-7_linux_aarch64_no-plugin.tar.gz",
        "867a3da44d2f48cfa77ea4f87ea66ca3b8280b6662fcc6c8c6a7205dfc79647c",
    ),
    (
        "CLIProxyAPIPlus_7.2.127-7_linux_amd64_no-plugin.tar.gz",
        "6cfe4155e0064675cac9a7e7c134aefb948b8e9551d0c76207ac67c5fda35467",
    ),
];

/// The word for the newest release.
pub const LATEST: &str = "latest";

/// Where releases are, unless a mirror is named.
const GITHUB: &str = "https://github.com";

/// The list of digests of a release.
const SUMS: &str = "checksums.txt";

/// No such list is larger, in bytes.
const LARGEST_SUMS: u64 = 1 << 20;

/// No archive is larger, in bytes.
const LARGEST_ARCHIVE: u64 = 256 << 20;

/// Which release is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// `owner/name`.
    pub repository: String,
    /// A tag, or [`LATEST`].
    pub version: String,
    /// Base address of a mirror that answers like GitHub.
    pub mirror: Option<String>,
    /// SHA-256 of the archive, as the user gave it.
    pub sha256: Option<String>,
}

/// An archive that was downloaded and holds what was promised.
pub struct Downloaded {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What it is.
    pub wanted: Wanted,
    /// The tag.
    pub version: String,
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            repository: REPOSITORY.into(),
            version: VERSION.into(),
            mirror: None,
            sha256: None,
        }
    }
}

impl Wish {
    /// The base of all addresses.
    pub fn base(&self) -> &str {
        self.mirror
            .as_deref()
            .map_or(GITHUB, |base| base.trim_end_matches('/'))
    }

    fn page(&self, rest: &str) -> String {
        format!("{}/{}{rest}", self.base(), self.repository)
    }

    fn file(&self, tag: &str, name: &str) -> String {
        self.page(&format!("/releases/download/{tag}/{name}"))
    }

    /// The tag that was named: releases begin with a v.
    fn tag(&self) -> Option<String> {
        match self.version.as_str() {
            LATEST => None,
            version if version.starts_with(|c: char| c.is_ascii_digit()) => {
                Some(format!("v{version}"))
            }
            version => Some(version.to_owned()),
        }
    }

    /// The archive with a digest that flowgate knows.
    fn pinned(&self, platform: &Platform) -> Option<(&'static str, &'static str)> {
        let is_known = self.repository == REPOSITORY && self.tag().as_deref() == Some(VERSION);
        let name = platform.choose(PINNED.iter().map(|(name, _)| *name))?;
        PINNED
            .into_iter()
            .find(|(known, _)| is_known && *known == name)
    }

    /// What would be downloaded, as far as that can be told without asking anybody.
    pub fn foreseen(&self, platform: &Platform) -> Wanted {
        let (tag, pinned) = (self.tag(), self.pinned(platform));
        let version = tag.as_deref().map_or("<version>", bare);
        let guess = || platform.guesses(self.product(), version).swap_remove(0);
        let asset = pinned.map_or_else(guess, |(name, _)| name.to_owned());
        Wanted {
            url: match &tag {
                Some(tag) => self.file(tag, &asset),
                None => self.page("/releases/latest"),
            },
            sha256: self
                .sha256
                .clone()
                .or_else(|| pinned.map(|(_, digest)| digest.to_owned())),
            asset,
        }
    }

    fn product(&self) -> &str {
        self.repository
            .rsplit('/')
            .next()
            .unwrap_or("CLIProxyAPIPlus")
    }
}

/// A tag as it stands in the names of archives.
fn bare(tag: &str) -> &str {
    tag.trim_start_matches('v')
}

/// Downloads the archive of a release for this machine, and proves its digest.
///
/// # Errors
/// One sentence, with what was to be had.
pub async fn download(
    wish: &Wish,
    platform: &Platform,
    fetcher: &Fetcher,
    watch: &dyn Watch,
) -> Result<Downloaded, BootstrapError> {
    let asking = Asking {
        wish,
        platform,
        fetcher,
        watch,
    };
    asking
        .download()
        .await
        .map_err(|error| error.wanting(&wish.foreseen(platform)))
}

/// The tag of the newest release.
///
/// # Errors
/// One sentence.
pub async fn latest(wish: &Wish, fetcher: &Fetcher) -> Result<String, BootstrapError> {
    let url = wish.page("/releases/latest");
    match fetcher.end(&url).await {
        Ok(path) => match path.rsplit_once("/releases/tag/") {
            Some((_, tag)) if !tag.is_empty() && !tag.contains('/') => Ok(tag.to_owned()),
            _ => Err(BootstrapError::new(
                Reason::NotReleased,
                format!("{url} does not lead to a release; name one with --cliproxy-version"),
            )),
        },
        Err(FetchError::Status(404 | 410)) => Err(gone_or(wish, fetcher, |repository| {
            format!("{repository} has no release at all")
        })
        .await),
        Err(error) => Err(of_fetch(&url, &error)),
    }
}

/// A download and what it is told by.
struct Asking<'a> {
    wish: &'a Wish,
    platform: &'a Platform,
    fetcher: &'a Fetcher,
    watch: &'a dyn Watch,
}

impl Asking<'_> {
    async fn download(&self) -> Result<Downloaded, BootstrapError> {
        let tag = match self.wish.tag() {
            Some(tag) => tag,
            None => latest(self.wish, self.fetcher).await?,
        };
        self.watch
            .step(&format!("{SUMS} of {} {tag}", self.wish.repository));
        let sums = self.sums(&tag).await?;
        let wanted = self.choose(&tag, &sums).await?;
        let bytes = self
            .archive(&wanted)
            .await
            .map_err(|error| error.wanting(&wanted))?;
        Ok(Downloaded {
            bytes,
            wanted,
            version: tag,
        })
    }

    /// The digests of a release. One that lists none will do when the digest is known.
    async fn sums(&self, tag: &str) -> Result<BTreeMap<String, String>, BootstrapError> {
        let url = self.wish.file(tag, SUMS);
        match self.fetcher.bytes(&url, LARGEST_SUMS, &|_, _| {}).await {
            Ok(bytes) => {
                let sums = checksums::parse(&String::from_utf8_lossy(&bytes));
                if sums.is_empty() {
                    return Err(BootstrapError::new(
                        Reason::BadArchive,
                        format!("{url} is no list of checksums"),
                    ));
                }
                Ok(sums)
            }
            Err(FetchError::Status(404 | 410)) if self.known_digest().is_some() => {
                Ok(BTreeMap::new())
            }
            Err(FetchError::Status(404 | 410)) => Err(self.why_not(tag).await),
            Err(error) => Err(of_fetch(&url, &error)),
        }
    }

    fn known_digest(&self) -> Option<&str> {
        let pinned = self.wish.pinned(self.platform).map(|(_, digest)| digest);
        self.wish.sha256.as_deref().or(pinned)
    }

    /// Why a release has no list of digests.
    async fn why_not(&self, tag: &str) -> BootstrapError {
        let page = self.wish.page(&format!("/releases/tag/{tag}"));
        let has_release = self.fetcher.exists(&page).await;
        gone_or(self.wish, self.fetcher, |repository| match has_release {
            Ok(true) => format!(
                "release {tag} of {repository} has no {SUMS}, so nothing tells whether its archive is \
                 whole; give its digest as bootstrap.cliproxyapi.sha256"
            ),
            _ => format!("{repository} has no release {tag}"),
        })
        .await
    }

    /// The archive for this machine, and the digest that it must have.
    async fn choose(
        &self,
        tag: &str,
        sums: &BTreeMap<String, String>,
    ) -> Result<Wanted, BootstrapError> {
        let pinned = self.wish.pinned(self.platform);
        let names = sums.keys().map(String::as_str);
        let asset = match (pinned, self.platform.choose(names)) {
            (Some((name, _)), _) => name.to_owned(),
            (None, Some(name)) => name.to_owned(),
            (None, None) => self.unlisted(tag, sums).await?,
        };
        let listed = sums.get(&asset);
        let given = self
            .wish
            .sha256
            .as_ref()
            .map(|digest| digest.to_ascii_lowercase());
        let known = given.or_else(|| pinned.map(|(_, digest)| digest.to_owned()));
        let wanted = Wanted {
            url: self.wish.file(tag, &asset),
            sha256: known.clone().or_else(|| listed.cloned()),
            asset,
        };
        match (known, listed) {
            (Some(known), Some(listed)) if known != *listed => Err(BootstrapError::new(
                Reason::HashMismatch,
                format!(
                    "the release gives {} the sha256 {listed}, and {known} was expected; it was \
                     replaced since, so nothing was downloaded",
                    wanted.asset
                ),
            )
            .wanting(&wanted)),
            _ => Ok(wanted),
        }
    }

    /// A name that the list of digests does not have: the release is not complete, or has no build
    /// for this machine.
    async fn unlisted(
        &self,
        tag: &str,
        sums: &BTreeMap<String, String>,
    ) -> Result<String, BootstrapError> {
        let repository = &self.wish.repository;
        for name in self.platform.guesses(self.wish.product(), bare(tag)) {
            let url = self.wish.file(tag, &name);
            match self.fetcher.exists(&url).await {
                Ok(false) => {}
                // With a digest of the user's own no list is needed.
                Ok(true) if self.wish.sha256.is_some() => return Ok(name),
                Ok(true) => {
                    return Err(BootstrapError::new(
                        Reason::Incomplete,
                        format!(
                            "{SUMS} of {repository} {tag} does not list {name} yet: the release is \
                             still being made; try again in some minutes"
                        ),
                    ));
                }
                Err(error) => return Err(of_fetch(&url, &error)),
            }
        }
        Err(BootstrapError::new(
            Reason::NotReleased,
            format!(
                "release {tag} of {repository} has no archive for {}; it has {} others",
                self.platform.words(),
                sums.len()
            ),
        ))
    }

    async fn archive(&self, wanted: &Wanted) -> Result<Vec<u8>, BootstrapError> {
        let name = &wanted.asset;
        let note = |done, total| {
            self.watch.note(Doing::Bytes {
                name: name.clone(),
                done,
                total,
            });
        };
        let bytes = match self
            .fetcher
            .bytes(&wanted.url, LARGEST_ARCHIVE, &note)
            .await
        {
            Ok(bytes) => bytes,
            Err(FetchError::Status(404 | 410)) => {
                return Err(BootstrapError::new(
                    Reason::NotReleased,
                    format!("{} is not there (404)", wanted.url),
                ));
            }
            Err(error) => return Err(of_fetch(&wanted.url, &error)),
        };
        prove(&bytes, name, wanted.sha256.as_deref())?;
        Ok(bytes)
    }
}

/// Compares an archive with its digest. A page of an error is named as such.
///
/// # Errors
/// One sentence.
pub fn prove(bytes: &[u8], name: &str, expected: Option<&str>) -> Result<(), BootstrapError> {
    use crate::sys::content::{Sniffed, sniff};
    if sniff(&bytes[..bytes.len().min(64 << 10)]) == Sniffed::Html {
        return Err(BootstrapError::new(
            Reason::BadArchive,
            format!("{name} is no tar.gz archive: it is an HTML page"),
        ));
    }
    let Some(expected) = expected else {
        return Ok(());
    };
    let found = digest::of(bytes);
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(BootstrapError::new(
        Reason::HashMismatch,
        format!("{name} has the sha256 {found}, and {expected} was expected; it was thrown away"),
    ))
}

/// A 404 of something in a repository: is the repository there at all?
async fn gone_or(
    wish: &Wish,
    fetcher: &Fetcher,
    otherwise: impl FnOnce(&str) -> String,
) -> BootstrapError {
    let repository = &wish.repository;
    let page = wish.page("");
    match fetcher.exists(&page).await {
        Ok(true) => BootstrapError::new(Reason::NotReleased, otherwise(repository)),
        Ok(false) if repository == GONE => BootstrapError::new(
            Reason::RepositoryGone,
            format!(
                "the repository {GONE} is gone (404 since April 2026); {REPOSITORY} goes on with \
                 it: --cliproxy-repo {REPOSITORY}"
            ),
        ),
        Ok(false) => BootstrapError::new(
            Reason::RepositoryGone,
            format!("the repository {repository} is not there ({page} answers 404)"),
        ),
        Err(error) => of_fetch(&page, &error),
    }
}

fn of_fetch(url: &str, error: &FetchError) -> BootstrapError {
    let reason = match error {
        FetchError::TooLarge(_) => Reason::BadArchive,
        _ => Reason::Unreachable,
    };
    BootstrapError::new(reason, format!("{url} {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_wish_each_machine_has_an_archive_whose_digest_is_known() {
        let wish = Wish::default();
        for (os, arch) in [
            ("linux", "x86_64"),
            ("linux", "aarch64"),
            ("macos", "x86_64"),
            ("macos", "aarch64"),
        ] {
            for has_glibc in [true, false] {
                let foreseen = wish.foreseen(&Platform::of(os, arch, has_glibc));
                assert!(
                    foreseen.asset.ends_with("_no-plugin.tar.gz"),
                    "{foreseen:?}"
                );
                assert!(digest::is_digest(&foreseen.sha256.unwrap()));
                assert!(foreseen.url.starts_with(
                    "https://github.com/kaitranntt/CLIProxyAPIPlus/releases/download/v7.2.127-7/"
                ));
            }
        }
    }

    #[test]
    fn a_digest_is_known_of_no_other_release() {
        let platform = Platform::of("linux", "x86_64", true);
        for (repository, version) in [
            (REPOSITORY, "v7.2.127-8"),
            (REPOSITORY, LATEST),
            ("somebody/CLIProxyAPIPlus", VERSION),
        ] {
            let wish = Wish {
                repository: repository.into(),
                version: version.into(),
                ..Wish::default()
            };
            assert_eq!(wish.foreseen(&platform).sha256, None, "{wish:?}");
        }
        let bare = Wish {
            version: VERSION.trim_start_matches('v').into(),
            ..Wish::default()
        };
        assert_eq!(
            bare.foreseen(&platform),
            Wish::default().foreseen(&platform)
        );
    }

    #[test]
    fn a_digest_of_the_users_own_is_shown_instead() {
        let own = Wish {
            sha256: Some("ab".repeat(32)),
            ..Wish::default()
        };
        let platform = Platform::of("linux", "x86_64", true);
        assert_eq!(own.foreseen(&platform).sha256, Some("ab".repeat(32)));
    }
}
