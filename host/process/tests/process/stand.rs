//! What the tests start, and where.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cofferdam_policy::capability::subprocess::{MountAccess, Program, ProgramEntry};
use cofferdam_process::{Ended, Error, Finished, Launcher, Mount, Opened, Order};
use serde_json::json;

/// A program in a workspace of its own.
pub(crate) struct Stand {
    pub(crate) workspace: tempfile::TempDir,
    pub(crate) program: Program,
    pub(crate) access: MountAccess,
    pub(crate) time: Duration,
}

/// A file beside the test, as `cargo test` builds it.
pub(crate) fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("a path");
    path.pop();
    path.pop();
    path.join("examples").join(name)
}

pub(crate) fn launcher() -> Launcher {
    Launcher {
        program: example("launcher"),
        argument: "__confine".to_owned(),
    }
}

pub(crate) fn program(path: &Path, more: serde_json::Value) -> Program {
    let mut entry = json!({ "path": path });
    let (Some(entry_map), serde_json::Value::Object(more)) = (entry.as_object_mut(), more) else {
        panic!("an object");
    };
    entry_map.extend(more);
    let entry: ProgramEntry = serde_json::from_value(entry).expect("an entry");
    Program::new(entry).expect("a program")
}

impl Stand {
    /// The probe, with what else its entry says.
    pub(crate) fn probe(more: serde_json::Value) -> Self {
        Self::of(program(&example("probe"), more))
    }

    /// A shell that may start the system's programs.
    pub(crate) fn shell(more: serde_json::Value) -> Self {
        let mut entry =
            json!({"execute": ["/bin", "/usr/bin"], "environment": {"PATH": "/usr/bin:/bin"}});
        if let (Some(entry), serde_json::Value::Object(more)) = (entry.as_object_mut(), more) {
            entry.extend(more);
        }
        Self::of(program(Path::new("/bin/sh"), entry))
    }

    pub(crate) fn of(program: Program) -> Self {
        Self {
            workspace: tempfile::tempdir().expect("a directory"),
            program,
            access: MountAccess::Write,
            time: Duration::from_mins(1),
        }
    }

    pub(crate) fn directory(&self) -> OwnedFd {
        File::open(self.workspace.path())
            .expect("a directory")
            .into()
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<Finished, Error> {
        self.run_with(arguments, b"").await
    }

    pub(crate) async fn run_with(
        &self,
        arguments: &[&str],
        stdin: &[u8],
    ) -> Result<Finished, Error> {
        let order = Order {
            program: &self.program,
            opened: Opened::new(&self.program)?,
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            stdin: stdin.to_owned(),
            directory: self.directory(),
            mounts: vec![Mount {
                directory: self.directory(),
                access: self.access,
            }],
            limits: self.program.limits(),
            time: self.time,
        };
        launcher().run(order).await
    }

    /// What it says on stdout when all goes well.
    pub(crate) async fn says(&self, arguments: &[&str]) -> String {
        let finished = self.run(arguments).await.expect("an end");
        assert_eq!(
            finished.ended,
            Ended::Exited(0),
            "{}",
            String::from_utf8_lossy(&finished.stderr.bytes)
        );
        String::from_utf8(finished.stdout.bytes).expect("text")
    }
}

/// A word that no other run of these tests uses.
pub(crate) fn word(name: &str) -> String {
    format!("cofferdam-{name}-{}", std::process::id())
}

/// The processes of the machine that carry this word in their command line.
pub(crate) fn alive(word: &str) -> Vec<String> {
    let own = std::process::id().to_string();
    let entries = std::fs::read_dir("/proc").expect("processes").flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy() != own)
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .filter(|line| line.contains(word))
        .collect()
}
