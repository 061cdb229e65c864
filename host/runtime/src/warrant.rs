//! What host functions ask before they do anything: the grant of the call, with a note of each
//! answer.

use std::sync::Arc;

use cofferdam_policy::{Capability, Grant};
use cofferdam_types::call::Denial;

use crate::meter::Meter;

/// The grant of one call and the meter that notes its uses and denials. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Warrant {
    grant: Arc<Grant>,
    meter: Arc<Meter>,
}

impl Warrant {
    pub(crate) fn new(grant: Arc<Grant>, meter: Arc<Meter>) -> Self {
        Self { grant, meter }
    }

    /// What the call may have of this use; noted either way.
    ///
    /// **Errors**: the denial. The guest is shown no more of it than that there is one.
    pub(crate) fn ask<C: Capability>(&self, ask: &C::Ask) -> Result<C::Caps, Denial> {
        match self.grant.decide::<C>(ask) {
            Ok(caps) => {
                self.meter
                    .uses(C::NAME, C::operation(ask), &C::resource(ask));
                Ok(caps)
            }
            Err(denial) => {
                self.meter.deny(denial.clone());
                Err(denial)
            }
        }
    }

    /// The grant itself, to see whether there is anything to ask for.
    pub(crate) fn grant(&self) -> &Grant {
        &self.grant
    }
}
