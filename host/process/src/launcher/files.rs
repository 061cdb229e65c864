//! Files: a program reaches its own, the system's libraries, what the policy lists and the mounts.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use rustix::fs::{FileType, fstat};

use crate::message::Spec;

/// What any program needs to start: the system's libraries and their cache. Nothing of it can be
/// executed as a program, and what a machine lacks is passed over.
const LIBRARIES: [&str; 9] = [
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/localtime",
];
/// Those of the libraries that the kernel itself executes: it starts programs through them.
const LOADERS: [&str; 5] = [
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/ld-musl-x86_64.so.1",
    "/lib/ld-musl-aarch64.so.1",
    "/lib/ld-linux-armhf.so.3",
];
/// Devices that hold nothing.
const SOURCES: [&str; 3] = ["/dev/zero", "/dev/random", "/dev/urandom"];
const SINK: &str = "/dev/null";
/// The first version that also guards the truncation of files; without it, any file of the user's
/// could be emptied.
const WHOLE: ABI = ABI::V3;
/// The newest that this program knows the rights of.
const NEWEST: ABI = ABI::V6;

/// What the kernel took.
pub(super) struct Files {
    /// True when no file but those that are meant can be reached.
    pub(super) is_whole: bool,
    /// True when only processes of the same confinement can be signalled.
    pub(super) holds_signals: bool,
}

/// Confines this process and all that it starts, as far as the kernel can.
pub(super) fn confine(spec: &Spec, program: &OwnedFd, mounts: &[OwnedFd]) -> Files {
    Files {
        is_whole: matches!(restrict_files(spec, program, mounts), Ok(true)),
        // A second ruleset: that a kernel can't do this takes nothing from the first.
        holds_signals: matches!(restrict_signals(), Ok(true)),
    }
}

fn restrict_files(
    spec: &Spec,
    program: &OwnedFd,
    mounts: &[OwnedFd],
) -> Result<bool, RulesetError> {
    let everything = AccessFs::from_all(NEWEST);
    let read: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    let run = read | AccessFs::Execute;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(WHOLE))?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(everything)?
        .create()?;
    // Files that lie in no directory are outside of what rules are about: they can be executed.
    if !spec.pinned {
        rules = beneath(rules, program, run)?;
    }
    let listed = |paths: &[String]| paths.iter().map(String::clone).collect::<Vec<_>>();
    let known = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
    let device = AccessFs::ReadFile | AccessFs::WriteFile;
    let paths: [(Vec<String>, BitFlags<AccessFs>); 6] = [
        (known(&LIBRARIES), read),
        (known(&LOADERS), run),
        (known(&SOURCES), read),
        (vec![SINK.to_owned()], device),
        (listed(&spec.read), read),
        (listed(&spec.execute), run),
    ];
    for (paths, access) in paths {
        for path in paths {
            // A path that doesn't exist gives nothing.
            if let Ok(fd) = PathFd::new(Path::new(&path)) {
                rules = beneath(rules, fd, access)?;
            }
        }
    }
    for (mount, writable) in mounts.iter().zip(&spec.writable) {
        let access = if *writable {
            everything & !run | read
        } else {
            read
        };
        rules = beneath(rules, mount, access)?;
    }
    let status = rules.restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// Keeps this process and all that it starts from signalling anything but those. False where the
/// kernel can't.
pub(super) fn confine_signals() -> bool {
    matches!(restrict_signals(), Ok(true))
}

fn restrict_signals() -> Result<bool, RulesetError> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .scope(Scope::Signal)?
        .scope(Scope::AbstractUnixSocket)?
        .create()?
        .restrict_self()?;
    Ok(status.ruleset == RulesetStatus::FullyEnforced)
}

/// Adds a rule; a file takes only those rights that files have.
fn beneath(
    rules: RulesetCreated,
    fd: impl AsFd,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let is_directory =
        fstat(&fd).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
    let access = if is_directory {
        access
    } else {
        access & AccessFs::from_file(NEWEST)
    };
    rules.add_rule(PathBeneath::new(fd, access))
}
