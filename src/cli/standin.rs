//! `flowgate standin`: a small copy of one of the two programs, for tests and benches.

use clap::{Args, ValueEnum};

use super::failure::Failure;
use crate::standin::scene::Scene;
use crate::standin::server::Start;
use crate::standin::{cliproxyapi, litellm};

/// Run a stand-in of one of the two programs, on loopback only
#[derive(Debug, Args)]
// `-h` is for the program that is stood in for.
#[command(disable_help_flag = true)]
pub struct StandinArgs {
    /// Which program to stand in for
    #[arg(value_enum)]
    pub program: StandinProgram,
    /// The arguments that the real program takes
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
}

/// The programs that have a stand-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StandinProgram {
    /// LiteLLM 1.106.2
    Litellm,
    /// CLIProxyAPIPlus 6.6.9-0, or CLIProxyAPI 7.2.140 with FLOWGATE_STANDIN_EDITION=mainline
    Cliproxyapi,
}

/// Serves until the process is ended, or ends with the code of the real program.
///
/// # Errors
/// None; the form is that of every command.
pub fn run(args: &StandinArgs) -> Result<u8, Failure> {
    let scene = Scene::of_process();
    let start = match args.program {
        StandinProgram::Litellm => litellm::start(&args.args, &scene),
        StandinProgram::Cliproxyapi => cliproxyapi::start(&args.args, &scene),
    };
    match start {
        Start::Serving(server) => {
            server.wait();
            Ok(0)
        }
        Start::Ended(code) => Ok(code),
    }
}
