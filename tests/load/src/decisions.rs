//! Decisions to be measured, under a policy of so many rules.

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;

use anyhow::{Result, ensure};
use cofferdam_policy::capability::network::{Ask, Network, Target};
use cofferdam_policy::{Format, Grant, Policy, Request, Source, Subject};
use cofferdam_server::types::caller::{Caller, Role};
use cofferdam_server::types::limits::LimitRequest;
use cofferdam_server::types::tool::{Capability, SafetyFlags, ToolSpec};
use cofferdam_server::types::{Digest, Payload};

/// Callers that take turns to be new: twice as many as a policy remembers.
const CALLERS: usize = 8_192;
/// Rules that are about the tool that is called, whatever there are besides.
const OWN: usize = 6;

/// A policy, a tool and who calls it.
pub(crate) struct World {
    policy: Policy,
    spec: ToolSpec,
    limits: LimitRequest,
    callers: Vec<Caller>,
    grant: Grant,
    ask: Ask,
}

impl World {
    pub(crate) fn new(rules: usize) -> Result<Self> {
        let source = Source {
            file: None,
            format: Format::Yaml,
            workspaces: Path::new("/data/workspaces"),
            reserved: &[],
        };
        let policy = Policy::parse(text(rules).as_bytes(), &source)?;
        let (spec, limits) = (spec()?, LimitRequest::default());
        let caller = |number: usize| Caller {
            principal: format!("key:{number}"),
            role: Role::User,
            ..Caller::local()
        };
        let callers: Vec<Caller> = (0..CALLERS).map(caller).collect();
        let decided = policy.decide(&subject(&spec), &Request::bare(&callers[0], &limits));
        let Ok(grant) = decided else {
            anyhow::bail!("the call is denied: {decided:?}");
        };
        let ask = Ask {
            target: Target::parse("https://api.example.org/v1/items/7")?,
            method: "GET".to_owned(),
            headers: Vec::new(),
            address: None,
        };
        ensure!(grant.decide::<Network>(&ask).is_ok(), "the use is denied");
        Ok(Self {
            policy,
            spec,
            limits,
            callers,
            grant,
            ask,
        })
    }

    /// The same call again and again.
    pub(crate) fn again(&self) -> Box<dyn FnMut() + '_> {
        Box::new(|| self.decide(&self.callers[0]))
    }

    /// Calls of which none is remembered.
    pub(crate) fn first(&self) -> Box<dyn FnMut() + '_> {
        let mut callers = self.callers.iter().cycle();
        Box::new(move || callers.next().into_iter().for_each(|it| self.decide(it)))
    }

    /// The same use again and again.
    pub(crate) fn uses(&self) -> Box<dyn FnMut() + '_> {
        Box::new(|| {
            drop(black_box(
                self.grant.decide::<Network>(black_box(&self.ask)),
            ));
        })
    }

    fn decide(&self, caller: &Caller) {
        let request = Request::bare(black_box(caller), &self.limits);
        drop(black_box(
            self.policy.decide(&subject(&self.spec), &request),
        ));
    }
}

fn subject(spec: &ToolSpec) -> Subject<'_> {
    Subject {
        owner: Some("key:owner"),
        ..Subject::declared(Digest::of(b""), spec)
    }
}

fn spec() -> Result<ToolSpec> {
    Ok(ToolSpec {
        name: "team-7-fetch".parse()?,
        function: "fetch".to_owned(),
        version: "1.2.3".parse()?,
        description: "Fetches.".to_owned(),
        args_schema: Payload::empty_object(),
        returns_schema: Payload::empty_object(),
        capabilities: vec![Capability::Network],
        safety: SafetyFlags::default(),
        tags: vec!["net".to_owned()],
        examples: Vec::new(),
        limits: LimitRequest::default(),
    })
}

/// So many rules: six that are about the tool, by its name, its team, its tag, its publisher and as
/// one of all, and others of the same kinds that are about other tools.
fn text(rules: usize) -> String {
    let network = "network: [{host: api.example.org, paths: [/v1/**]}]";
    let mut text = format!(
        "version: 1\nrules:\n\
         - {{tools: [team-7-fetch@^1], allow: {{{network}}}}}\n\
         - {{tools: [\"team-7-*\"], allow: {{clocks: [real]}}, limits: {{memory: 32MiB}}}}\n\
         - {{tools: [tag:net], deny: {{network: [{{host: \"*.internal\"}}]}}}}\n\
         - {{tools: [owner:key:owner], allow: {{random: [real]}}}}\n\
         - {{tools: [\"*\"], limits: {{deadline: 10s}}}}\n\
         - {{tools: [\"*\"], callers: {{roles: [admin]}}, allow: {{clocks: [real]}}}}\n"
    );
    for number in OWN..rules {
        let tools = match number % 4 {
            0 | 1 => format!("other-{number}-fetch@^1"),
            2 => format!("other-{number}-*"),
            _ => format!("tag:t{number}"),
        };
        // Writing into a text can't fail.
        writeln!(text, "- {{tools: [\"{tools}\"], allow: {{{network}}}}}").ok();
    }
    text
}
