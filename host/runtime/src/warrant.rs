//! What host functions ask before they do anything: the grant of the call, with a note of each
//! answer.

use std::sync::Arc;

use cofferdam_policy::capability::network::{self, Network};
use cofferdam_policy::capability::sockets::{self, Sockets};
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

    /// As [`Self::ask`], but what is refused is for the asker to note.
    pub(crate) fn permits<C: Capability>(&self, ask: &C::Ask) -> Result<C::Caps, Denial> {
        let caps = self.grant.decide::<C>(ask)?;
        self.meter
            .uses(C::NAME, C::operation(ask), &C::resource(ask));
        Ok(caps)
    }

    /// Whether the call may, for a choice of the host's own; nothing is noted.
    pub(crate) fn allows<C: Capability>(&self, ask: &C::Ask) -> bool {
        self.grant.decide::<C>(ask).is_ok()
    }

    /// Notes a refusal that the grant did not make.
    pub(crate) fn refused(&self, denial: Denial) {
        self.meter.deny(denial);
    }

    /// The grant itself, to see whether there is anything to ask for.
    pub(crate) fn grant(&self) -> &Grant {
        &self.grant
    }

    /// The grant, for what outlives the guest's turn.
    pub(crate) fn shared(&self) -> Arc<Grant> {
        self.grant.clone()
    }
}

impl cofferdam_egress::Warrant for Warrant {
    fn network(&self, ask: &network::Ask) -> Result<network::Caps, Denial> {
        self.grant.decide::<Network>(ask)
    }

    fn sockets(&self, ask: &sockets::Ask) -> Result<sockets::Caps, Denial> {
        self.grant.decide::<Sockets>(ask)
    }

    fn sends(&self, ask: &network::Ask) {
        let (operation, resource) = (Network::operation(ask), Network::resource(ask));
        self.meter.uses(Network::NAME, operation, &resource);
    }

    fn opens(&self, ask: &sockets::Ask) {
        let (operation, resource) = (Sockets::operation(ask), Sockets::resource(ask));
        self.meter.uses(Sockets::NAME, operation, &resource);
    }

    fn refuses(&self, denial: &Denial) {
        self.meter.deny(denial.clone());
    }
}
