//! An independent model of what a path means, by another algorithm: the text is rewritten, link by
//! link, in a tree that is only data, until no link is left. The resolver walks open directories.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::resolve::{self, Fault, Links};

/// Trees, and paths in each.
const TREES: usize = 25;
const PATHS: usize = 400;

#[derive(Debug, Clone)]
enum Thing {
    Directory,
    File,
    Link(String),
}

type Tree = BTreeMap<String, Thing>;

/// Where a path leads, or why nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    At(String),
    Out,
    Missing,
    NotDirectory,
    Loop,
}

/// Rewrites the text until it has no link.
fn model(tree: &Tree, text: &str, at_end: AtEnd) -> Outcome {
    let mut text = text.to_owned();
    'rewritten: for _ in 0..=40 {
        let parts: Vec<&str> = text
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        let mut done = String::new();
        for (index, part) in parts.iter().enumerate() {
            let is_last = index + 1 == parts.len();
            if *part == ".." {
                if done.is_empty() {
                    return Outcome::Out;
                }
                done.truncate(done.rfind('/').unwrap_or(0));
                continue;
            }
            let here = if done.is_empty() {
                (*part).to_owned()
            } else {
                format!("{done}/{part}")
            };
            match tree.get(&here) {
                Some(Thing::Directory) => {}
                None | Some(Thing::File) if is_last => {}
                Some(Thing::Link(_)) if is_last && at_end == AtEnd::Link => {}
                None => return Outcome::Missing,
                Some(Thing::File) => return Outcome::NotDirectory,
                Some(Thing::Link(target)) if target.starts_with('/') => return Outcome::Out,
                Some(Thing::Link(target)) => {
                    let rest = parts[index + 1..].join("/");
                    text = format!("{done}/{target}/{rest}");
                    continue 'rewritten;
                }
            }
            done = here;
        }
        return Outcome::At(done);
    }
    Outcome::Loop
}

fn resolved(base: &Arc<OwnedFd>, text: &str, at_end: AtEnd) -> Outcome {
    let links = Links {
        at_end,
        may_follow: &|| true,
    };
    match resolve::resolve(base, text, links) {
        Ok(place) => Outcome::At(place.names.join("/")),
        Err(Fault::Leaves(_)) => Outcome::Out,
        Err(Fault::Error(Error::NoEntry)) => Outcome::Missing,
        Err(Fault::Error(Error::NotDirectory)) => Outcome::NotDirectory,
        Err(Fault::Error(Error::Loop)) => Outcome::Loop,
        Err(Fault::Error(error)) => panic!("{text}: {error}"),
    }
}

fn path() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec!["a", "b", "c", "..", ".", "", "l", "m"]);
    prop::collection::vec(part, 1..9).prop_map(|parts| parts.join("/"))
}

fn target() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec!["a", "b", "..", ".", "l", "m", "/"]);
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"))
}

/// Links that name things of this tree, and directories and files with the names that paths have.
fn tree_plan() -> impl Strategy<Value = Vec<(String, u8, String)>> {
    let name = prop::sample::select(vec!["a", "b", "c", "l", "m"]);
    let path = prop::collection::vec(name, 1..4).prop_map(|parts| parts.join("/"));
    prop::collection::vec((path, any::<u8>(), target()), 8..30)
}

/// Makes the tree on the disk; what doesn't fit where it should go is left out.
fn build(root: &Path, plan: &[(String, u8, String)]) -> Tree {
    let mut tree = Tree::new();
    for (path, kind, target) in plan {
        let parent_fits = match path.rsplit_once('/') {
            None => true,
            Some((parent, _)) => matches!(tree.get(parent), Some(Thing::Directory)),
        };
        if tree.contains_key(path) || !parent_fits {
            continue;
        }
        let place = root.join(path);
        let thing = match kind % 4 {
            0 | 1 => {
                fs::create_dir(place).expect("made");
                Thing::Directory
            }
            2 => {
                fs::write(place, "").expect("written");
                Thing::File
            }
            _ => {
                symlink(target, place).expect("linked");
                Thing::Link(target.clone())
            }
        };
        tree.insert(path.clone(), thing);
    }
    tree
}

