use cofferdam_types::limits::LimitRequest;
use cofferdam_types::workspace::Offer;

/// What a caller brings to a decision.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The directory they offer.
    pub workspace: Option<&'a Offer>,
    /// Limits they tighten.
    pub limits: &'a LimitRequest,
}

/// The denials, each with its sentence: one place that knows how they read.
pub(crate) mod denial {
    use std::path::Path;

    use cofferdam_types::call::{Denial, DenialCode};
    use cofferdam_types::tool::Capability;
    use cofferdam_types::workspace::{Access, Offer, Place};

    use crate::Policy;

    fn workspace(policy: &Policy, needed: Access, resource: String) -> Denial {
        let operation = match needed {
            Access::ReadOnly => "read",
            Access::ReadWrite => "write",
        };
        Denial {
            capability: "workspace".to_owned(),
            operation: operation.to_owned(),
            resource,
            code: DenialCode::NotOffered,
            rule: format!("{}/workspace", policy.name()),
            file: None,
            line: None,
            reason: String::new(),
            smallest_grant: format!("a workspace offered as `{}`", needed.as_str()),
        }
    }

    pub(crate) fn no_workspace(policy: &Policy, needed: Access) -> Denial {
        Denial {
            reason: "the tool works on files and this call offers no workspace".to_owned(),
            ..workspace(policy, needed, "none".to_owned())
        }
    }

    pub(crate) fn read_only(policy: &Policy, offer: &Offer) -> Denial {
        Denial {
            reason: "the tool changes files and this call offers its workspace read-only"
                .to_owned(),
            ..workspace(policy, Access::ReadWrite, name(&offer.place))
        }
    }

    pub(crate) fn directory(policy: &Policy, needed: Access, path: &Path) -> Denial {
        Denial {
            reason: "a server takes workspaces by name, never a path".to_owned(),
            ..workspace(policy, needed, path.display().to_string())
        }
    }

    pub(crate) fn unknown(policy: &Policy, capability: &Capability) -> Denial {
        let kind = capability.kind();
        Denial {
            capability: kind.to_owned(),
            operation: "use".to_owned(),
            resource: "any".to_owned(),
            code: DenialCode::NotGranted,
            rule: format!("{}/default", policy.name()),
            file: None,
            line: None,
            reason: format!("the tool declares `{kind}`, which this policy never grants"),
            smallest_grant: format!("a policy that grants `{kind}` to this tool"),
        }
    }

    fn name(place: &Place) -> String {
        match place {
            Place::Named(name) => name.to_string(),
            Place::Directory(path) => path.display().to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use cofferdam_types::limits::LimitRequest;
    use cofferdam_types::tool::{Capability, SafetyFlags, ToolSpec};
    use cofferdam_types::workspace::{Access, Offer, Place};
    use cofferdam_types::{Digest, Limits, Payload, Version};

    use super::Request;
    use crate::Policy;

    fn spec(capabilities: Vec<Capability>) -> ToolSpec {
        ToolSpec {
            name: "demo-tool".parse().expect("kebab case"),
            function: "tool".to_owned(),
            version: Version::new(1, 0, 0),
            description: "A tool.".to_owned(),
            args_schema: Payload::empty_object(),
            returns_schema: Payload::empty_object(),
            capabilities,
            safety: SafetyFlags::default(),
            tags: Vec::new(),
            examples: Vec::new(),
            limits: LimitRequest::default(),
        }
    }

    fn named(access: Access) -> Offer {
        Offer {
            place: Place::Named("demo".parse().expect("a name")),
            access,
        }
    }

    /// Decides under the server's policy; gives the granted words or the denied `kind:operation`s.
    fn decide(
        capabilities: Vec<Capability>,
        offer: Option<&Offer>,
    ) -> Result<Vec<String>, Vec<String>> {
        let request = Request {
            workspace: offer,
            limits: &LimitRequest::default(),
        };
        Policy::builtin(Path::new("/data/workspaces"))
            .decide(Digest::of(b""), &spec(capabilities), &request)
            .map(|grant| grant.words())
            .map_err(|all| {
                all.iter()
                    .map(|d| format!("{}:{}", d.capability, d.operation))
                    .collect()
            })
    }

    #[test]
    fn nothing_declared_is_nothing_granted() {
        assert_eq!(decide(vec![], Some(&named(Access::ReadWrite))), Ok(vec![]));
    }

    #[test]
    fn a_workspace_is_the_least_of_declared_and_offered() {
        let reads = Capability::Workspace {
            access: Access::ReadOnly,
            optional: false,
        };
        let writes = Capability::Workspace {
            access: Access::ReadWrite,
            optional: false,
        };
        let perhaps = Capability::Workspace {
            access: Access::ReadOnly,
            optional: true,
        };
        let (ro, rw) = (named(Access::ReadOnly), named(Access::ReadWrite));
        let words = |word: &str| Ok(vec![word.to_owned()]);
        let denied = |word: &str| Err(vec![word.to_owned()]);
        assert_eq!(
            decide(vec![reads.clone()], Some(&rw)),
            words("filesystem:workspace:read_only")
        );
        assert_eq!(
            decide(vec![writes.clone()], Some(&rw)),
            words("filesystem:workspace:read_write")
        );
        assert_eq!(
            decide(vec![writes.clone()], Some(&ro)),
            denied("workspace:write")
        );
        assert_eq!(decide(vec![reads.clone()], None), denied("workspace:read"));
        assert_eq!(decide(vec![perhaps], None), Ok(vec![]));
        let path = Offer {
            place: Place::Directory(PathBuf::from("/etc")),
            access: Access::ReadOnly,
        };
        assert_eq!(decide(vec![reads], Some(&path)), denied("workspace:read"));
    }

    #[test]
    fn every_missing_capability_is_named() {
        let denied = decide(
            vec![Capability::Network, Capability::Clocks, Capability::Secret],
            None,
        );
        assert_eq!(
            denied,
            Err(vec!["network:use".to_owned(), "secret:use".to_owned()])
        );
    }

    #[test]
    fn limits_go_up_to_the_ceiling_and_callers_only_tighten() {
        let mut spec = spec(vec![]);
        spec.limits.fuel = Some(u64::MAX);
        spec.limits.memory_bytes = Some(1 << 20);
        let asked = LimitRequest {
            deadline_ms: Some(10),
            memory_bytes: Some(u64::MAX),
            ..LimitRequest::default()
        };
        let request = Request {
            workspace: None,
            limits: &asked,
        };
        let grant = Policy::builtin_local()
            .decide(Digest::of(b""), &spec, &request)
            .expect("granted");
        let limits = grant.limits();
        assert_eq!(
            (
                limits.fuel,
                limits.deadline_ms,
                limits.memory_bytes,
                limits.result_bytes
            ),
            (
                Policy::AUTHOR_MAX.fuel,
                10,
                1 << 20,
                Limits::DEFAULT.result_bytes
            )
        );
    }
}
