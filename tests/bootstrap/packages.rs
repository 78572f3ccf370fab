//! LiteLLM from its packages.

use crate::gateway::{Gateway, write};

#[test]
fn a_list_without_digests_is_refused_before_anything_is_asked() {
    let gateway = Gateway::new("http://127.0.0.1:9");
    write(&gateway.path("config/list.txt"), "idna==3.7\n");
    gateway.add("  litellm:\n    requirements: list.txt\n");
    let before = gateway.everything();
    let said = gateway.run(&["bootstrap", "download", "--only", "litellm"]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.contains("idna==3.7 has no --hash"), "{}", said.err);
    assert_eq!(gateway.everything(), before);
}

#[test]
fn without_a_python_the_command_that_brings_one_is_named() {
    let gateway = Gateway::new("http://127.0.0.1:9");
    let before = gateway.everything();
    let said = gateway.run_with(
        &["bootstrap", "download", "--only", "litellm"],
        &[("PATH", "/nowhere")],
    );
    assert_eq!(said.code, 1);
    assert!(
        said.err
            .contains("there is no Python 3.10 or newer with its venv module here, and no uv"),
        "{}",
        said.err
    );
    assert!(said.err.contains("\nhint: "), "{}", said.err);
    assert_eq!(gateway.everything(), before);
}
