//! How the host is.

use std::collections::BTreeMap;

use cofferdam_types::Timestamp;
use serde::{Deserialize, Serialize};

/// How one part of the host is. Ordered from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Works.
    Healthy,
    /// Works, but not as it should.
    Degraded,
    /// Doesn't work.
    Unhealthy,
}

/// How the host is.
///
/// **Shape**: `{"status": "healthy", "components": {"store": "healthy"}, "timestamp": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthView {
    /// The worst of the components.
    pub status: Health,
    /// Each part by name.
    pub components: BTreeMap<String, Health>,
    /// When it was asked.
    pub timestamp: Timestamp,
}

impl HealthView {
    /// The host is as its worst part is; a host without parts is healthy.
    pub fn of(components: BTreeMap<String, Health>, timestamp: Timestamp) -> Self {
        let worst = components.values().copied().max();
        Self {
            status: worst.unwrap_or(Health::Healthy),
            components,
            timestamp,
        }
    }
}
