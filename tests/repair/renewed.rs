//! What undo does to the mode of a file that its program wrote anew: it never lets others in again.

use std::path::Path;

use crate::fix::mode;
use crate::gateway::{Gateway, token};
use crate::process::{set_mode, write};

const TOKEN: &str = ".router/auths/codex-ana@example.com.json";

/// A gateway whose token was closed by a repair.
fn closed() -> Gateway {
    let gateway = Gateway::running();
    gateway.expose_token();
    let document = gateway.doctor(&[&format!("--fix=set-mode:{TOKEN}")]);
    assert_eq!(document["exitCode"], 0, "{document:#}");
    assert_eq!(mode(&gateway, TOKEN), 0o600);
    gateway
}

fn renew_by_rename(path: &Path, text: &str) {
    let new = path.with_extension("new");
    write(&new, text, 0o600);
    rustix::fs::rename(&new, path).unwrap();
}

fn renew_in_place(path: &Path, text: &str) {
    write(path, text, 0o600);
}

#[test]
fn a_token_that_was_renewed_stays_closed() {
    let renewals: [fn(&Path, &str); 2] = [renew_by_rename, renew_in_place];
    for renew in renewals {
        let gateway = closed();
        renew(&gateway.path(TOKEN), &token("2099-02-02T00:00:00Z"));
        let said = gateway.flowgate(&["doctor", "undo"]);
        assert_eq!(said.code, 1, "{}{}", said.out, said.err);
        assert!(said.out.contains("left as it is"), "{}", said.out);
        assert_eq!(mode(&gateway, TOKEN), 0o600);
    }
}

#[test]
fn a_token_that_nobody_touched_is_as_open_as_it_was() {
    let gateway = closed();
    assert_eq!(gateway.flowgate(&["doctor", "undo"]).code, 0);
    assert_eq!(mode(&gateway, TOKEN), 0o644);
}

#[test]
fn another_folder_under_the_same_name_stays_closed() {
    let gateway = Gateway::running();
    set_mode(&gateway.path(".router/auths"), 0o777);
    gateway.doctor(&["--fix=set-mode:.router/auths"]);
    assert_eq!(mode(&gateway, ".router/auths"), 0o700);
    let folder = gateway.path(".router/auths");
    let aside = gateway.path(".router/aside");
    rustix::fs::rename(&folder, &aside).unwrap();
    std::fs::create_dir(&folder).unwrap();
    set_mode(&folder, 0o700);
    let said = gateway.flowgate(&["doctor", "undo"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert_eq!(mode(&gateway, ".router/auths"), 0o700);
    assert_eq!(mode(&gateway, ".router/aside"), 0o700);
}
