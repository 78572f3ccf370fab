//! Fixes of section 3: the oracle is the mode.

use crate::fix::{mode, undo};
use crate::gateway::{Gateway, roots};
use crate::process::set_mode;
use crate::state::{differences, state};

/// What is exposed, its mode, and the mode that it gets.
const EXPOSED: [(&str, u32, u32); 4] = [
    (".router/secrets/management.key", 0o644, 0o600),
    ("config/cliproxyapi.yaml", 0o664, 0o600),
    (".router/runtime/litellm.active.yaml", 0o604, 0o600),
    (".router/auths", 0o777, 0o700),
];

#[test]
fn every_exposed_file_and_folder_is_closed_and_opened_again_by_undo() {
    for (path, from, to) in EXPOSED {
        let gateway = Gateway::running();
        if path.starts_with(".router/secrets") {
            set_mode(&gateway.path(".router/secrets"), 0o755);
        }
        set_mode(&gateway.path(path), from);
        let before = state(&gateway.path("."));
        let document = gateway.doctor(&["--fix=safe"]);
        assert_eq!(mode(&gateway, path), to, "{path}: {document:#}");
        assert_eq!(roots(&document), Vec::<String>::new(), "{path}");
        let changed = differences(&before, &state(&gateway.path(".")));
        assert_eq!(changed, [path]);
        undo(&gateway);
        assert_eq!(mode(&gateway, path), from, "{path}");
    }
}
