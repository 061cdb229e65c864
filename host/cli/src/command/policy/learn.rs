use std::path::{Path, PathBuf};

use clap::Args;
use cofferdam_server::policies::{Format, Lesson, Policy, Source};
use cofferdam_server::types::call::Denial;
use serde_json::json;

use super::file;
use crate::command::tool::built;
use crate::component::Component;
use crate::context::Context;
use crate::error::{self, Exit, Result};
use crate::label::Said;
use crate::output::Output;
use crate::trial::{self, Case};
use crate::view;

/// Find the least that the tools of a component need
///
/// Runs the cases of tests.toml in a sandbox that is thrown away. It begins with a policy that allows
/// nothing; what a tool is denied is added until the cases come out as expected, and what no case would
/// miss is taken away again. Prints the policy, and a table of tests for it. Read them before you use
/// them: they say what the tool wanted, not what it should have. Programs and directories of the machine
/// can be granted when the policy that `--policy` names has them.
#[derive(Args)]
pub(crate) struct Learn {
    /// The component [default: what `tool build` made, target/NAME.wasm]
    #[arg(value_name = "FILE.wasm")]
    component: Option<PathBuf>,
    /// The cases
    #[arg(long, value_name = "FILE", default_value = "tests.toml")]
    tests: PathBuf,
    /// Write STEM.yaml and STEM.test.yaml instead of printing them
    #[arg(long, value_name = "STEM")]
    out: Option<PathBuf>,
    #[command(flatten)]
    said: Said,
}

/// Who is taught, and by what.
struct School<'a> {
    component: Component,
    cases: &'a [Case],
    /// Where the cases' workspaces are.
    folder: &'a Path,
}

/// What came of cases under a policy.
#[derive(Default)]
struct Came {
    /// Those that did not come out as expected, and why.
    failed: Vec<(usize, Vec<String>)>,
    /// What the tools were refused.
    denials: Vec<Denial>,
}

impl Learn {
    pub(super) async fn run(self, context: &Context) -> Result<Exit> {
        let cases = trial::read(&self.tests)?;
        let path = match self.component {
            Some(path) => path,
            None => built()?,
        };
        let base = match context.policy() {
            Some(path) => Some(file::policy(path, context)?),
            None => None,
        };
        let component = Component::open(&path, &self.said, context).await?;
        let lesson = component.lesson(base.as_ref()).await?;
        let school = School {
            component,
            cases: &cases,
            folder: self.tests.parent().unwrap_or(Path::new("")),
        };
        let lesson = school.teach(lesson).await?;
        let came = school.all(&lesson).await?;
        let output = context.output;
        if !came.failed.is_empty() {
            for (at, faults) in &came.failed {
                output.note(format!("FAILED  {}", view::clean(&cases[*at].name)));
                for fault in faults {
                    output.note(format!("        {}", view::clean(fault)));
                }
            }
            output.note("these cases fail whatever is granted; nothing was learned");
            return Ok(Exit::Failed);
        }
        let lesson = school.examine(lesson).await?;
        for (tool, capability) in lesson.unused() {
            output.note(format!(
                "{tool} declares `{capability}`, and no case makes it use it: its entry gives nothing \
                 and lets it start"
            ));
        }
        tell(&lesson, self.out.as_deref(), output)?;
        Ok(Exit::Done)
    }
}

impl School<'_> {
    /// Adds what is denied until every case comes out as expected, or nothing more can be added.
    async fn teach(&self, mut lesson: Lesson) -> Result<Lesson> {
        let mut left: Vec<usize> = (0..self.cases.len()).collect();
        loop {
            let came = self.some(&lesson, &left).await?;
            let news = came.denials.iter().filter(|denial| lesson.learn(denial));
            if news.count() == 0 {
                return Ok(lesson);
            }
            left = came.failed.into_iter().map(|(at, _)| at).collect();
            if left.is_empty() {
                return Ok(lesson);
            }
        }
    }

    /// Takes away what no case would miss.
    async fn examine(&self, mut lesson: Lesson) -> Result<Lesson> {
        for at in (0..lesson.len()).rev() {
            let less = lesson.without(at);
            if self.all(&less).await?.failed.is_empty() {
                lesson = less;
            }
        }
        Ok(lesson)
    }

    async fn all(&self, lesson: &Lesson) -> Result<Came> {
        let all: Vec<usize> = (0..self.cases.len()).collect();
        self.some(lesson, &all).await
    }

    /// Runs some of the cases under what was learned so far.
    async fn some(&self, lesson: &Lesson, which: &[usize]) -> Result<Came> {
        let source = Source {
            file: None,
            format: Format::Yaml,
            workspaces: Path::new(""),
            reserved: &[],
        };
        let policy = Policy::parse(lesson.policy().as_bytes(), &source);
        let policy = policy.map_err(|error| file::refused(&error))?;
        self.component.rule(&policy);
        let mut came = Came::default();
        for (at, case) in self.cases.iter().enumerate() {
            if !which.contains(&at) {
                continue;
            }
            let verdict = case.run(&self.component, self.folder).await?;
            if !verdict.ok {
                came.failed.push((at, verdict.faults));
                came.denials.extend(verdict.denials);
            }
        }
        Ok(came)
    }
}

fn tell(lesson: &Lesson, out: Option<&Path>, output: Output) -> Result<()> {
    let (policy, table) = (lesson.policy(), lesson.table());
    let Some(stem) = out else {
        if output.is_json() {
            return output.json(&json!({"policy": policy, "table": table}));
        }
        return output.text(format!("{policy}---\n{table}").trim_end());
    };
    let beside = |end: &str| {
        let mut name = stem.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    };
    let files = [(beside(".yaml"), policy), (beside(".test.yaml"), table)];
    for (path, text) in &files {
        std::fs::write(path, text).map_err(|error| error::file("write", path, &error))?;
    }
    let [policy, table] = files.map(|(path, _)| path);
    if output.is_json() {
        return output.json(&json!({"policy": policy, "table": table}));
    }
    output.text(format!("{}\n{}", policy.display(), table.display()))
}
