use std::sync::Arc;

use cofferdam_policy::Describe;
use cofferdam_registry::{Publication, manifest};
use cofferdam_runtime::{Error, Inspection, Kind, Limit, Skipped, inspect};
use cofferdam_types::audit::{Act, AuditRecord};
use cofferdam_types::caller::Caller;
use cofferdam_types::tool::{Contract, Manifest};
use cofferdam_types::{Code, ComponentName, Digest, Failure, Tenant, ToolName, Version};

use tokio::task::{JoinError, JoinHandle};

use crate::addition::{Addition, Progress, Stage};
use crate::plain::{self, Labels};
use crate::source::Offered;
use crate::toolbox::Toolbox;

/// Components that are being added and for which nobody waits, in KiB together: 14 interpreters of
/// 18 MB. Whoever waits holds a connection, of which there are only so many; whoever doesn't could
/// fill the memory with files that wait to be compiled.
pub(crate) const UNATTENDED_KIB_MAX: usize = 256 << 10;

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

/// A file that is being added, and what whoever adds it says about it.
struct Upload {
    labels: Labels,
    digest: Digest,
    bytes: Arc<Vec<u8>>,
}

impl Toolbox {
    /// Adds a component: inspects and compiles it, reads its types or asks it under an empty grant
    /// what it is, and registers its tools. Safe to repeat. Goes on to its end when the caller goes
    /// away, so that nothing is registered without its record.
    ///
    /// **Errors**: `too_large`, `component_invalid`, `limit_exceeded`, `conflict`, and
    /// `invalid_input` for labels that don't fit.
    pub async fn publish(
        &self,
        caller: &Caller,
        labels: Labels,
        bytes: &[u8],
    ) -> Result<Published, Failure> {
        let (_, publishing) = self.begin(caller, labels, bytes).await?;
        publishing
            .await
            .unwrap_or_else(|error| Err(broke_off(&error)))
    }

    /// Begins to add a component and says how far it is; [`Toolbox::addition`] says it later.
    ///
    /// **Errors**: `too_large`; `unavailable` when too much is being added already.
    pub async fn begin_publishing(
        &self,
        caller: &Caller,
        labels: Labels,
        bytes: &[u8],
    ) -> Result<Addition, Failure> {
        // What comes of it is told to whoever asks.
        let (digest, _) = self.begin(caller, labels, bytes).await?;
        self.addition(caller, &digest).await
    }

    /// Begins to add a component, in a task that goes on to its end.
    async fn begin(
        &self,
        caller: &Caller,
        labels: Labels,
        bytes: &[u8],
    ) -> Result<(Digest, JoinHandle<Result<Published, Failure>>), Failure> {
        let max = self.parts.component_bytes_max;
        if bytes.len() as u64 > max {
            return Err(Failure::new(
                Code::TooLarge,
                format!("a component has at most {max} bytes"),
            ));
        }
        // Also for a caller that waits: it may go away, and the addition goes on.
        let kib = u32::try_from(bytes.len().div_ceil(1 << 10)).unwrap_or(u32::MAX);
        let place = self.unattended.clone().try_acquire_many_owned(kib);
        let place = place.map_err(|_| {
            let reason = "too many components are being added; try again";
            Failure::new(Code::Unavailable, reason)
        })?;
        let (this, caller, bytes) = (self.clone(), caller.clone(), Arc::new(bytes.to_vec()));
        let hashed = bytes.clone();
        let digest = blocking(move || Digest::of(&hashed)).await?;
        let now = self.parts.ambient.now();
        let mut progress = self.additions.begin(&caller.tenant, digest, now);
        // Owned by the runtime until it ends; a stop waits for it, since it holds the audit.
        let publishing = tokio::spawn(async move {
            let upload = Upload {
                labels,
                digest,
                bytes,
            };
            let published = this
                .publish_to_its_end(&caller, upload, &mut progress)
                .await;
            let stage = match &published {
                Ok(published) => Stage::Ready(published.clone()),
                Err(failure) => Stage::Failed(failure.clone()),
            };
            progress.advance(stage, this.parts.ambient.now());
            drop(place);
            published
        });
        Ok((digest, publishing))
    }

    async fn publish_to_its_end(
        &self,
        caller: &Caller,
        upload: Upload,
        progress: &mut Progress,
    ) -> Result<Published, Failure> {
        let digest = upload.digest;
        let slot = self.slot("a component").await?;
        let file = upload.bytes.clone();
        let published = match blocking(move || inspect(&file)).await? {
            Ok(inspection) => self.add(caller, upload, inspection, progress).await,
            Err(error) => Err(error.into()),
        };
        if published.is_err() && !self.is_listed(&caller.tenant, &digest).await {
            self.parts.runtime.forget(&digest).await;
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
        let at = self.parts.ambient.now();
        let record = AuditRecord::new(caller.tenant.clone(), at, &caller.principal, act);
        let written = slot.write_now(record);
        // Of what was refused nothing is there that its record would have to precede.
        if published.is_ok()
            && let Err(error) = written.done().await
        {
            // The writer lives as long as this holds the audit.
            tracing::error!(%error, "the record of a component was not written");
        }
        published
    }

    /// True when a tool of the tenant is of these bytes: what is compiled of them is in use.
    async fn is_listed(&self, tenant: &Tenant, digest: &Digest) -> bool {
        let entries = self.parts.registry.list(tenant).await.unwrap_or_default();
        entries
            .iter()
            .any(|entry| entry.identity().digest == *digest)
    }

    async fn add(
        &self,
        caller: &Caller,
        upload: Upload,
        inspection: Inspection,
        progress: &mut Progress,
    ) -> Result<Published, Failure> {
        progress.advance(Stage::Compiling, self.parts.ambient.now());
        let (manifest, skipped) = self.manifest(&upload, &inspection).await?;
        let Upload { digest, bytes, .. } = upload;
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
        progress.advance(Stage::Registering, at);
        let publication = Publication {
            manifest,
            contract: match inspection.kind {
                Kind::Sdk => Contract::Declared,
                Kind::Plain => Contract::Derived,
            },
            imports: published.imports.clone(),
            digest,
            bytes: &bytes,
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
        upload: &Upload,
        inspection: &Inspection,
    ) -> Result<(Manifest, Vec<Skipped>), Failure> {
        let runtime = &self.parts.runtime;
        let Upload { labels, digest, .. } = upload;
        let (grant, source) = (Describe::new(*digest), Offered(upload.bytes.clone()));
        match inspection.kind {
            Kind::Sdk => {
                labels.check_sdk()?;
                let report = runtime.describe(&grant, &source).await;
                let text = report
                    .answer
                    .map_err(|error| described(&error, error.clone().into()))?;
                Ok((manifest::parse(&text)?, Vec::new()))
            }
            Kind::Plain => {
                let interface = runtime.interface(&grant, &source).await?;
                let (draft, skipped) = plain::draft(labels, inspection, interface)?;
                Ok((manifest::check(draft)?, skipped))
            }
        }
    }
}

/// Reading a large file takes longer than a request thread may be held.
pub(crate) async fn blocking<T: Send + 'static>(
    reading: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(reading)
        .await
        .map_err(|error| broke_off(&error))
}

fn broke_off(error: &JoinError) -> Failure {
    tracing::error!(%error, "adding a component broke off");
    Failure::new(Code::Internal, "the host failed; its log says why")
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
