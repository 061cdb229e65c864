//! `policy learn` on the tools that are shipped: what it prints is enough for their own tests, and
//! nothing of it could go.

use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, Result, ensure};
use cofferdam_testing::tool;

use crate::reader::{Reader, said};
use crate::server::{HOST, Page, serve};

/// A shipped tool's component and its cases, with a server of this machine in the place of the host
/// that they name.
struct Shipped {
    reader: Reader,
    component: PathBuf,
    cases: PathBuf,
}

impl Shipped {
    fn new(name: &str, address: &str) -> Result<Self> {
        let reader = Reader::new()?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../tools")
            .join(name);
        let cases = std::fs::read_to_string(folder.join("tests.toml"))?;
        let copy = reader.folder().join("tests.toml");
        std::fs::write(&copy, cases.replace(HOST, address))?;
        let samples = folder.join("tests/sample");
        if samples.is_dir() {
            std::fs::create_dir(reader.folder().join("tests"))?;
            std::os::unix::fs::symlink(samples, reader.folder().join("tests/sample"))?;
        }
        Ok(Self {
            component: reader.save("tool.wasm", tool(name)?)?,
            cases: copy,
            reader,
        })
    }

    fn run(&self, words: &str) -> Result<Output> {
        self.reader.run(&format!("cofferdam {words}"))
    }

    /// Whether the tool's own cases come out as expected under a policy.
    fn passes(&self, policy: &str) -> Result<bool> {
        self.reader.save("tried.yaml", policy.as_bytes().to_vec())?;
        let (component, cases) = (self.component.display(), self.cases.display());
        let tested = self.run(&format!(
            "tool test {component} --file {cases} --policy tried.yaml"
        ))?;
        let is_told = said(&tested).contains(" cases: ");
        ensure!(is_told, "the cases did not run: {}", said(&tested));
        Ok(tested.status.success())
    }

    fn check(&self) -> Result<()> {
        let (component, cases) = (self.component.display(), self.cases.display());
        let learned = self.run(&format!(
            "policy learn {component} --tests {cases} --out learned"
        ))?;
        ensure!(learned.status.success(), "{}", said(&learned));
        for words in ["check learned.yaml", "test learned.yaml learned.test.yaml"] {
            let checked = self.run(&format!("policy {words}"))?;
            ensure!(checked.status.success(), "{words}: {}", said(&checked));
        }
        let policy = std::fs::read_to_string(self.reader.folder().join("learned.yaml"))?;
        ensure!(self.passes(&policy)?, "not enough:\n{policy}");
        for less in with_one_less(&policy) {
            ensure!(
                !self.passes(&less)?,
                "more than the least:\n{policy}\nas it does with\n{less}"
            );
        }
        Ok(())
    }
}

/// The policy without one of its grants: an entry, or one of the items of an entry's lists.
fn with_one_less(policy: &str) -> Vec<String> {
    let lines: Vec<&str> = policy.lines().collect();
    let mut all = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let with = |line: Option<String>| {
            let before = lines[..at].iter().map(|line| (*line).to_owned());
            let after = lines[at + 1..].iter().map(|line| (*line).to_owned());
            before
                .chain(line)
                .chain(after)
                .collect::<Vec<_>>()
                .join("\n")
                + "\n"
        };
        if !line.starts_with("        - ") {
            continue;
        }
        for (begin, list) in lists(line) {
            let items: Vec<&str> = list.split(", ").collect();
            if items.len() > 1 {
                all.extend((0..items.len()).map(|gone| {
                    let mut left = items.clone();
                    left.remove(gone);
                    let end = begin + list.len();
                    with(Some(
                        [&line[..begin], &left.join(", "), &line[end..]].concat(),
                    ))
                }));
            }
        }
        // The only entry of a capability leaves it empty.
        let is_alone = lines[at - 1].ends_with(':')
            && !lines
                .get(at + 1)
                .is_some_and(|next| next.starts_with("        - "));
        all.push(with(is_alone.then(|| "        []".to_owned())));
    }
    all
}

/// What stands between `[` and `]` in a line, and where it begins.
fn lists(line: &str) -> Vec<(usize, &str)> {
    let begins = line.match_indices('[').map(|(at, _)| at + 1);
    let list = |begin: usize| Some((begin, line[begin..].split_once(']')?.0));
    begins.filter_map(list).collect()
}

#[test]
fn the_least_of_each_shipped_tool() -> Result<()> {
    let address = serve(|line| match line {
        "GET /start" => Page::Text("<h1>Begin here</h1>"),
        "POST /notes" => Page::Text("noted"),
        "GET /old" => Page::Moved("/start"),
        _ => Page::Missing,
    })?;
    for name in ["data", "files", "http"] {
        Shipped::new(name, &address)?.check().context(name)?;
    }
    Ok(())
}
