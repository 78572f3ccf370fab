//! Fixes of section 1 on real sockets.

use crate::fix::{apply, text, undo};
use crate::gateway::{MASTER_KEY, UPSTREAM_KEY};
use crate::ports::status_with_key;
use crate::stage::rendered;
use crate::state::{differences, state};
use crate::stranger::Stranger;

const FLOWGATE_YAML: &str = "config/flowgate.yaml";

#[test]
fn the_port_of_the_proxy_moves_in_every_place_that_names_it() {
    let gateway = rendered();
    let old = gateway.proxy.to_string();
    assert_eq!(
        gateway
            .flowgate(&["service", "stop", "cliproxyapi_plus"])
            .code,
        0
    );
    let mut stranger = Stranger::on(gateway.proxy);
    gateway.flowgate(&["service", "start", "cliproxyapi_plus"]);
    let before = state(&gateway.path("."));
    let named = text(&gateway, FLOWGATE_YAML).matches(&old).count();

    let root = "port-conflict/foreign-listener:cliproxyapi_plus";
    apply(&gateway, root, "move-port:cliproxyapi_plus");

    let written = text(&gateway, FLOWGATE_YAML);
    assert!(!written.contains(&old), "{written}");
    let new = written
        .split("/v0/management")
        .next()
        .and_then(|head| head.rsplit(':').next())
        .unwrap();
    assert_eq!(written.matches(new).count(), named);
    let changed = differences(&before, &state(&gateway.path(".")));
    let expected = [
        ".router/runtime/litellm.active.yaml",
        // When the profile was rendered.
        ".router/runtime/state.json",
        "config/cliproxyapi.yaml",
        FLOWGATE_YAML,
    ];
    assert_eq!(changed, expected);
    let new: u16 = new.parse().unwrap();
    assert_eq!(status_with_key(new, UPSTREAM_KEY), 200);
    assert_eq!(status_with_key(gateway.litellm, MASTER_KEY), 200);
    let url = format!("http://127.0.0.1:{new}/v1");
    assert!(text(&gateway, expected[0]).contains(&url));
    assert!(stranger.is_well());

    undo(&gateway);
    let left = differences(&before, &state(&gateway.path(".")));
    assert_eq!(left, Vec::<String>::new());
    assert!(stranger.is_well());
}
