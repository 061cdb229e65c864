//! The least that a tool needs, learned from what it is denied: it starts with nothing, and each
//! denial adds the smallest grant that lifts it. What was learned is then taken away again, piece by
//! piece, by whoever can tell whether the tool still does its work.

use std::collections::BTreeMap;

use cofferdam_types::call::Denial;
use cofferdam_types::tool::Capability as Declared;
use cofferdam_types::workspace::Access;
use serde_json::{Value as Json, json};

use crate::declared::Declared as Needs;
use crate::denial::RULES;
use crate::policy::Policy;
use crate::read::{self, Format};
use crate::recorded;
use crate::subject::Subject;

/// What lets a tool start that needs a capability, and gives it nothing that exists: only a tool that
/// runs can be denied something.
const SEEDS: [(&str, &str); 8] = [
    (
        "filesystem",
        "{mount: workspace, paths: [.learn/nothing], rights: [read]}",
    ),
    ("network", "{host: nothing.invalid}"),
    ("sockets", "{host: nothing.invalid, port: 1}"),
    ("environment", "{name: LEARN_NOTHING, value: nothing}"),
    ("secrets", "{name: learn/nothing}"),
    (
        "key_value",
        "{scope: tool, keys: [learn/nothing], rights: [read]}",
    ),
    ("tool_call", "{tools: [learn-nothing]}"),
    ("clocks", "real"),
];
/// As [`SEEDS`], but what is granted is all there is of it.
const RANDOM: (&str, &str) = ("random", "real");

/// A use of each capability that a tool without it must not have.
const OTHERS: [(&str, &str); 7] = [
    ("network", "GET https://example.org/"),
    ("sockets", "tcp 192.0.2.1:25"),
    ("filesystem", "read workspace:canary"),
    ("environment", "PATH"),
    ("secrets", "canary"),
    ("key_value", "read tool:canary"),
    ("tool_call", "another-tool"),
];

/// Keys of a policy that a lesson takes over from another.
const KEPT: [&str; 2] = ["mounts", "programs"];

/// A policy that grows by denials.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// What of a given policy is about the machine and not about tools.
    base: BTreeMap<&'static str, Json>,
    /// Each tool, as rules name it, and what a table says of it.
    tools: BTreeMap<String, Json>,
    given: Vec<Given>,
}

/// One entry of one tool.
#[derive(Debug, Clone, PartialEq)]
struct Given {
    tool: String,
    capability: String,
    entry: Json,
    /// The use it was given for, as a table has it; absent for a seed, and where no table has it.
    used: Option<Json>,
    is_seed: bool,
}

