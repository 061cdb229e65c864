//! The wall on real directories.

mod model;
mod overlay;
mod quota;
mod race;
mod rights;
mod scratch;
mod walls;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use cofferdam_policy::capability::filesystem::{
    FileAsk, Files, Filesystem, MountName, Mounts, Quota, Right, Workspace,
};
use cofferdam_policy::{Capability, Layer, Located, Origin, Party, Slice};
use cofferdam_types::workspace::Access;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    AtEnd, Directory, Error, File, Gate, Leaves, Node, OpenHow, OpenMode, Refused, Scratch, View,
};

/// What no guest may ever read.
const CANARY: &str = "canary 7f3a";

/// Decides by entries of a policy, and remembers what it refused.
struct TestGate {
    files: Files,
    noted: Mutex<Vec<String>>,
    /// Rights that were taken back on a path meanwhile.
    taken: Mutex<Vec<(Right, &'static str)>>,
}

impl TestGate {
    fn is_taken(&self, ask: &FileAsk) -> bool {
        let taken = self.taken.lock().expect("no panic");
        let mut taken = taken.iter();
        taken.any(|(right, path)| *right == ask.right && *path == ask.path.as_str())
    }
}

impl Gate for TestGate {
    fn decide(&self, ask: &FileAsk) -> Result<Quota, Refused> {
        let decided = self.files.slice().decide(ask);
        if let Ok(allowed) = decided
            && !self.is_taken(ask)
        {
            Ok(allowed.caps)
        } else {
            let note = format!("{} {ask}", ask.right.as_str());
            self.noted.lock().expect("no panic").push(note);
            Err(Refused)
        }
    }

    fn allows(&self, ask: &FileAsk) -> bool {
        self.files.allows(ask) && !self.is_taken(ask)
    }

    fn leaves(&self, _: &MountName, path: &str, _: Right, _: Leaves) {
        let note = format!("leaves {path}");
        self.noted.lock().expect("no panic").push(note);
    }
}

/// Directories, a canary beside them, and a view of them under a policy.
struct World {
    temp: TempDir,
    gate: Arc<TestGate>,
    view: View,
}

fn located(entries: &Value, read: impl Fn(Value) -> Filesystem) -> Arc<[Located<Filesystem>]> {
    let entries = entries.as_array().expect("a list");
    let located = entries.iter().map(|entry| Located {
        value: read(entry.clone()),
        origin: Origin::builtin("test"),
    });
    located.collect()
}

impl World {
    /// All rights on `workspace` and on `other`.
    fn open() -> Self {
        let all = json!(["read", "write", "create", "delete", "list"]);
        Self::new(
            &json!([
                {"mount": "workspace", "rights": all},
                {"mount": "other", "rights": all},
            ]),
            &json!([]),
        )
    }

    fn new(allow: &Value, deny: &Value) -> Self {
        Self::over(tempfile::tempdir().expect("a directory"), allow, deny)
    }

    fn over(temp: TempDir, allow: &Value, deny: &Value) -> Self {
        for name in ["workspace", "workspace2", "other", "secret"] {
            fs::create_dir_all(temp.path().join(name)).expect("made");
            fs::write(temp.path().join(name).join("canary"), CANARY).expect("written");
        }
        fs::remove_file(temp.path().join("workspace/canary")).expect("removed");
        let entry = |entry| serde_json::from_value(entry).expect("an entry");
        let allows = located(allow, |it| Filesystem::allow(entry(it)).expect("an allow"));
        let denies = located(deny, |it| Filesystem::deny(entry(it)).expect("a deny"));
        let layer = Layer {
            party: Party::Policy,
            allows,
        };
        let mut mounts = Mounts::default();
        let other = json!({"path": temp.path().join("other"), "dangerous": true});
        let other = serde_json::from_value(other).expect("a mount");
        let name = "other".parse().expect("a name");
        mounts.define(&name, &other, &[]).expect("defined");
        let workspace = Workspace {
            path: temp.path().join("workspace"),
            access: Access::ReadWrite,
        };
        let slice = Slice::new(layer, denies);
        let files = Files::new(slice, Access::ReadWrite, Some(&workspace), &mounts);
        let gate = Arc::new(TestGate {
            files,
            noted: Mutex::default(),
            taken: Mutex::default(),
        });
        let scratch = Arc::new(Scratch::open(&temp.path().join("private")).expect("opened"));
        let shared: Arc<dyn Gate> = gate.clone();
        let view = View::open(&gate.files, &shared, Some(&scratch), "call").expect("opened");
        Self { temp, gate, view }
    }

    /// A directory of the host by its path inside this world.
    fn host(&self, path: &str) -> PathBuf {
        self.temp.path().join(path)
    }

    fn root(&self, name: &str) -> Directory {
        let name = format!("/{name}");
        let found = self.view.roots().find(|(_, path)| *path == name);
        found.expect("a mount").0
    }

    fn workspace(&self) -> Directory {
        self.root("workspace")
    }

    fn noted(&self) -> Vec<String> {
        std::mem::take(&mut self.gate.noted.lock().expect("no panic"))
    }

    /// Nothing outside of what is granted has changed.
    fn check_untouched(&self) {
        for name in ["workspace2", "secret"] {
            let directory = self.host(name);
            let text = fs::read_to_string(directory.join("canary")).expect("there");
            assert_eq!(text, CANARY);
            assert_eq!(fs::read_dir(directory).expect("there").count(), 1);
        }
    }
}

const READ: OpenHow = OpenHow {
    at_end: AtEnd::Target,
    create: false,
    exclusive: false,
    directory: false,
    truncate: false,
    mode: OpenMode {
        read: true,
        write: false,
    },
};
const WRITE: OpenHow = OpenHow {
    mode: OpenMode {
        read: false,
        write: true,
    },
    ..READ
};
/// As `File::create` of a guest.
const REPLACE: OpenHow = OpenHow {
    create: true,
    truncate: true,
    ..WRITE
};

fn file(node: Node) -> File {
    match node {
        Node::File(file) => file,
        Node::Directory(_) => panic!("a directory"),
    }
}

fn directory(node: Node) -> Directory {
    match node {
        Node::Directory(directory) => directory,
        Node::File(_) => panic!("a file"),
    }
}

/// What a guest reads at a path.
fn read(from: &Directory, path: &str) -> Result<String, Error> {
    match from.open(path, READ)? {
        Node::Directory(_) => Err(Error::IsDirectory),
        Node::File(file) => {
            let bytes = file.read(1 << 20, 0)?;
            Ok(String::from_utf8(bytes).expect("text"))
        }
    }
}

/// Puts a text where a guest says.
fn write(from: &Directory, path: &str, text: &str) -> Result<(), Error> {
    let file = file(from.open(path, REPLACE)?);
    assert_eq!(file.write(text.as_bytes(), 0)?, text.len());
    Ok(())
}

fn list(of: &Directory) -> Result<Vec<String>, Error> {
    let mut listing = of.list()?;
    let mut names = Vec::new();
    while let Some(entry) = listing.next()? {
        names.push(entry.name?);
    }
    names.sort();
    Ok(names)
}

/// Every path below a directory of the host, in order.
fn tree(of: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![of.to_owned()];
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(next).expect("there") {
            let path = entry.expect("read").path();
            found.push(path.strip_prefix(of).expect("below").display().to_string());
            if path.is_dir() && !path.is_symlink() {
                pending.push(path);
            }
        }
    }
    found.sort();
    found
}
