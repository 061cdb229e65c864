use cofferdam_policy::capability::filesystem::{FileAsk, MountName, Quota, Right};

/// A use that the gate refused and noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused;

/// Why a path was refused before anyone asked what is granted on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    /// It starts at the root.
    Absolute,
    /// It goes above the directory it starts from.
    Above,
    /// It goes through a link whose target does so.
    ThroughLink,
    /// It goes through a link where only a part of the mount is granted.
    LinkInPart,
}

impl Leaves {
    /// Why, for whoever reads the denial.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absolute => "the path is absolute, and paths start at a directory that is open",
            Self::Above => "the path goes above the directory it starts from",
            Self::ThroughLink => "the path goes through a link that leads out of the mount",
            Self::LinkInPart => {
                "the path goes through a link, and only a part of the mount is granted"
            }
        }
    }
}

/// Decides about the uses of one call. Asked at each, from whatever thread does the work.
pub trait Gate: Send + Sync {
    /// Decides, and notes a refusal. Gives how much may be changed there.
    fn decide(&self, ask: &FileAsk) -> Result<Quota, Refused>;

    /// Whether it is allowed, without noting anything.
    fn allows(&self, ask: &FileAsk) -> bool;

    /// Notes that `path`, as the guest spelt it, was refused.
    fn leaves(&self, mount: &MountName, path: &str, right: Right, why: Leaves);
}
