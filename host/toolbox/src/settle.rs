//! What becomes of a call's changes when its tool has answered.

use cofferdam_policy::Grant;
use cofferdam_policy::capability::filesystem::Filesystem;
use cofferdam_runtime::{Changes, CommitError};
use cofferdam_types::call::Denial;
use cofferdam_types::change::{ChangeList, Commit};
use cofferdam_types::{Code, Failure, Payload};
use serde_json::json;

use crate::changed::changed;

/// The end of a call whose tool answered.
pub(crate) struct Settled {
    pub(crate) result: Payload,
    /// What the call changed, or would have.
    pub(crate) list: Option<ChangeList>,
    /// Whether that was applied.
    pub(crate) is_applied: bool,
}

/// Why a call has no result, or none that counts. Nothing of what it changed was applied, but where
/// the failure says so.
pub(crate) enum Unsettled {
    Failed(Failure),
    /// It may not change any more what it changed.
    Denied(Box<Denial>),
}

/// Refuses a call whose changes can't all be kept back, when they are to be told before they count.
///
/// Neither the files that a mount without an overlay shows, nor the state of tools, nor what programs
/// and other tools do can be taken back. What is sent over the network can't either; but a tool that
/// may fetch what it writes is one whose changes are worth a look.
pub(crate) fn check(commit: Commit, grant: &Grant) -> Result<(), Failure> {
    let field = match commit {
        Commit::Apply => return Ok(()),
        Commit::Preview => "/preview",
        Commit::ApplyIf(_) => "/if_changes",
    };
    let refused = |what: &str| Err(Failure::invalid_at(field, what));
    if let Some(mount) = grant.files().changed_directly() {
        return refused(&format!(
            "this call changes `{mount}` directly; its changes can be told before they count under \
             a policy that grants them with `writes: overlay`, or when it offers `{mount}` read-only"
        ));
    }
    let others = [
        ("keeps state", grant.key_value().is_nothing()),
        ("may start programs", grant.subprocess().is_nothing()),
        ("may call other tools", grant.tool_call().is_nothing()),
    ];
    match others.iter().find(|(_, is_nothing)| !is_nothing) {
        None => Ok(()),
        Some((what, _)) => refused(&format!(
            "this tool {what}, which can't be kept back until its changes are told; delegate to the \
             call no more than files"
        )),
    }
}

/// The result of a tool, with its changes applied as the call wants it.
pub(crate) async fn settle(
    result: Result<Payload, Failure>,
    changes: Option<Changes>,
    commit: Commit,
    grant: &Grant,
) -> Result<Settled, Unsettled> {
    let result = result.map_err(Unsettled::Failed)?;
    let Some(mut changes) = changes else {
        // No mount keeps anything back; if the call asked what changed, nothing did.
        let list = commit.is_told().then(|| changed(&[]));
        return match mismatch(commit, list.as_ref()) {
            Some(failure) => Err(Unsettled::Failed(failure)),
            None => Ok(Settled {
                result,
                list,
                is_applied: false,
            }),
        };
    };
    let listed = changes.list().await;
    let list = changed(&listed.map_err(|error| uncommitted(&error, grant))?);
    if let Some(failure) = mismatch(commit, Some(&list)) {
        return Err(Unsettled::Failed(failure));
    }
    let is_applied = commit != Commit::Preview;
    if is_applied {
        let committed = changes.commit().await;
        committed.map_err(|error| uncommitted(&error, grant))?;
    }
    Ok(Settled {
        result,
        list: Some(list),
        is_applied,
    })
}

/// Why changes are not those that were to be applied.
fn mismatch(commit: Commit, list: Option<&ChangeList>) -> Option<Failure> {
    let (Commit::ApplyIf(wanted), Some(list)) = (commit, list) else {
        return None;
    };
    (list.digest != wanted).then(|| {
        let message = format!(
            "the call's changes have the digest {}, not {wanted}; nothing was applied",
            list.digest
        );
        Failure::new(Code::PreconditionFailed, message).with("changes", json!(list))
    })
}

/// The tool answered, and what it changed can't be applied.
fn uncommitted(error: &CommitError, grant: &Grant) -> Unsettled {
    let code = match error {
        CommitError::Refused(ask) => match grant.decide::<Filesystem>(ask) {
            Err(denial) => return Unsettled::Denied(Box::new(denial)),
            // One more policy gave it back a moment too late.
            Ok(_) => Code::Conflict,
        },
        CommitError::Conflict { .. } => Code::Conflict,
        CommitError::Unreadable { .. }
        | CommitError::Stage { .. }
        | CommitError::Partial { .. } => Code::Unavailable,
    };
    Unsettled::Failed(Failure::new(code, error.to_string()))
}

#[cfg(test)]
mod tests {
    use cofferdam_types::Digest;

    use super::*;
    use crate::testing::{entry, grant, policy};

    /// Why the changes of a tool that declares and is granted these can't be told first.
    async fn refused(capability: &str, allow: &str, commit: Commit) -> Option<String> {
        let entry = entry("a-tool", &[capability]).await;
        let policy = policy(&format!(
            "version: 1\nprograms: {{cat: {{path: /bin/cat}}}}\n\
             rules: [{{tools: [a-tool], allow: {{{allow}}}}}]\n"
        ));
        let failure = check(commit, &grant(&policy, &entry)).err()?;
        assert_eq!(failure.code, Code::InvalidInput);
        Some(failure.message)
    }

    #[tokio::test]
    async fn what_can_t_be_kept_back_is_refused() {
        let digest = Digest::of(b"");
        for (capability, allow, said) in [
            ("key_value", "key_value: [{}]", Some("keeps state")),
            (
                "tool_call",
                "tool_call: [{tools: [a-called]}]",
                Some("may call other tools"),
            ),
            (
                "subprocess",
                "subprocess: [{program: cat}]",
                Some("may start programs"),
            ),
            ("network", "network: [{host: example.org}]", None),
            ("clocks", "clocks: [real]", None),
        ] {
            assert_eq!(refused(capability, allow, Commit::Apply).await, None);
            for (commit, field) in [
                (Commit::Preview, "/preview"),
                (Commit::ApplyIf(digest), "/if_changes"),
            ] {
                let message = refused(capability, allow, commit).await;
                match said {
                    None => assert_eq!(message, None, "{capability}"),
                    Some(said) => {
                        let message = message.expect(capability);
                        assert!(message.contains(said), "{message}");
                        assert!(message.starts_with(field), "{message}");
                    }
                }
            }
        }
    }

    #[tokio::test]
    async fn where_nothing_is_kept_back_nothing_has_changed() {
        let entry = entry("a-tool", &[]).await;
        let rules = policy("version: 1\nrules: [{tools: [a-tool], allow: {}}]\n");
        let grant = grant(&rules, &entry);
        let end = async |commit| settle(Ok(Payload::null()), None, commit, &grant).await;
        let none = changed(&[]);
        for (commit, told) in [
            (Commit::Apply, None),
            (Commit::Preview, Some(&none)),
            (Commit::ApplyIf(none.digest), Some(&none)),
        ] {
            let Ok(settled) = end(commit).await else {
                panic!("{commit:?}: no result");
            };
            assert_eq!(settled.list.as_ref(), told, "{commit:?}");
            assert!(!settled.is_applied);
        }
        let other = Commit::ApplyIf(Digest::of(b"other"));
        let Err(Unsettled::Failed(failure)) = end(other).await else {
            panic!("these changes were not asked for");
        };
        assert_eq!(failure.code, Code::PreconditionFailed);
        assert_eq!(failure.details["changes"], json!(none));
    }
}
