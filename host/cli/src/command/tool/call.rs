use std::path::{Path, PathBuf};

use clap::Args;
use cofferdam_server::LocalCall;
use cofferdam_server::types::change::Commit;
use cofferdam_server::types::limits::LimitRequest;
use cofferdam_server::types::tool::ToolRef;
use cofferdam_server::types::workspace::Access;
use cofferdam_server::types::{Digest, Payload, WorkspaceName};
use cofferdam_wire::call::{CallAnswer, CallRequest};
use cofferdam_wire::tool::ToolView;
use cofferdam_wire::workspace::Workspace;
use serde_json::Value;

use crate::arguments::Arguments;
use crate::client::{Answer, CALL_TIME, Client, Request};
use crate::component::Component;
use crate::context::Context;
use crate::error::{Exit, Result, broken, usage};
use crate::label::Said;
use crate::view;

/// Call a tool, of a host or of a component file
///
/// `tool call TOOL` calls a tool of the host. `tool call FILE.wasm TOOL` needs no host: it runs the
/// component in this process's own sandbox, under the built-in policy. The result goes to stdout,
/// what the call cost and printed to stderr.
#[derive(Args)]
pub(crate) struct Call {
    /// The tool, as `files-read` or `files-read@^1.2`; or a component file
    #[arg(value_name = "TOOL|FILE.wasm")]
    what: String,
    /// The tool of the file; its function's name is enough
    #[arg(value_name = "TOOL")]
    tool: Option<String>,
    #[command(flatten)]
    arguments: Arguments,
    /// What it may read: the name of a workspace of the host, or for a component file a directory
    #[arg(long, value_name = "NAME|DIR")]
    workspace: Option<String>,
    /// It may also write there
    #[arg(long, requires = "workspace")]
    writable: bool,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    said: Said,
}

/// What becomes of what it changes; only where the policy says `writes: overlay`.
#[derive(Args)]
struct Changes {
    /// Tell what it would change in its files, and change nothing
    #[arg(long)]
    preview: bool,
    /// Change its files only if the changes have this digest, which a preview tells
    #[arg(long, value_name = "DIGEST", conflicts_with = "preview")]
    if_changes: Option<Digest>,
}

/// Tighter limits than the tool's own.
#[derive(Args)]
struct Limits {
    /// At most so many instructions, roughly
    #[arg(long, value_name = "N")]
    fuel: Option<u64>,
    /// At most so long, in milliseconds
    #[arg(long, value_name = "N")]
    deadline_ms: Option<u64>,
    /// At most so much memory
    #[arg(long, value_name = "N")]
    memory_bytes: Option<u64>,
}

impl Call {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let file = Path::new(&self.what);
        let is_file = file
            .extension()
            .is_some_and(|extension| extension == "wasm");
        let output = context.output;
        let answer = if is_file || file.is_file() {
            let value = self.local(file, context).await?;
            let text =
                serde_json::to_string(&value).map_err(|error| broken("write JSON", &error))?;
            Answer { text, value }
        } else {
            self.remote(context).await?
        };
        if output.is_json() {
            output.text(answer.text)?;
        } else {
            output.result(&answer.value.result)?;
            output.note(view::log(&answer.value, output.err));
        }
        Ok(Exit::Done)
    }

    /// Calls the tool of a component file, in this process.
    async fn local(&self, file: &Path, context: &Context) -> Result<CallAnswer> {
        let given = if self.arguments.need_schema() {
            None
        } else {
            // A wrong one needs no sandbox.
            Some(self.arguments.read(&Value::Null)?)
        };
        let workspace = match &self.workspace {
            Some(text) => Some((directory(text)?, self.access())),
            None => None,
        };
        let component = Component::open(file, &self.said, context).await?;
        let tool = match &self.tool {
            Some(tool) => component.tool(tool)?,
            None => component.only_tool()?,
        };
        let arguments = match given {
            Some(arguments) => arguments,
            None => self.arguments.read(component.schema(&tool))?,
        };
        let call = LocalCall {
            tool,
            arguments: arguments.into_value(),
            workspace,
            limits: self.limits.request(),
            commit: self.changes.commit(),
        };
        component.call(call).await
    }

    /// Calls a tool of the host.
    async fn remote(&self, context: &Context) -> Result<Answer<CallAnswer>> {
        if let Some(tool) = &self.tool {
            return Err(usage(format!(
                "{} is no component file; to call `{tool}` of a host, name it alone",
                self.what
            )));
        }
        if !self.said.is_nothing() {
            let rule = "--name, --version and --export are for component files; a tool of a host \
                        has its name already";
            return Err(usage(rule));
        }
        let tool: ToolRef = self
            .what
            .parse()
            .map_err(|error| usage(format!("{error}")))?;
        let workspace = match &self.workspace {
            Some(text) => Some(named(text, self.access())?),
            None => None,
        };
        let (client, arguments) = arguments_for(&tool, &self.arguments, context).await?;
        let request = CallRequest {
            arguments,
            workspace,
            limits: self.limits.request(),
            delegate: None,
            execution_environment: None,
            preview: self.changes.preview,
            if_changes: self.changes.if_changes,
        };
        let body = serde_json::to_vec(&request).map_err(|error| broken("write JSON", &error))?;
        let path = ["tools", &in_path(&tool), "call"];
        let request = Request::post(&path).json(body).within(CALL_TIME);
        client.send(request).await
    }

    fn access(&self) -> Access {
        if self.writable {
            Access::ReadWrite
        } else {
            Access::ReadOnly
        }
    }
}

impl Changes {
    fn commit(&self) -> Commit {
        match self.if_changes {
            Some(digest) => Commit::ApplyIf(digest),
            None if self.preview => Commit::Preview,
            None => Commit::Apply,
        }
    }
}

impl Limits {
    fn request(&self) -> LimitRequest {
        LimitRequest {
            fuel: self.fuel,
            deadline_ms: self.deadline_ms,
            memory_bytes: self.memory_bytes,
            result_bytes: None,
        }
    }
}

/// A client of the host, and the arguments of a call of one of its tools.
pub(in crate::command) async fn arguments_for(
    tool: &ToolRef,
    arguments: &Arguments,
    context: &Context,
) -> Result<(Client, Payload)> {
    if !arguments.need_schema() {
        // Wrong ones need no host.
        let given = arguments.read(&Value::Null)?;
        return Ok((context.client().await?, given));
    }
    let client = context.client().await?;
    let path = ["tools", &in_path(tool)];
    let shown = client.send::<ToolView>(Request::get(&path)).await?;
    let given = arguments.read(shown.value.spec.args_schema.as_value())?;
    Ok((client, given))
}

/// A tool as a path of the API names it: the slash behind a namespace can't stand there.
pub(super) fn in_path(tool: &ToolRef) -> String {
    tool.to_string().replacen('/', "__", 1)
}

/// A directory to show to a tool.
fn directory(text: &str) -> Result<PathBuf> {
    let path = Path::new(text);
    if !path.is_dir() {
        return Err(usage(format!("--workspace: there is no directory {text}")));
    }
    path.canonicalize()
        .map_err(|error| crate::error::file("find", path, &error))
}

/// A workspace of the host.
fn named(text: &str, access: Access) -> Result<Workspace> {
    let name: WorkspaceName = text.parse().map_err(|error| {
        usage(format!(
            "--workspace: {error}; a host shows only the workspaces below its data directory"
        ))
    })?;
    Ok(Workspace { name, access })
}
