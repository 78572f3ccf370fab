//! Archives as releases have them, and as none should.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::server::Answer;

/// The repository of the tests.
pub const REPOSITORY: &str = "somebody/CLIProxyAPIPlus";
/// Its newest release.
pub const TAG: &str = "v7.2.1-0";

/// The archive for this machine in [`TAG`].
pub fn asset() -> String {
    asset_of(TAG)
}

/// The archive for this machine in a release.
pub fn asset_of(tag: &str) -> String {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        other => other,
    };
    format!("CLIProxyAPIPlus_{}_linux_{arch}.tar.gz", &tag[1..])
}

/// The address of a file of a release, without its base.
pub fn path_of(tag: &str, name: &str) -> String {
    format!("/{REPOSITORY}/releases/download/{tag}/{name}")
}

/// A script that stands for the program: it becomes the stand-in of CLIProxyAPIPlus.
pub fn program(mark: &str) -> Vec<u8> {
    let flowgate = env!("CARGO_BIN_EXE_flowgate");
    format!("#!/bin/sh\n# {mark}\nexec '{flowgate}' standin cliproxyapi \"$@\"\n").into_bytes()
}

/// An archive with a program and what releases have beside it.
pub fn archive(program: &[u8]) -> Vec<u8> {
    packed(|builder| {
        for (name, content) in [
            ("LICENSE", &b"MIT"[..]),
            ("README.md", b"# x"),
            ("cli-proxy-api-plus", program),
            ("config.example.yaml", b"port: 8317\n"),
        ] {
            let mut header = header(EntryType::Regular, content.len() as u64);
            builder.append_data(&mut header, name, content).unwrap();
        }
    })
}

/// An archive with one entry more.
pub fn with_entry(kind: EntryType, name: &str, target: &str) -> Vec<u8> {
    packed(|builder| {
        let mut header = header(kind, 0);
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_gnu_mut().unwrap().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        builder.append(&header, std::io::empty()).unwrap();
    })
}

/// Two gigabytes of zeros in two megabytes.
pub fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let mut header = header(EntryType::Regular, 2 << 30);
    header.set_path("LICENSE").unwrap();
    header.set_cksum();
    encoder.write_all(header.as_bytes()).unwrap();
    let zeros = vec![0; 1 << 20];
    for _ in 0..8 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

fn packed(fill: impl FnOnce(&mut Builder<GzEncoder<Vec<u8>>>)) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    fill(&mut builder);
    builder.into_inner().unwrap().finish().unwrap()
}

fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o755);
    header
}

/// SHA-256 in hex.
pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A line of checksums.txt.
pub fn sum(bytes: &[u8], name: &str) -> String {
    format!("{}  {name}\n", sha256(bytes))
}

/// A repository with one release of this archive, as GitHub answers for it.
pub fn release(tag: &str, archive: &[u8]) -> BTreeMap<String, Answer> {
    let name = asset_of(tag);
    let page = || Answer::Bytes(b"<html>".to_vec());
    BTreeMap::from([
        (format!("/{REPOSITORY}"), page()),
        (
            format!("/{REPOSITORY}/releases/latest"),
            Answer::Redirect(format!("/{REPOSITORY}/releases/tag/{tag}")),
        ),
        (format!("/{REPOSITORY}/releases/tag/{tag}"), page()),
        (
            path_of(tag, "checksums.txt"),
            Answer::Bytes(
                format!(
                    "{}{}",
                    sum(b"another", "CLIProxyAPIPlus_7_darwin_aarch64.tar.gz"),
                    sum(archive, &name)
                )
                .into_bytes(),
            ),
        ),
        (path_of(tag, &name), Answer::Bytes(archive.to_vec())),
    ])
}

/// Lets a file be executed.
pub fn executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
