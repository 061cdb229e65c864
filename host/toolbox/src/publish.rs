use std::sync::Arc;

use cofferdam_policy::Describe;
use cofferdam_registry::{Publication, manifest};
use cofferdam_runtime::{Error, Inspection, Kind, Limit, Skipped, inspect};
use cofferdam_types::audit::{Act, AuditRecord};
use cofferdam_types::caller::Caller;
use cofferdam_types::tool::Manifest;
use cofferdam_types::{Code, ComponentName, Digest, Failure, ToolName, Version};

use crate::plain::{self, Labels};
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
    /// What it exports and is no tool, and why.
    pub skipped: Vec<Skipped>,
    /// What it may import.
    pub imports: Vec<String>,
    /// False when the same bytes were there already.
    pub created: bool,
}

impl Toolbox {
    /// Adds a component: inspects and compiles it, reads its types or asks it under an empty grant
    /// what it is, and registers its tools. Safe to repeat. Goes on to its end when the caller goes away, so that
    /// nothing is registered without its record.
    ///
    /// **Errors**: `too_large`, `component_invalid`, `limit_exceeded`, `conflict`, and
    /// `invalid_input` for labels that don't fit.
    pub async fn publish(
        &self,
        caller: &Caller,
        labels: Labels,
        bytes: &[u8],
    ) -> Result<Published, Failure> {
        let max = self.parts.component_bytes_max;
        if bytes.len() as u64 > max {
            return Err(Failure::new(
                Code::TooLarge,
                format!("a component has at most {max} bytes"),
            ));
        }
        let (this, caller, bytes) = (self.clone(), caller.clone(), Arc::new(bytes.to_vec()));
        // Owned by the runtime until it ends; a stop waits for it, since it holds the audit.
        let publishing =
            tokio::spawn(async move { this.publish_to_its_end(&caller, &labels, bytes).await });
        publishing.await.unwrap_or_else(|error| {
            tracing::error!(%error, "adding a component broke off");
            Err(Failure::new(
                Code::Internal,
                "the host failed; its log says why",
            ))
        })
    }

    async fn publish_to_its_end(
        &self,
        caller: &Caller,
        labels: &Labels,
        bytes: Arc<Vec<u8>>,
    ) -> Result<Published, Failure> {
        let slot = self.parts.audit.slot().await.map_err(|full| {
            tracing::error!(%full, "refused a component");
            Failure::new(Code::Unavailable, "the audit can't keep up; try again")
        })?;
        let (digest, inspection) = examine(bytes.clone()).await?;
        let published = match inspection {
            Ok(inspection) => self.add(caller, labels, digest, inspection, &bytes).await,
            Err(error) => Err(error.into()),
        };
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
        labels: &Labels,
        digest: Digest,
        inspection: Inspection,
        bytes: &[u8],
    ) -> Result<Published, Failure> {
        let (manifest, skipped) = self.manifest(labels, digest, &inspection, bytes).await?;
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
            skipped,
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

    /// What the component's tools are, and which of its exports are none.
    async fn manifest(
        &self,
        labels: &Labels,
        digest: Digest,
        inspection: &Inspection,
        bytes: &[u8],
    ) -> Result<(Manifest, Vec<Skipped>), Failure> {
        let runtime = &self.parts.runtime;
        let grant = Describe::new(digest);
        match inspection.kind {
            Kind::Sdk => {
                labels.check_sdk()?;
                let report = runtime.describe(&grant, &Offered(bytes)).await;
                let text = report
                    .answer
                    .map_err(|error| described(&error, error.clone().into()))?;
                Ok((manifest::parse(&text)?, Vec::new()))
            }
            Kind::Plain => {
                let interface = runtime.interface(&grant, &Offered(bytes)).await?;
                let (draft, skipped) = plain::draft(labels, inspection, interface)?;
                Ok((manifest::check(draft)?, skipped))
            }
        }
    }
}

/// The digest of a file and what is in it. Reading a large one takes longer than a request thread
/// may be held.
async fn examine(bytes: Arc<Vec<u8>>) -> Result<(Digest, Result<Inspection, Error>), Failure> {
    let examining = tokio::task::spawn_blocking(move || (Digest::of(&bytes), inspect(&bytes)));
    examining.await.map_err(|error| {
        tracing::error!(%error, "inspecting a component broke off");
        Failure::new(Code::Internal, "the host failed; its log says why")
    })
}

/// A component that can't describe itself is at fault, whatever stopped it; its own failure stays
/// as the cause. What the compiler or the host says stands as it is.
fn described(error: &Error, failure: Failure) -> Failure {
    match error {
        Error::Component(_)
        | Error::Busy(_)
        | Error::Internal(_)
        | Error::NoWorkspace
        | Error::Workspace(_)
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
