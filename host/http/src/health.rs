use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use cofferdam_wire::health::{Health, HealthView};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};

use crate::answer::Answer;
use crate::services::Services;

/// A part that doesn't say how it is within this time is not well: whoever asks for health, a load
/// balancer as a rule, waits for about as long.
const LOOK_TIME: Duration = Duration::from_secs(1);

/// Looks at one part of the host.
pub struct Check {
    name: &'static str,
    look: Box<dyn Fn() -> BoxFuture<'static, Health> + Send + Sync>,
}

impl Check {
    /// `look` is asked for every health request: it must be cheap.
    pub fn new<F>(name: &'static str, look: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Health> + Send + 'static,
    {
        Self {
            name,
            look: Box::new(move || look().boxed()),
        }
    }

    async fn ask(&self) -> (String, Health) {
        let health = tokio::time::timeout(LOOK_TIME, (self.look)()).await;
        (self.name.to_owned(), health.unwrap_or(Health::Unhealthy))
    }
}

/// How the host is; needs no key, and says no more than the names of the parts.
pub(crate) async fn show(State(services): State<Arc<Services>>) -> Answer<HealthView> {
    let looks = join_all(services.checks.iter().map(Check::ask)).await;
    let components: BTreeMap<_, _> = looks.into_iter().collect();
    let view = HealthView::of(components, services.ambient.now());
    let status = match view.status {
        Health::Healthy | Health::Degraded => StatusCode::OK,
        Health::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    };
    Answer::with_status(status, view)
}
