//! Who holds the port (`facts/litellm.md` 4).

use crate::by_hand::{ByHand, Output};
use crate::case::{Case, Looks};
use crate::gateway::{effects, is_listening};
use crate::network::Network;
use crate::process::{read, wait_for};
use crate::stage::{ACTIVE, Stage};

pub const CASES: &[Case] = &[
    Case {
        name: "a held port that is not 4000 keeps it from starting, and ends one that was started by hand",
        run: held,
    },
    Case {
        name: "a held 4000 makes one that was started by hand move without a word",
        run: moved,
    },
    Case {
        name: "a 4000 that is taken during the start is a start that failed",
        run: taken_meanwhile,
    },
    Case {
        name: "another copy of the program holds the port",
        run: another_copy,
    },
];

const FOREIGN: &str = "port-conflict/foreign-listener:litellm";

fn held(looks: &mut Looks<'_>) {
    let stage = Stage::with(looks.package, "", "");
    let holder = stage.stranger(stage.litellm);
    let document = stage.fails("port-in-use", "port-conflict/foreign-listener");
    looks.names(
        "another port taken, before the start",
        &document,
        FOREIGN,
        &[],
    );
    let port = stage.litellm.to_string();
    let args = ["--config", ACTIVE, "--host", "127.0.0.1", "--port", &port];
    let mut by_hand = ByHand::recorded(&stage, looks.package, &args, &[], Output::Log);
    assert_eq!(by_hand.wait_for_end(), Some(3), "{}", stage.log());
    let document = stage.doctor(&[]);
    looks.names("another port taken, exit 3", &document, FOREIGN, &[]);
    drop(holder);
}

/// A gateway whose LiteLLM is at 4000, where that is possible.
fn at_4000(looks: &mut Looks<'_>, what: &str) -> Option<Stage> {
    if looks.network == Network::Shared && std::net::TcpListener::bind("0.0.0.0:4000").is_err() {
        looks.cannot(what, "port 4000 is held on this machine");
        return None;
    }
    let mut stage = Stage::new(looks.package);
    stage.0.litellm = 4000;
    stage.write_configs();
    stage.uses(looks.package);
    stage.config(|sound| sound);
    stage.start_proxy();
    Some(stage)
}

fn moved(looks: &mut Looks<'_>) {
    let Some(stage) = at_4000(looks, "port 4000 taken") else {
        return;
    };
    let holder = stage.stranger(4000);
    let document = stage.fails("port-in-use", "port-conflict/foreign-listener");
    looks.names("port 4000 taken, before the start", &document, FOREIGN, &[]);
    let args = ["--config", ACTIVE, "--host", "127.0.0.1", "--port", "4000"];
    let mut by_hand = ByHand::recorded(&stage, looks.package, &args, &[], Output::Log);
    let port = by_hand.wait_until_running();
    assert_ne!(port, 4000);
    let document = stage.doctor(&[]);
    looks.names("port 4000 taken, silent move", &document, FOREIGN, &[]);
    assert_eq!(effects(&document), ["port-conflict/drifted-port:litellm"]);
    drop(holder);
    wait_for("4000 to be free", || !is_listening(4000));
    let drifted = "port-conflict/drifted-port:litellm";
    looks.names(
        "moved, and the holder is gone",
        &stage.doctor(&[]),
        drifted,
        &[],
    );
}

fn taken_meanwhile(looks: &mut Looks<'_>) {
    let Some(stage) = at_4000(looks, "port 4000 taken during the start") else {
        return;
    };
    let start = stage.begin(&["service", "start", "litellm"]);
    let record = stage.path(".router/runtime/supervisor/litellm.json");
    wait_for("the start to be recorded", || {
        read(&record).contains("\"starting\"")
    });
    let _holder = stage.stranger(4000);
    let said = crate::supervised::said(start.wait_with_output().unwrap());
    stage.says_failure(&said, "not-ready", "port-conflict/foreign-listener");
    let document = stage.doctor(&[]);
    looks.names("port 4000 taken during the start", &document, FOREIGN, &[]);
}

fn another_copy(looks: &mut Looks<'_>) {
    let stage = Stage::with(looks.package, "", "");
    let port = stage.litellm.to_string();
    let args = ["--config", ACTIVE, "--host", "127.0.0.1", "--port", &port];
    let mut by_hand = ByHand::start(&stage, looks.package, &args, &[], Output::Elsewhere);
    by_hand.wait_until_running();
    looks.is_silent("run by hand, and it accepts our key", &stage.doctor(&[]));
    let document = stage.fails("port-in-use", "port-conflict/second-instance");
    let second = "port-conflict/second-instance:litellm";
    looks.names(
        "another copy holds the port that is wanted",
        &document,
        second,
        &[],
    );
}
