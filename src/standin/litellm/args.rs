//! The command line of LiteLLM (`facts/litellm.md` 1.3).

use crate::standin::scene::Scene;

/// Flags that take a value and change nothing here.
const IGNORED_VALUES: [&str; 11] = [
    "--num_workers",
    "--model",
    "--log_config",
    "--keepalive_timeout",
    "--limit_concurrency",
    "--prometheus_metrics_port",
    "--ssl_keyfile_path",
    "--ssl_certfile_path",
    "--request_timeout",
    "--api_base",
    "--alias",
];

/// Flags without a value that change nothing here.
const IGNORED: [&str; 5] = [
    "--debug",
    "--detailed_debug",
    "--run_gunicorn",
    "--run_hypercorn",
    "--skip_server_startup",
];

/// What the command line and the variables behind it say.
pub(super) struct Args {
    pub config: Option<String>,
    pub host: String,
    pub port: u16,
}

impl Args {
    /// # Errors
    /// The exit code and the text of standard error.
    pub fn parse(args: &[String], scene: &Scene) -> Result<Self, (u8, String)> {
        let mut config = scene.variable("CONFIG_FILE_PATH").map(str::to_owned);
        let mut host = scene.variable("HOST").unwrap_or("0.0.0.0").to_owned();
        let mut port = scene.variable("PORT").unwrap_or("4000").to_owned();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let (name, inline) = match arg.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (arg.as_str(), None),
            };
            let mut value = || {
                inline
                    .clone()
                    .or_else(|| rest.next().cloned())
                    .ok_or_else(|| usage(&format!("Option '{name}' requires an argument.")))
            };
            match name {
                "--config" | "-c" => config = Some(value()?),
                "--host" => host = value()?,
                "--port" => port = value()?,
                "--version" | "-v" => {
                    return Err((0, "\nLiteLLM: Current Version = 1.106.2\n".into()));
                }
                _ if IGNORED_VALUES.contains(&name) => drop(value()?),
                _ if IGNORED.contains(&name) => {}
                _ => return Err(usage(&format!("No such option: {name}"))),
            }
        }
        let number = port.parse::<i64>().map_err(|_| {
            usage(&format!(
                "Invalid value for '--port': '{port}' is not a valid integer."
            ))
        })?;
        Ok(Self {
            config,
            host,
            // Out of range it is taken modulo 65536 (`facts/litellm.md` 4).
            port: number.rem_euclid(65536) as u16,
        })
    }
}

fn usage(error: &str) -> (u8, String) {
    (
        2,
        format!("Usage: litellm [OPTIONS]\nTry 'litellm --help' for help.\n\nError: {error}\n"),
    )
}
