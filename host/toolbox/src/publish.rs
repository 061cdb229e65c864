use cofferdam_policy::Describe;
use cofferdam_registry::{Publication, manifest};
use cofferdam_runtime::{Inspection, inspect};
use cofferdam_types::audit::{Act, AuditRecord};
use cofferdam_types::caller::Caller;
use cofferdam_types::tool::Manifest;
use cofferdam_types::{Code, ComponentName, Digest, Failure, ToolName, Version};

use crate::source::Offered;
use crate::toolbox::Toolbox;

/// A component that is in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its name.
    pub component: ComponentName,
    /// Its version.
    pub version: Version,
    /// Its digest.
    pub digest: Digest,
    /// What became callable.
    pub tools: Vec<ToolName>,
    /// What it may import.
    pub imports: Vec<String>,
    /// False when the same bytes were there already.
    pub created: bool,
}

impl Toolbox {
    /// Adds a component: inspects and compiles it, asks it under an empty grant what it is, and
    /// registers its tools. Safe to repeat.
    ///
    /// **Errors**: `too_large`, `component_invalid`, `limit_exceeded`, `conflict`.
    pub async fn publish(&self, caller: &Caller, bytes: &[u8]) -> Result<Published, Failure> {
        let slot = self.parts.audit.slot().await.map_err(|full| {
            tracing::error!(%full, "refused a component");
            Failure::new(Code::Unavailable, "the audit can't keep up; try again")
        })?;
        let digest = Digest::of(bytes);
        let published = self.add(caller, digest, bytes).await;
        if published.is_err() {
            self.parts.runtime.forget(&digest);
        }
        let act = match &published {
            Ok(published) => {
                let Published {
                    component, version, ..
                } = published;
                Act::Publish {
                    component: format!("{component}@{version}"),
                    digest,
                }
            }
            Err(failure) => Act::PublishRefused {
                digest,
                code: failure.code,
            },
        };
        slot.write(AuditRecord {
            tenant: caller.tenant.clone(),
            at: self.parts.ambient.now(),
            actor: caller.principal.clone(),
            act,
        });
        published
    }

    async fn add(
        &self,
        caller: &Caller,
        digest: Digest,
        bytes: &[u8],
    ) -> Result<Published, Failure> {
        let (manifest, inspection) = self.examine(digest, bytes).await?;
        let Manifest {
            component,
            version,
            tools,
        } = &manifest;
        let published = Published {
            component: component.clone(),
            version: version.clone(),
            digest,
            tools: tools.iter().map(|tool| tool.name.clone()).collect(),
            imports: inspection.imports,
            created: false,
        };
        let (by, at) = (caller.principal.clone(), self.parts.ambient.now());
        let publication = Publication {
            manifest,
            digest,
            bytes,
            by,
            at,
        };
        let created = self
            .parts
            .registry
            .register(&caller.tenant, publication)
            .await?;
        Ok(Published {
            created,
            ..published
        })
    }

    /// What a component says about itself and what it asks for, without adding it.
    ///
    /// **Errors**: `too_large`, `component_invalid`, `limit_exceeded`.
    pub async fn examine(
        &self,
        digest: Digest,
        bytes: &[u8],
    ) -> Result<(Manifest, Inspection), Failure> {
        let max = self.parts.component_bytes_max;
        if bytes.len() as u64 > max {
            return Err(Failure::new(
                Code::TooLarge,
                format!("a component has at most {max} bytes"),
            ));
        }
        // Cheap enough to do before anything else: no process is started for a file that is none.
        let inspection = inspect(bytes)?;
        let report = self
            .parts
            .runtime
            .describe(&Describe::new(digest), &Offered(bytes))
            .await;
        let text = report
            .answer
            .map_err(|error| described(&error, error.clone().into()))?;
        Ok((manifest::parse(&text)?, inspection))
    }
}

/// A component that can't describe itself is at fault, whatever stopped it; its own failure stays
/// as the cause. What the compiler or the host says stands as it is.
fn described(error: &cofferdam_runtime::Error, failure: Failure) -> Failure {
    use cofferdam_runtime::{Error, Limit};
    match error {
        Error::Component(_)
        | Error::Busy(_)
        | Error::Internal(_)
        | Error::NoWorkspace
        | Error::Limit {
            limit: Limit::Compile | Limit::Structure,
            ..
        } => failure,
        _ => {
            let message = format!(
                "the component could not describe itself: {}",
                failure.message
            );
            Failure::new(Code::ComponentInvalid, message).with("cause", failure.code.as_str())
        }
    }
}
