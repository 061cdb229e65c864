//! What text must and must not hold.

use proc_macro2::{TokenStream, TokenTree};

use super::Source;
use super::sizes::Measure;
use crate::graph::Graph;

/// Work left undone belongs into an issue.
const UNFINISHED: [&str; 3] = ["TODO", "FIXME", "todo!("];
/// A test that does not run says nothing.
const IGNORED: &str = "#[ignore";
/// First folders of paths that exist on one machine only.
const MACHINE: [&str; 5] = ["work", "root", "tmp", "home", "Users"];

/// Faults in the text of each file.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    sources.iter().flat_map(check_one).collect()
}

fn check_one(source: &Source) -> Vec<String> {
    let path = &source.path;
    let mut faults = Vec::new();
    if !source.text.ends_with('\n') && !source.text.is_empty() {
        faults.push(format!("{path}: the last line has no end"));
    }
    if path.ends_with("Cargo.toml") {
        faults.extend(unsorted(source));
    }
    if !source.is_rust() {
        return faults;
    }
    let measure = Measure::of(source).ok();
    let code = without_literals(&source.text);
    for (line, (text, code)) in (1..).zip(source.text.lines().zip(code.lines())) {
        if UNFINISHED.iter().any(|mark| code.contains(mark)) {
            faults.push(format!("{path}:{line}: unfinished work"));
        }
        if code.contains(IGNORED) {
            faults.push(format!("{path}:{line}: a test that does not run"));
        }
        let is_test = source.is_test() || measure.as_ref().is_some_and(|it| it.is_test(line));
        let literal = |folder: &&&str| text.contains(&format!("\"/{folder}/"));
        if !is_test && let Some(folder) = MACHINE.iter().find(literal) {
            faults.push(format!(
                "{path}:{line}: a path below /{folder} is one machine's"
            ));
        }
    }
    faults
}

/// The text with blanks in place of literals: a tool's example may well search for unfinished work.
fn without_literals(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut pending: Vec<TokenTree> = text.parse::<TokenStream>().into_iter().flatten().collect();
    while let Some(token) = pending.pop() {
        match token {
            TokenTree::Group(group) => pending.extend(group.stream()),
            TokenTree::Literal(literal) => {
                let range = literal.span().byte_range();
                // A doc comment arrives as a literal too; it is prose, and stays.
                if !text[range.clone()].starts_with('/') {
                    bytes[range]
                        .iter_mut()
                        .filter(|byte| **byte != b'\n')
                        .for_each(|byte| *byte = b' ');
                }
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => {}
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Dependencies out of order within their group; a blank line or a comment begins a new group.
fn unsorted(source: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    let mut is_list = false;
    let mut last = "";
    for (line, text) in (1..).zip(source.text.lines()) {
        if text.starts_with('[') {
            is_list = text.ends_with("dependencies]");
            last = "";
        } else if text.is_empty() || text.starts_with('#') {
            last = "";
        } else if is_list && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            let end = text.find(['.', ' ', '=']).unwrap_or(text.len());
            let name = &text[..end];
            if name < last {
                faults.push(format!(
                    "{}:{line}: `{name}` stands after `{last}`",
                    source.path
                ));
            }
            last = name;
        }
    }
    faults
}

/// Crates whose root does not begin with what the crate is for.
pub(super) fn undocumented(graph: &Graph, sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for package in &graph.packages {
        let is_root =
            |kind: &String| kind.ends_with("lib") || kind == "bin" || kind == "proc-macro";
        let root = package
            .targets
            .iter()
            .find(|target| target.kind.iter().any(is_root));
        let path = root.and_then(|root| root.src_path.strip_prefix(&graph.workspace_root).ok());
        let Some(path) = path.map(|path| path.to_string_lossy().replace('\\', "/")) else {
            faults.push(format!("{}: no root file", package.name));
            continue;
        };
        let source = sources.iter().find(|source| source.path == path);
        if !source.is_some_and(|source| source.text.starts_with("//! ")) {
            faults.push(format!(
                "{path}: a crate begins with `//!` and what it owns"
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> Vec<String> {
        check(&[Source {
            path: path.to_owned(),
            text: text.to_owned(),
        }])
    }

    fn check_rust(path: &str, text: &str, fault: Option<&str>) {
        let expected = fault.map(|fault| format!("{path}:{fault}"));
        assert_eq!(faults(path, text), Vec::from_iter(expected), "{text}");
    }

    #[test]
    fn each_rule_finds_its_fault() {
        let code = "host/a/src/a.rs";
        check_rust(code, "fn a() {}\n", None);
        check_rust(code, "fn a() {}", Some(" the last line has no end"));
        check_rust("docs/a.md", "# A", Some(" the last line has no end"));
        check_rust(
            code,
            "fn a() {}\n\nfn b() {} // TODO later\n",
            Some("3: unfinished work"),
        );
        check_rust(
            code,
            "/// FIXME: wrong.\nfn a() {}\n",
            Some("1: unfinished work"),
        );
        check_rust(
            code,
            "fn a() {\n    todo!()\n}\n",
            Some("2: unfinished work"),
        );
        let quoted = "const A: &str = \"ü // TODO\n FIXME #[ignore]\";\nfn b() {}\n";
        check_rust(code, quoted, None);
        let ignored = "#[test]\n#[ignore = \"slow\"]\nfn a() {}\n";
        check_rust("tests/a.rs", ignored, Some("2: a test that does not run"));
        let machine = "const A: &str = \"/tmp/x\";\n";
        check_rust(code, machine, Some("1: a path below /tmp is one machine's"));
        check_rust("tests/a.rs", machine, None);
        check_rust(
            code,
            &format!("#[cfg(test)]\nmod tests {{\n{machine}}}\n"),
            None,
        );
    }

    #[test]
    fn dependencies_are_sorted_within_their_group() {
        let good = "[dependencies]\n# One.\nb = \"1\"\nc.workspace = true\n\n# Two.\na = \"1\"\n[features]\nz = []\na = []\n";
        assert_eq!(faults("Cargo.toml", good), [""; 0]);
        let bad = "[workspace.dependencies]\nserde_json = \"1\"\nserde = { version = \"1\" }\n";
        assert_eq!(
            faults("Cargo.toml", bad),
            ["Cargo.toml:3: `serde` stands after `serde_json`"]
        );
    }
}