impl Lesson {
    /// Nothing but what lets the tools start. `base` is a policy whose programs and directories they
    /// may be granted.
    pub fn new<'a>(tools: impl IntoIterator<Item = Subject<'a>>, base: Option<&Policy>) -> Self {
        let kept = |policy: &Policy| {
            let document = policy.to_json();
            let keys = KEPT.into_iter();
            keys.filter_map(|key| Some((key, document.get(key)?.clone())))
                .collect()
        };
        let mut lesson = Self {
            base: base.map(kept).unwrap_or_default(),
            tools: BTreeMap::new(),
            given: Vec::new(),
        };
        for subject in tools {
            lesson.meet(&subject);
        }
        lesson
    }

    fn meet(&mut self, subject: &Subject<'_>) {
        let spec = subject.spec;
        let name = format!("{}@{}", spec.name, spec.version);
        let words: Vec<&str> = spec.capabilities.iter().map(declared).collect();
        let about = json!({"version": spec.version, "capabilities": words});
        self.tools.insert(name.clone(), about);
        let needs = Needs::of(subject);
        for (capability, entry) in SEEDS.into_iter().chain([RANDOM]) {
            if needs.has(capability)
                && let Some(entry) = parsed(entry)
            {
                self.give(Given {
                    tool: name.clone(),
                    capability: capability.to_owned(),
                    entry,
                    used: None,
                    is_seed: true,
                });
            }
        }
    }

    /// Adds the smallest grant that lifts a denial; false when there is none, or none that is new.
    pub fn learn(&mut self, denial: &Denial) -> bool {
        let Some(Ok(rules)) = denial
            .smallest_grant
            .starts_with(RULES)
            .then(|| read::read(denial.smallest_grant.as_bytes(), Format::Yaml))
        else {
            return false;
        };
        let used = recorded::written(&denial.capability, &denial.operation, &denial.resource);
        let before = self.given.len();
        for rule in rules.to_json()["rules"].as_array().into_iter().flatten() {
            let tool = rule["tools"][0].as_str().unwrap_or_default();
            for (capability, entries) in rule["allow"].as_object().into_iter().flatten() {
                for entry in entries.as_array().into_iter().flatten() {
                    self.give(Given {
                        tool: tool.to_owned(),
                        capability: capability.clone(),
                        entry: entry.clone(),
                        used: used.clone(),
                        is_seed: false,
                    });
                }
            }
        }
        self.given.len() > before
    }

    fn give(&mut self, given: Given) {
        fn key(given: &Given) -> (&str, &str, &Json) {
            (&given.tool, &given.capability, &given.entry)
        }
        let is_new = self.given.iter().all(|known| key(known) != key(&given));
        if is_new && self.tools.contains_key(&given.tool) {
            self.given.push(given);
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.given.len()
    }

    /// True when no tool needs anything.
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// The same without one of its entries, counted from 0.
    #[must_use]
    pub fn without(&self, at: usize) -> Self {
        let mut less = self.clone();
        if at < less.given.len() {
            less.given.remove(at);
        }
        less
    }

    /// What is declared and was never used: a tool that needs it started with an entry that gives
    /// nothing. Pairs of a tool and a capability.
    pub fn unused(&self) -> Vec<(&str, &str)> {
        let seeds = self.given.iter().filter(|given| given.is_seed);
        seeds
            .filter(|given| given.entry != "real")
            .map(|given| (given.tool.as_str(), given.capability.as_str()))
            .collect()
    }

    /// The policy, in YAML: one rule for each tool, with entries that differ in one list joined.
    pub fn policy(&self) -> String {
        let mut lines = vec!["version: 1".to_owned(), "name: learned".to_owned()];
        let base = self.base.iter();
        lines.extend(base.map(|(key, value)| format!("{key}: {}", flow(value))));
        if !self.tools.is_empty() {
            lines.push(RULES.trim_end().to_owned());
        }
        for tool in self.tools.keys() {
            let granted = self.granted(tool);
            let end = if granted.is_empty() { " {}" } else { "" };
            lines.push(format!("  - tools: [\"{tool}\"]\n    allow:{end}"));
            for (capability, entries) in granted {
                lines.push(format!("      {capability}:"));
                let entries = entries.iter();
                lines.extend(entries.map(|entry| format!("        - {}", flow(entry))));
            }
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// Cases for `policy test`, in YAML: each use that was learned, and one that was not of each
    /// capability that a tool was given nothing of.
    pub fn table(&self) -> String {
        let mut lines = vec!["version: 1".to_owned(), "tools:".to_owned()];
        let tools = self.tools.iter();
        lines.extend(tools.map(|(tool, about)| format!("  {}: {}", bare(tool), flow(about))));
        lines.push("cases:".to_owned());
        for tool in self.tools.keys() {
            let own = || self.given.iter().filter(|given| given.tool == *tool);
            let mut cases: Vec<(Json, &str)> = Vec::new();
            for used in own().filter_map(|given| given.used.as_ref()) {
                if !cases.iter().any(|(known, _)| known == used) {
                    cases.push((used.clone(), "allow"));
                }
            }
            let is_given = |word| own().any(|given| given.capability == word && !given.is_seed);
            let others = OTHERS.into_iter().filter(|(word, _)| !is_given(*word));
            cases.extend(others.map(|(word, used)| (json!({ word: used }), "deny")));
            lines.extend(cases.iter().map(|(used, expected)| {
                let (tool, used) = (bare(tool), flow(used));
                format!("  - {{tool: {tool}, use: {used}, expect: {expected}}}")
            }));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// What a tool is given, by capability.
    fn granted(&self, tool: &str) -> BTreeMap<&str, Vec<Json>> {
        let mut granted: BTreeMap<&str, Vec<Json>> = BTreeMap::new();
        for given in self.given.iter().filter(|given| given.tool == tool) {
            let entries = granted.entry(&given.capability).or_default();
            entries.push(given.entry.clone());
        }
        for entries in granted.values_mut() {
            join(entries);
        }
        granted
    }
}

/// The tool without its version, as tables name it.
fn bare(tool: &str) -> &str {
    tool.split_once('@').map_or(tool, |(name, _)| name)
}

/// The word of a declaration in tables.
fn declared(capability: &Declared) -> &'static str {
    match capability {
        Declared::Workspace {
            access: Access::ReadOnly,
            ..
        } => "workspace:read_only",
        Declared::Workspace { .. } => "workspace:read_write",
        Declared::Clocks => "clocks",
        Declared::Random => "random",
        Declared::Network => "network",
        Declared::Subprocess => "subprocess",
        Declared::Environment => "environment",
        Declared::Secret => "secret",
        Declared::KeyValue => "key_value",
        Declared::ToolCall => "tool_call",
    }
}

fn parsed(entry: &str) -> Option<Json> {
    let node = read::read(entry.as_bytes(), Format::Yaml).ok()?;
    Some(node.to_json())
}

/// Joins entries that differ in one list: an entry gives each of its paths with each of its rights, so
/// together they give what they gave one by one.
fn join(entries: &mut Vec<Json>) {
    let mut at = 0;
    while at < entries.len() {
        let joined = (at + 1..entries.len())
            .find_map(|other| Some((other, union(&entries[at], &entries[other])?)));
        match joined {
            Some((other, union)) => {
                entries.remove(other);
                entries[at] = union;
                at = 0;
            }
            None => at += 1,
        }
    }
}

fn union(one: &Json, other: &Json) -> Option<Json> {
    let (fields, others) = (one.as_object()?, other.as_object()?);
    if fields.len() != others.len() || !fields.keys().all(|key| others.contains_key(key)) {
        return None;
    }
    let mut differing = fields
        .iter()
        .filter(|(key, value)| others.get(*key) != Some(*value));
    let (key, value) = differing.next()?;
    if differing.next().is_some() {
        return None;
    }
    let mut items = value.as_array()?.clone();
    for item in others.get(key)?.as_array()? {
        if !items.contains(item) {
            items.push(item.clone());
        }
    }
    items.sort_by_key(Json::to_string);
    let mut union = fields.clone();
    union.insert(key.clone(), items.into());
    Some(union.into())
}

/// A value in YAML, in one line.
fn flow(value: &Json) -> String {
    match value {
        Json::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", plain(key), flow(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Json::String(text) => plain(text),
        other => other.to_string(),
    }
}

/// A text in YAML's flow style, in quotes where it could be read as something else.
fn plain(text: &str) -> String {
    crate::capability::network::quoted(text)
}

#[cfg(test)]
mod tests {
    use cofferdam_types::Digest;
    use cofferdam_types::caller::Caller;
    use cofferdam_types::limits::LimitRequest;
    use cofferdam_types::workspace::{Offer, Place};

    use super::*;
    use crate::testing::{policy, spec};
    use crate::{Request, Table, Use};

    /// Uses of most capabilities, each by itself.
    const USES: [&str; 11] = [
        "network: GET https://a.org/x",
        "network: GET https://a.org/y",
        "network: POST https://a.org/x",
        "network: {request: GET http://h.test:8080/, address: 127.0.0.1}",
        "sockets: tcp 192.0.2.1:25",
        "filesystem: read workspace:a/b.txt",
        "filesystem: list workspace:.",
        "filesystem: write workspace:a/b.txt",
        "secrets: {name: a/key, header: authorization, to: 'https://a.org/'}",
        "key_value: write tool:some/key",
        "tool_call: other-tool",
    ];

    fn all() -> Vec<Declared> {
        let access = Access::ReadWrite;
        let optional = true;
        vec![
            Declared::Workspace { access, optional },
            Declared::Network,
            Declared::Secret,
            Declared::KeyValue,
            Declared::ToolCall,
        ]
    }

    /// What the policy says of a use, once its call is allowed.
    fn denials(text: &str, used: &str) -> Vec<Denial> {
        let (caller, limits) = (Caller::local(), LimitRequest::default());
        let spec = spec("a-tool", all());
        let used: Use = used.parse().expect(used);
        let subject = Subject::declared(Digest::of(b""), &spec);
        let offer = Offer {
            place: Place::Named("work".parse().expect("a name")),
            access: Access::ReadWrite,
        };
        let request = Request {
            workspace: Some(&offer),
            ..Request::bare(&caller, &limits)
        };
        let grant = policy(text).decide(&subject, &request);
        let grant = grant.unwrap_or_else(|denials| panic!("{text}: {denials:?}"));
        let refused = used.explain(&grant).decision.err();
        refused.into_iter().collect()
    }

    fn lesson(uses: &[&str]) -> Lesson {
        let spec = spec("a-tool", all());
        let mut lesson = Lesson::new([Subject::declared(Digest::of(b""), &spec)], None);
        for used in uses {
            for denial in denials(&lesson.policy(), used) {
                assert!(lesson.learn(&denial), "{used}: {denial:?}");
                assert!(!lesson.learn(&denial), "{used} is known");
            }
        }
        lesson
    }

    #[test]
    fn what_was_learned_is_allowed_and_nothing_else() {
        // Every second use: its neighbours are as near as they can be.
        let (learned, others): (Vec<_>, Vec<_>) =
            USES.iter().enumerate().partition(|(at, _)| at % 2 == 0);
        let [learned, others] = [learned, others]
            .map(|uses| uses.into_iter().map(|(_, used)| *used).collect::<Vec<_>>());
        for (learned, others) in [(&learned, &others), (&others, &learned)] {
            let text = lesson(learned).policy();
            for used in learned {
                assert_eq!(denials(&text, used), [], "{used} under\n{text}");
            }
            for used in others {
                assert_eq!(denials(&text, used).len(), 1, "{used} under\n{text}");
            }
        }
    }

    #[test]
    fn joined_entries_give_what_they_gave_one_by_one() {
        let text = lesson(&USES[..3]).policy();
        assert_eq!(
            denials(&text, "network: POST https://a.org/y").len(),
            1,
            "{text}"
        );
        let text = lesson(&[USES[0], USES[1]]).policy();
        assert!(text.contains("paths: [/x, /y]"), "{text}");
        // A table doesn't tell the header; the policy does.
        let header = "network: {request: GET https://a.org/x, headers: [x-key]}";
        assert_eq!(denials(&lesson(&[header]).policy(), header), []);
    }

    #[test]
    fn the_table_passes_with_it_and_fails_with_less() {
        let lesson = lesson(&USES);
        let table = lesson.table();
        let table = Table::parse(table.as_bytes(), Format::Yaml, "t").expect(&table);
        let wrong = |lesson: &Lesson| {
            let checked = table.run(&policy(&lesson.policy()));
            checked.iter().filter(|case| !case.is_as_expected()).count()
        };
        assert_eq!(wrong(&lesson), 0, "{}", lesson.policy());
        let learned = lesson.given.iter().enumerate();
        for (at, given) in learned.filter(|(_, given)| !given.is_seed) {
            assert!(wrong(&lesson.without(at)) > 0, "{given:?}");
        }
    }

    #[test]
    fn seeds_let_a_tool_start_and_are_told_apart() {
        let none = lesson(&[]);
        let unused: Vec<_> = none.unused().into_iter().map(|(_, word)| word).collect();
        let declared = [
            "filesystem",
            "network",
            "sockets",
            "secrets",
            "key_value",
            "tool_call",
        ];
        assert_eq!(unused, declared);
        for used in USES {
            assert_eq!(denials(&none.policy(), used).len(), 1, "{used}");
        }
    }
}
