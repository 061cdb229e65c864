//! A run's log as it is read.

use cofferdam_types::RunId;
use cofferdam_types::run::Event;
use serde::{Deserialize, Serialize};

/// One entry of a run's log.
///
/// **Shape**: `{"run_id", "seq", "at", "type", "data"}`. As a server-sent event, `type` is the
/// event's name and `<run_id>:<seq>` its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventView {
    /// Whose log.
    pub run_id: RunId,
    /// The entry.
    #[serde(flatten)]
    pub event: Event,
}
