//! Secrets of a host. A value comes from a file, from stdin or from the keyboard: never from the
//! command line, which other users of a machine can see and shells remember.

use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use cofferdam_server::types::{Code, Failure, SecretName, SecretValue};
use cofferdam_wire::secret::{RemovedSecret, RotationView, SecretList, SecretView};
use console::Term;
use serde_json::json;

use crate::client::{Client, Request};
use crate::context::Context;
use crate::error::{self, Exit, Result, broken};
use crate::output::Output;
use crate::view;

/// What can be done with secrets.
#[derive(Subcommand)]
pub(crate) enum Secret {
    Set(Set),
    /// Show which secrets there are; a value can't be read back
    List,
    Rotate(Rotate),
    Rm(Rm),
}

/// Give a secret a value, its first or another one
///
/// The value is asked for, or read from --from-file or from stdin; one line break at its end is not
/// part of it. The next use of the secret has it.
#[derive(Args)]
pub(crate) struct Set {
    /// `github-token`, or `acme/github-token`
    name: SecretName,
    #[command(flatten)]
    value: Value,
}

/// Give a secret that is there another value, or change the key that all are encrypted with
#[derive(Args)]
pub(crate) struct Rotate {
    /// Whose value to change
    #[arg(required_unless_present = "key", conflicts_with = "key")]
    name: Option<SecretName>,
    #[command(flatten)]
    value: Value,
    /// Encrypt all secrets under a fresh key and forget the old one
    #[arg(long, conflicts_with = "from_file")]
    key: bool,
}

/// Remove a secret
#[derive(Args)]
pub(crate) struct Rm {
    /// Which
    name: SecretName,
}

/// Where a value comes from.
#[derive(Args)]
struct Value {
    /// Read the value from this file, `-` for stdin
    #[arg(long, value_name = "FILE")]
    from_file: Option<PathBuf>,
}

impl Secret {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        match self {
            Self::Set(set) => {
                // Read first: a wrong value needs no host.
                let value = set.value.read(&set.name)?;
                put(context, &context.client().await?, &set.name, &value).await
            }
            Self::List => list(context).await,
            Self::Rotate(rotate) => rotate.run(context).await,
            Self::Rm(rm) => rm.run(context).await,
        }
    }
}

impl Rotate {
    async fn run(self, context: &Context) -> Result<Exit> {
        let client = context.client().await?;
        let Some(name) = self.name else {
            return rotate_key(context, &client).await;
        };
        let secrets = client
            .send::<SecretList>(Request::get(&["secrets"]))
            .await?;
        if !secrets.value.items.iter().any(|secret| secret.name == name) {
            return Err(Failure::not_found("secret", name).into());
        }
        let value = self.value.read(&name)?;
        put(context, &client, &name, &value).await
    }
}

impl Rm {
    async fn run(self, context: &Context) -> Result<Exit> {
        let (client, output) = (context.client().await?, context.output);
        let path = segment(&self.name);
        let path = ["secrets", path.as_str()];
        let answer = client.send::<RemovedSecret>(Request::delete(&path)).await?;
        if output.is_json() {
            output.text(answer.text)?;
        } else {
            output.text(format!("{}: removed", self.name))?;
        }
        Ok(Exit::Done)
    }
}

impl Value {
    /// The value, from wherever it was said to come.
    fn read(&self, name: &SecretName) -> Result<SecretValue> {
        let stdin = Path::new("-");
        match self.from_file.as_deref() {
            Some(path) if path != stdin => {
                let file = std::fs::File::open(path);
                let file = file.map_err(|error| error::file("read", path, &error))?;
                whole(file, path)
            }
            None if std::io::stdin().is_terminal() => asked(name),
            Some(_) | None => whole(std::io::stdin(), Path::new("stdin")),
        }
    }
}

/// Asks a person, who doesn't see what they type.
fn asked(name: &SecretName) -> Result<SecretValue> {
    let terminal = Term::stderr();
    let typed = terminal
        .write_str(&format!("value of {name}: "))
        .and_then(|()| terminal.read_secure_line());
    let typed = typed.map_err(|error| broken("ask for the value", &error))?;
    taken(typed.into_bytes())
}

fn whole(from: impl Read, path: &Path) -> Result<SecretValue> {
    let most = SecretValue::BYTES_MAX + 3;
    // All the room at once: growing would leave copies behind.
    let mut bytes = Vec::with_capacity(most);
    from.take(most as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| error::file("read", path, &error))?;
    for end in [b'\n', b'\r'] {
        if bytes.last() == Some(&end) {
            bytes.pop();
        }
    }
    taken(bytes)
}

fn taken(bytes: Vec<u8>) -> Result<SecretValue> {
    SecretValue::from_bytes(bytes)
        .map_err(|error| Failure::new(Code::InvalidInput, error.to_string()).into())
}

async fn put(
    context: &Context,
    client: &Client,
    name: &SecretName,
    value: &SecretValue,
) -> Result<Exit> {
    let output = context.output;
    let body = json!({ "value": value.reveal() }).to_string();
    let path = segment(name);
    let path = ["secrets", path.as_str()];
    let request = Request::put(&path).json(body.into_bytes());
    let answer = client.send::<SecretView>(request).await?;
    if output.is_json() {
        output.text(answer.text)?;
    } else {
        let version = answer.value.version.unwrap_or_default();
        output.text(format!("{name}: set, version {version}"))?;
    }
    Ok(Exit::Done)
}

async fn list(context: &Context) -> Result<Exit> {
    let (client, output) = (context.client().await?, context.output);
    let answer = client
        .send::<SecretList>(Request::get(&["secrets"]))
        .await?;
    if output.is_json() {
        output.text(answer.text)?;
        return Ok(Exit::Done);
    }
    show(&answer.value, output)?;
    Ok(Exit::Done)
}

fn show(list: &SecretList, output: Output) -> Result<()> {
    let text = |value: Option<String>| value.unwrap_or_default();
    let rows = list.items.iter().map(|secret| {
        [
            secret.name.to_string(),
            secret.source.clone(),
            text(secret.version.map(|version| version.to_string())),
            text(secret.created_at.map(|at| at.to_string())),
            text(secret.rotated_at.map(|at| at.to_string())),
        ]
    });
    let headings = ["SECRET", "FROM", "VERSION", "CREATED", "CHANGED"];
    output.text(view::table(output.out, headings, rows))
}

async fn rotate_key(context: &Context, client: &Client) -> Result<Exit> {
    let output = context.output;
    let request = Request::post(&["secret-key", "rotate"]);
    let answer = client.send::<RotationView>(request).await?;
    if output.is_json() {
        output.text(answer.text)?;
    } else {
        let RotationView { key_id, resealed } = answer.value;
        output.text(format!("key {key_id}: {resealed} secrets encrypted anew"))?;
    }
    Ok(Exit::Done)
}

/// A name as it stands in a path.
fn segment(name: &SecretName) -> String {
    name.as_str().replacen('/', "__", 1)
}
