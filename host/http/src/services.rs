use std::sync::Arc;

use cofferdam_access::Access;
use cofferdam_engine::Engine;
use cofferdam_toolbox::Toolbox;
use cofferdam_types::Ambient;

use crate::health::Check;

/// What the handlers work with.
pub struct Services {
    /// Who calls.
    pub access: Arc<Access>,
    /// Which tools there are, and the one door to run them.
    pub toolbox: Toolbox,
    /// Tasks and runs.
    pub engine: Engine,
    /// Times and ids.
    pub ambient: Arc<dyn Ambient>,
    /// What the health route looks at.
    pub checks: Vec<Check>,
}
