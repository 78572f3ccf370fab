//! Variables that change what LiteLLM does (`facts/litellm.md` 1.3, 3.5 and 7).

use crate::by_hand::{ByHand, Output};
use crate::case::{Case, Looks};
use crate::gateway::{effects, free_port};
use crate::process::write;
use crate::stage::{ACTIVE, Stage};

pub const CASES: &[Case] = &[
    Case {
        name: "a port from the environment",
        run: port,
    },
    Case {
        name: "a proxy that takes what goes to this machine",
        run: proxy,
    },
    Case {
        name: "a stray env file above the package",
        run: stray_env,
    },
];

const OVERRIDDEN: &str = "config/overridden:litellm";

/// Without `--port`, as only a start by hand is.
fn port(looks: &mut Looks<'_>) {
    let stage = Stage::with(looks.package, "", "");
    let other = free_port().to_string();
    let args = ["--config", ACTIVE, "--host", "127.0.0.1"];
    let env = [("PORT", other.as_str())];
    let mut by_hand = ByHand::recorded(&stage, looks.package, &args, &env, Output::Log);
    let port = by_hand.wait_until_running();
    assert_eq!(port.to_string(), other);
    let document = stage.doctor(&[]);
    looks.names("PORT in the environment", &document, OVERRIDDEN, &[]);
    assert_eq!(effects(&document), ["port-conflict/drifted-port:litellm"]);
}

/// flowgate always keeps loopback out of it, so the fault needs a start by hand.
fn proxy(looks: &mut Looks<'_>) {
    let stage = Stage::with(looks.package, "", "");
    let port = stage.litellm.to_string();
    let args = ["--config", ACTIVE, "--host", "127.0.0.1", "--port", &port];
    let dead = format!("http://127.0.0.1:{}", free_port());
    let env = [("HTTP_PROXY", dead.as_str()), ("http_proxy", &dead)];
    let mut by_hand = ByHand::recorded(&stage, looks.package, &args, &env, Output::Log);
    by_hand.wait_until_running();
    let key = "readiness/proxy-captures-loopback:litellm";
    looks.names("proxy variables", &stage.doctor(&[]), key, &[]);
}

/// flowgate gives every port as an argument, so the file moves only what is started by hand.
fn stray_env(looks: &mut Looks<'_>) {
    let mut supervised = Stage::with(looks.package, "", "");
    let copy = looks.package.copy_to(&supervised.path("home/env"), &[]);
    supervised.uses(&copy);
    let other = free_port().to_string();
    write(
        &supervised.path("home/.env"),
        &format!("PORT={other}\n"),
        0o600,
    );
    supervised.start_litellm();
    looks.is_silent("a stray .env that has no effect", &supervised.doctor(&[]));
    let said = supervised.flowgate(&["service", "stop", "litellm"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    looks.is_silent("stopped on purpose", &supervised.doctor(&[]));

    // In a gateway whose supervisor never ran it: a supervisor writes the records of what it ran.
    let mut stage = Stage::with(looks.package, "", "");
    stage.uses(&copy);
    let args = ["--config", ACTIVE, "--host", "127.0.0.1"];
    let mut by_hand = ByHand::recorded(&stage, &copy, &args, &[], Output::Elsewhere);
    let port = by_hand.wait_until_running();
    assert_eq!(port.to_string(), other);
    let document = stage.doctor(&[]);
    looks.names("a stray .env with PORT", &document, OVERRIDDEN, &[]);
}
