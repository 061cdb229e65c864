mod view;

use std::sync::Arc;

use axum::extract::State;
use cofferdam_toolbox::{Format, Policy, PolicyError, Question};
use cofferdam_types::authority::Authority;
use cofferdam_types::call::{Origin, ToolCall};
use cofferdam_types::caller::Caller;
use cofferdam_types::change::Commit;
use cofferdam_types::{CallId, Code, Failure, Payload, Timestamp};
use cofferdam_wire::policy::{
    CAN_MAX, CanAnswer, CanRequest, ExplainRequest, ExplanationView, PolicyCheck, PolicyFormat,
    PolicyText, PolicyView, Reloaded, SHADOW_S_MAX, ShadowReport, ShadowRequest,
};

use crate::answer::Answer;
use crate::error::Refusal;
use crate::extract::{Allowed, ManagePolicy, NoBody, ReadPolicy, StrictJson};
use crate::services::Services;

pub use view::policy_check;

/// The policy in force.
pub(crate) async fn show(
    caller: Allowed<ReadPolicy>,
    State(services): State<Arc<Services>>,
) -> Result<Answer<PolicyView>, Refusal> {
    let ruling = services.toolbox.policy_in_force(&caller)?;
    let policy = &ruling.policy;
    Ok(Answer::ok(PolicyView {
        name: policy.name().to_owned(),
        file: policy.file().map(|file| file.display().to_string()),
        digest: *policy.digest(),
        generation: ruling.generation,
        effective: Payload::from(policy.snapshot()),
    }))
}

/// Checks a text without putting it in force.
pub(crate) async fn validate(
    _: Allowed<ReadPolicy>,
    State(services): State<Arc<Services>>,
    StrictJson(text): StrictJson<PolicyText>,
) -> Result<Answer<PolicyCheck>, Refusal> {
    let parsed = parse(&services, text).await?;
    let now = services.ambient.now();
    Ok(Answer::ok(policy_check(parsed.as_ref(), now)))
}

/// Reads the policy's file anew.
pub(crate) async fn reload(
    caller: Allowed<ManagePolicy>,
    State(services): State<Arc<Services>>,
    _: NoBody,
) -> Result<Answer<Reloaded>, Refusal> {
    let (old, new) = services.toolbox.reload_policy(&caller).await?;
    Ok(Answer::ok(Reloaded {
        digest: *new.policy.digest(),
        generation: new.generation,
        changed: old.policy.digest() != new.policy.digest(),
    }))
}

/// Whether a call would be allowed, and by what.
pub(crate) async fn explain(
    caller: Allowed<ReadPolicy>,
    State(services): State<Arc<Services>>,
    StrictJson(request): StrictJson<ExplainRequest>,
) -> Result<Answer<ExplanationView>, Refusal> {
    let wants_patch = request.patch;
    let question = question(&caller, request, "", &services)?;
    let explained = services.toolbox.explain(&caller, &question, wants_patch);
    Ok(Answer::ok(view::explanation(explained.await?)))
}

/// Whether each of many calls would be allowed, all under one policy.
pub(crate) async fn can(
    caller: Allowed<ReadPolicy>,
    State(services): State<Arc<Services>>,
    StrictJson(request): StrictJson<CanRequest>,
) -> Result<Answer<CanAnswer>, Refusal> {
    if request.calls.len() > CAN_MAX {
        let rule = format!("at most {CAN_MAX} questions at once");
        return Err(Failure::invalid_at("/calls", rule).into());
    }
    let questions = request.calls.into_iter().enumerate();
    let questions = questions
        .map(|(at, call)| question(&caller, call, &format!("/calls/{at}"), &services))
        .collect::<Result<Vec<_>, _>>()?;
    let (ruling, answers) = services.toolbox.can(&caller, &questions).await?;
    Ok(Answer::ok(CanAnswer {
        generation: ruling.generation,
        answers: answers.into_iter().map(view::can).collect(),
    }))
}

/// What a candidate would have changed of what was done lately.
pub(crate) async fn shadow(
    caller: Allowed<ReadPolicy>,
    State(services): State<Arc<Services>>,
    StrictJson(request): StrictJson<ShadowRequest>,
) -> Result<Answer<ShadowReport>, Refusal> {
    let ShadowRequest {
        text,
        format,
        since_s,
    } = request;
    if since_s > SHADOW_S_MAX {
        let rule = format!("expected at most {SHADOW_S_MAX}");
        return Err(Failure::invalid_at("/since_s", rule).into());
    }
    let parsed = parse(&services, PolicyText { text, format }).await?;
    let candidate = parsed.map_err(|error| view::refused(&error))?;
    let now = services.ambient.now().as_millis();
    let since = Timestamp::from_millis(now.saturating_sub(since_s * 1_000));
    let shadow = services.toolbox.shadow(&caller, &candidate, since).await?;
    Ok(Answer::ok(view::shadow(shadow)))
}

/// The question that a request at `place` asks, about the caller themselves where it says nothing.
fn question(
    caller: &Caller,
    request: ExplainRequest,
    place: &str,
    services: &Services,
) -> Result<Question, Failure> {
    let used = request.used.map(|used| {
        // JSON is YAML.
        let used = used.to_string().parse();
        used.map_err(|error: PolicyError| {
            let reasons = error.mistakes().iter().map(|mistake| &*mistake.reason);
            Failure::invalid_at(
                format!("{place}/use"),
                reasons.collect::<Vec<_>>().join("; "),
            )
        })
    });
    let facts = request.caller;
    let call = ToolCall {
        id: CallId::generate(&*services.ambient),
        caller: Caller {
            principal: facts.principal.unwrap_or_else(|| caller.principal.clone()),
            role: facts.role.unwrap_or(caller.role),
            tenant: facts.tenant.unwrap_or_else(|| caller.tenant.clone()),
        },
        origin: Origin::Http,
        tool: request.tool,
        arguments: request.arguments,
        workspace: request.workspace.map(Into::into),
        limits: request.limits,
        authority: Authority {
            agent: facts.agent,
            environment: request.execution_environment,
            caller_delegates: request.delegate,
            ..Authority::default()
        },
        commit: Commit::Apply,
    };
    Ok(Question {
        call,
        used: used.transpose()?,
    })
}

/// Reads a text as if it stood in the policy's place. Elsewhere than on a thread that takes requests:
/// a large one takes a while.
async fn parse(
    services: &Services,
    PolicyText { text, format }: PolicyText,
) -> Result<Result<Policy, PolicyError>, Failure> {
    let format = match format {
        PolicyFormat::Yaml => Format::Yaml,
        PolicyFormat::Toml => Format::Toml,
        PolicyFormat::Json => Format::Json,
    };
    let toolbox = services.toolbox.clone();
    let parsing = move || toolbox.parse_policy(text.as_bytes(), format);
    tokio::task::spawn_blocking(parsing).await.map_err(|error| {
        tracing::error!(%error, "a policy's text broke its reader");
        Failure::new(Code::Internal, "the host failed; its log says why")
    })
}
