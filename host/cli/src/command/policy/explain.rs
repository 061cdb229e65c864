use clap::Args;
use cofferdam_server::policies::Use;
use cofferdam_server::types::caller::Role;
use cofferdam_server::types::limits::LimitRequest;
use cofferdam_server::types::tool::ToolRef;
use cofferdam_server::types::workspace::Access;
use cofferdam_server::types::{Code, Failure, Payload, Tenant, WorkspaceName};
use cofferdam_wire::policy::{CallerFacts, ExplainRequest, ExplanationView};
use cofferdam_wire::workspace::Workspace;
use serde_json::json;

use crate::arguments::Arguments;
use crate::client::Request;
use crate::command::tool::arguments_for;
use crate::context::Context;
use crate::error::{Exit, Result, broken};
use crate::output::Output;
use crate::view;

/// Say whether a call would be allowed, by which rule, and what would allow it
///
/// Decides about a call that nobody makes, under the policy in force. Name a use as well to hear about
/// it: a tool as such reaches nothing. Ends with 3 when it would be denied.
#[derive(Args)]
pub(crate) struct Explain {
    /// The tool, as `files-read` or `files-read@^1.2`
    tool: ToolRef,
    #[command(flatten)]
    arguments: Arguments,
    /// What it would use, as `network: GET https://example.org/`, `filesystem: read
    /// workspace:notes.md` or `subprocess: [git, status]`; docs/policy-tests.md has all forms
    #[arg(long = "use", value_name = "USE", value_parser = used)]
    used: Option<Use>,
    /// Print what to add at the end of the policy's file so that it would be allowed, and nothing else
    #[arg(long)]
    patch: bool,
    #[command(flatten)]
    who: Who,
    /// The workspace of the host that the call would offer
    #[arg(long, value_name = "NAME")]
    workspace: Option<WorkspaceName>,
    /// It would offer it for writing
    #[arg(long, requires = "workspace")]
    writable: bool,
    /// The profile that it would run in [default: isolated]
    #[arg(long, value_name = "PROFILE")]
    environment: Option<String>,
}

/// Who would call. What is left out is as with whoever asks.
#[derive(Args)]
struct Who {
    /// The agent at work
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Their role: viewer, user, author or admin
    #[arg(long, value_name = "ROLE", value_parser = role)]
    role: Option<Role>,
    /// Their tenant
    #[arg(long, value_name = "NAME")]
    tenant: Option<Tenant>,
    /// Who they are in the audit
    #[arg(long, value_name = "PRINCIPAL")]
    principal: Option<String>,
}

fn used(text: &str) -> std::result::Result<Use, String> {
    text.parse().map_err(|error| format!("{error}"))
}

fn role(text: &str) -> std::result::Result<Role, String> {
    let all = [Role::Viewer, Role::User, Role::Author, Role::Admin];
    let role = all.into_iter().find(|role| role.as_str() == text);
    role.ok_or_else(|| "expected `viewer`, `user`, `author` or `admin`".to_owned())
}

impl Explain {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let (client, arguments) = arguments_for(&self.tool, &self.arguments, context).await?;
        let body = serde_json::to_vec(&self.request(arguments))
            .map_err(|error| broken("write JSON", &error))?;
        let request = Request::post(&["policy", "explain"]).json(body);
        let answer = client.send::<ExplanationView>(request).await?;
        let output = context.output;
        if output.is_json() {
            output.text(answer.text)?;
        } else if self.patch {
            return patch(answer.value, output);
        } else {
            output.text(view::explanation(&answer.value, output.out))?;
        }
        Ok(if answer.value.allowed {
            Exit::Done
        } else {
            Exit::Denied
        })
    }

    fn request(&self, arguments: Payload) -> ExplainRequest {
        let access = if self.writable {
            Access::ReadWrite
        } else {
            Access::ReadOnly
        };
        let workspace = self.workspace.clone();
        ExplainRequest {
            tool: self.tool.clone(),
            arguments,
            workspace: workspace.map(|name| Workspace { name, access }),
            limits: LimitRequest::default(),
            caller: CallerFacts {
                agent: self.who.agent.clone(),
                role: self.who.role,
                tenant: self.who.tenant.clone(),
                principal: self.who.principal.clone(),
            },
            execution_environment: self.environment.clone(),
            delegate: None,
            used: self.used.as_ref().map(|used| Payload::from(used.to_json())),
            patch: self.patch,
        }
    }
}

/// Prints what to add, so that it can be appended to the file as it is.
fn patch(explained: ExplanationView, output: Output) -> Result<Exit> {
    let Some(patch) = explained.patch else {
        if explained.allowed {
            output.note("it is allowed: there is nothing to add");
            return Ok(Exit::Done);
        }
        let message = "no rule that is added would allow it";
        let denied = Failure::new(Code::PolicyDenied, message);
        return Err(denied.with("denials", json!(explained.denials)).into());
    };
    output.text(patch.text.trim_end())?;
    if !patch.text.starts_with("rules:") {
        output.note("these are further rules, for the end of a file that ends in its `rules`");
    }
    for denial in &patch.left {
        output.note(format!("with it, {}", view::refusal(denial, false)));
    }
    Ok(Exit::Done)
}
