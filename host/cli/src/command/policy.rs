//! Policies: what a file says, and what is in force on a host.

mod check;
mod diff;
mod explain;
mod file;
mod learn;
mod reload;
mod schema;
mod shadow;
mod snapshot;
mod test;

use clap::Subcommand;

use crate::context::Context;
use crate::error::{Exit, Result};

/// What can be done with policies.
#[derive(Subcommand)]
pub(crate) enum Policy {
    Check(check::Check),
    Diff(diff::Diff),
    Test(test::Test),
    /// Print the JSON Schema of policy files, by which editors complete and check them
    Schema,
    Explain(Box<explain::Explain>),
    Learn(learn::Learn),
    Shadow(shadow::Shadow),
    /// Show the policy in force on a host, each value with where it comes from
    ///
    /// Nothing secret is in it: values of environment variables are left out.
    Snapshot,
    /// Have a host read its policy file now
    ///
    /// A host sees a changed file by itself; this waits for it, and says what is wrong. A file that is
    /// wrong in any place changes nothing.
    Reload,
}

impl Policy {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        match self {
            Self::Check(check) => check.run(context),
            Self::Diff(diff) => diff.run(context),
            Self::Test(test) => test.run(context),
            Self::Explain(explain) => explain.run(context).await,
            Self::Learn(learn) => learn.run(context).await,
            Self::Shadow(shadow) => shadow.run(context).await,
            Self::Snapshot => snapshot::show(context).await,
            Self::Reload => reload::run(context).await,
            Self::Schema => schema::print(context),
        }
    }
}
