use cofferdam_types::caller::{Caller, Role};

use crate::Error;

/// A kind of act at a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// List and show tools.
    ReadTools,
    /// List and show tasks, runs and their logs.
    ReadTasks,
    /// Call a tool.
    CallTools,
    /// Create and cancel tasks.
    ManageTasks,
    /// Start and cancel runs.
    RunTasks,
    /// Add components to the registry.
    Publish,
    /// Read the policy: what is in force, why, and what would allow more.
    ReadPolicy,
    /// Read the policy anew from its file.
    ManagePolicy,
    /// Read the audit.
    ReadAudit,
    /// Set, list and remove secrets; never read a value.
    ManageSecrets,
}

impl Permission {
    /// Every permission, in the order of the roles that first have them.
    pub const ALL: [Self; 10] = [
        Self::ReadTools,
        Self::ReadTasks,
        Self::CallTools,
        Self::ManageTasks,
        Self::RunTasks,
        Self::Publish,
        Self::ReadPolicy,
        Self::ManagePolicy,
        Self::ReadAudit,
        Self::ManageSecrets,
    ];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadTools => "read_tools",
            Self::ReadTasks => "read_tasks",
            Self::CallTools => "call_tools",
            Self::ManageTasks => "manage_tasks",
            Self::RunTasks => "run_tasks",
            Self::Publish => "publish",
            Self::ReadPolicy => "read_policy",
            Self::ManagePolicy => "manage_policy",
            Self::ReadAudit => "read_audit",
            Self::ManageSecrets => "manage_secrets",
        }
    }

    /// The lowest role that may; every role above may too.
    pub fn least_role(self) -> Role {
        match self {
            Self::ReadTools | Self::ReadTasks => Role::Viewer,
            Self::CallTools | Self::ManageTasks | Self::RunTasks => Role::User,
            Self::Publish
            | Self::ReadPolicy
            | Self::ManagePolicy
            | Self::ReadAudit
            | Self::ManageSecrets => Role::Admin,
        }
    }

    /// Whether this role may.
    pub fn allows(self, role: Role) -> bool {
        role >= self.least_role()
    }
}

/// Lets the caller do it, or says what is missing.
///
/// **Errors**: [`Error::Forbidden`].
pub fn require(caller: &Caller, permission: Permission) -> Result<(), Error> {
    if permission.allows(caller.role) {
        Ok(())
    } else {
        Err(Error::Forbidden(permission))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_do_what() {
        use Permission::{CallTools, ManageTasks, ReadTasks, ReadTools, RunTasks};
        let viewer = [ReadTools, ReadTasks].as_slice();
        let user = &[ReadTools, ReadTasks, CallTools, ManageTasks, RunTasks];
        for (role, allowed) in [
            (Role::Viewer, viewer),
            (Role::User, user),
            (Role::Author, user),
            (Role::Admin, &Permission::ALL),
        ] {
            for permission in Permission::ALL {
                assert_eq!(
                    permission.allows(role),
                    allowed.contains(&permission),
                    "{role:?} {permission:?}"
                );
            }
        }
    }
}
