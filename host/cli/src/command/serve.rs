use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use cofferdam_server::types::Failure;
use cofferdam_server::{Audit, Config, Durability, Error as ServerError, Ready};
use serde_json::json;
use tokio::sync::Notify;

use crate::context::Context;
use crate::error::{Exit, Result, broken};
use crate::input;
use crate::output::Output;
use crate::signals::Signals;

/// Start a host
///
/// Without any option it listens on 127.0.0.1:8000, keeps everything in one file of the data
/// directory and holds to the built-in policy. SIGINT and SIGTERM end it: it takes no more, lets
/// what runs end, and exits with 0; a second one ends it at once.
#[derive(Args)]
pub(crate) struct Serve {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// What an acknowledged write of the embedded store survives: `safe` loss of power, `fast`
    /// only a crash of the host
    #[arg(long, value_name = "HOW", default_value = "safe")]
    durability: Survives,
    /// A name under which MCP clients may address this host, with a port or for any; may stand
    /// several times. Names of this machine and the address listened on always may
    #[arg(long = "allowed-host", value_name = "HOST")]
    allowed_hosts: Vec<String>,
    /// The origin of web pages that may speak MCP to this host, such as `https://app.example.org`;
    /// may stand several times
    #[arg(long = "allowed-origin", value_name = "ORIGIN")]
    allowed_origins: Vec<String>,
    /// How long to keep records of the audit, as `90d`, or `unlimited`
    #[arg(long, value_name = "TIME", default_value = "365d", value_parser = keep)]
    audit_keep: Keep,
    /// Answer a call only when its record is kept: without it a host that is killed loses the
    /// records of its last milliseconds
    #[arg(long)]
    audit_strict: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Survives {
    Safe,
    Fast,
}

/// How long records are kept; absent: for ever.
#[derive(Clone, Copy)]
struct Keep(Option<Duration>);

fn keep(text: &str) -> std::result::Result<Keep, String> {
    if text == "unlimited" {
        return Ok(Keep(None));
    }
    match input::span(text) {
        Ok(Duration::ZERO) => Err("a record has to be kept for a while".to_owned()),
        Ok(time) => Ok(Keep(Some(time))),
        Err(rule) => Err(format!("{rule}, or `unlimited`")),
    }
}

impl Serve {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let durability = match self.durability {
            Survives::Safe => Durability::Safe,
            Survives::Fast => Durability::Fast,
        };
        let config = Config {
            listen: self.listen,
            data_dir: context.data_dir(),
            store: context.store(durability),
            rules: context.rules()?,
            live_calls: None,
            allowed_hosts: self.allowed_hosts,
            allowed_origins: self.allowed_origins,
            audit: Audit {
                keep: self.audit_keep.0,
                is_strict: self.audit_strict,
            },
        };
        let output = context.output;
        let mut signals = Signals::new().map_err(|error| broken("hear signals", &error))?;
        let asked = Notify::new();
        let serving = cofferdam_server::serve(config, |ready| say(output, ready), asked.notified());
        tokio::pin!(serving);
        tokio::select! {
            result = &mut serving => return ended(result),
            () = signals.next() => asked.notify_one(),
        }
        output.note("ending; once more to end at once");
        tokio::select! {
            result = &mut serving => ended(result),
            () = signals.next() => Ok(Exit::Interrupted),
        }
    }
}

/// Says that the host is there. Programs that start one wait for the first line.
fn say(output: Output, ready: &Ready) {
    let url = format!("http://{}", ready.address);
    let key_file = ready.admin_key_file.display();
    let said = if output.is_json() {
        output.json(&json!({
            "listening": url, "store": ready.store, "policy": ready.policy,
            "admin_key_file": ready.admin_key_file,
        }))
    } else {
        output.text(format!(
            "listening on {url}\nstore: {}\npolicy: {}\nadmin key: {key_file}",
            ready.store, ready.policy
        ))
    };
    // A host serves whether or not somebody reads what it says.
    drop(said);
}

fn ended(result: std::result::Result<(), ServerError>) -> Result<Exit> {
    match result {
        Ok(()) => Ok(Exit::Done),
        Err(error) => Err(Failure::from(error).into()),
    }
}