/// Compares `subject` with the model; gives how many paths both led somewhere, and the first on
/// which they disagree.
fn compare(
    subject: impl Fn(&Arc<OwnedFd>, &Tree, &str, AtEnd) -> Outcome,
) -> (usize, Option<String>) {
    let mut runner = TestRunner::deterministic();
    let mut led = 0;
    for _ in 0..TREES {
        let world = World::open();
        let plan = tree_plan().new_tree(&mut runner).expect("a plan").current();
        let tree = build(&world.host("workspace"), &plan);
        let base = world.workspace().fd.expect("a directory");
        for n in 0..PATHS {
            let text = path().new_tree(&mut runner).expect("a path").current();
            if resolve::check(&text).is_err() {
                continue;
            }
            let at_end = if n % 2 == 0 {
                AtEnd::Target
            } else {
                AtEnd::Link
            };
            let (is, should) = (
                subject(&base, &tree, &text, at_end),
                model(&tree, &text, at_end),
            );
            if is != should {
                let found = format!("{text:?} {at_end:?} in {tree:?}: {is:?}, not {should:?}");
                return (led, Some(found));
            }
            led += usize::from(matches!(is, Outcome::At(_)));
        }
    }
    (led, None)
}

#[test]
fn the_resolver_agrees_with_the_model() {
    let (led, disagreed) = compare(|base, _, text, at_end| resolved(base, text, at_end));
    assert_eq!(disagreed, None);
    assert!(led > 1_000, "only {led} paths led anywhere");
}

#[test]
fn a_kernel_without_openat2_leads_to_the_same_places() {
    let world = World::open();
    let workspace = world.workspace();
    for path in ["a", "a/b", "a/b/c"] {
        workspace.create_directory(path).expect("made");
    }
    workspace.symlink("a", "l").expect("made");
    write(&workspace, "file", "").expect("written");
    let base = workspace.fd.clone().expect("a directory");
    let both = |names: &[&str]| {
        let inode = |fd: Result<Arc<OwnedFd>, rustix::io::Errno>| {
            fd.map(|fd| rustix::fs::fstat(&*fd).expect("there").st_ino)
        };
        (
            inode(resolve::descend(&base, names)),
            inode(resolve::by_name(&base, names)),
        )
    };
    for names in [
        &["a"][..],
        &["a", "b", "c"],
        &["l"],
        &["l", "b"],
        &["a", "x"],
        &["file", "x"],
        &["file"],
    ] {
        let (fast, slow) = both(names);
        assert_eq!(fast, slow, "{names:?}");
    }
}

/// Each takes one short cut that looks harmless.
#[test]
fn wrong_resolvers_are_caught() {
    // `..` taken out of the text before links are looked at.
    let (_, caught) = compare(|base, _, text, at_end| {
        use cofferdam_policy::capability::filesystem::MountPath;
        match MountPath::root().joined(text) {
            Ok(path) if path.as_str().is_empty() => Outcome::At(String::new()),
            Ok(path) => resolved(base, path.as_str(), at_end),
            Err(_) => Outcome::Out,
        }
    });
    assert!(caught.is_some(), "`..` in the text");
    // A link's target that is not counted against the directory it is in.
    let (_, caught) = compare(|_, tree, text, at_end| {
        let flat = tree
            .iter()
            .map(|(path, thing)| {
                let thing = match thing {
                    Thing::Link(target) => Thing::Link(target.replace("../", "")),
                    other => other.clone(),
                };
                (path.clone(), thing)
            })
            .collect();
        model(&flat, text, at_end)
    });
    assert!(caught.is_some(), "targets that climb");
    // A climb that stops at the root instead of being refused.
    let (_, caught) = compare(|base, _, text, at_end| {
        let text = text.trim_start_matches("../");
        match resolve::check(text) {
            Ok(()) => resolved(base, text, at_end),
            Err(_) => Outcome::At(String::new()),
        }
    });
    assert!(caught.is_some(), "a climb that stops");
}
