//! The grant of a call that a tool makes: its own, and of that no more than its caller's.

use cofferdam_types::call::{Denial, DenialCode};

use crate::capability::filesystem::Files;
use crate::capability::tool_call::CallCaps;
use crate::declared::Declared;
use crate::grant::Grant;
use crate::permissions::Slices;
use crate::subject::Subject;

impl Grant {
    /// This grant for a call by the tool that holds `caller`, as its own grant says the tool may be
    /// called: short of what the caller doesn't delegate, and, unless the tool acts in its own
    /// right, of what the caller itself may not do.
    ///
    /// A deny of the caller's holds for the called tool as well. A capability is weighed by what it
    /// covers: who may keep state of its own may have others keep theirs. What a later policy took
    /// back from the caller is nothing that it passes on.
    ///
    /// **Errors**: a denial for each capability that the tool can't do without and that is not left.
    pub fn below(
        mut self,
        subject: &Subject<'_>,
        caller: &Self,
        caps: &CallCaps,
    ) -> Result<Self, Vec<Denial>> {
        self.pass_on(caller, caps);
        if let Some(newer) = caller.revision.current() {
            self.pass_on(&newer, caps);
        }
        let left = self.slices.words();
        let lost: Vec<_> = Declared::of(subject)
            .required()
            .filter(|words| !words.iter().any(|word| left.contains(word)))
            .map(|words| self.not_delegated(caller, words[0]))
            .collect();
        if lost.is_empty() { Ok(self) } else { Err(lost) }
    }

    fn pass_on(&mut self, caller: &Self, caps: &CallCaps) {
        let slices = std::mem::replace(&mut self.slices, Slices::nothing());
        self.slices = slices.below(&caller.slices, caps);
        let filesystem = self.slices.filesystem.clone();
        let files = (!caps.own).then_some(&caller.files);
        self.files = std::mem::replace(&mut self.files, Files::none()).below(files, filesystem);
    }

    fn not_delegated(&self, caller: &Self, word: &str) -> Denial {
        Denial {
            capability: word.to_owned(),
            operation: "delegate".to_owned(),
            resource: self.subject.to_string(),
            code: DenialCode::NotDelegated,
            rule: format!("what `{}` carries", caller.subject),
            file: None,
            line: None,
            reason: format!(
                "`{}` does not pass `{word}` on to `{}`",
                caller.subject, self.subject
            ),
            smallest_grant: format!(
                "`{}` may use `{word}` itself and delegates it, or its entry below `tool_call` says \
                 `own: true`",
                caller.subject
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cofferdam_types::Digest;
    use cofferdam_types::caller::Caller;
    use cofferdam_types::limits::LimitRequest;
    use cofferdam_types::tool::Capability as Declared;

    use super::*;
    use crate::capability::key_value::{KeyUse, KeyValue, Right, Scope};
    use crate::capability::tool_call::{ToolCall, ToolUse};
    use crate::decision::Request;
    use crate::subject::Kind;
    use crate::testing::{policy, spec};

    /// What a tool gets that could do with both.
    fn grant(rules: &str, tool: &str) -> Grant {
        let spec = spec(tool, vec![Declared::ToolCall, Declared::KeyValue]);
        let subject = Subject {
            kind: Kind::Plain,
            ..Subject::declared(Digest::of(b""), &spec)
        };
        let limits = LimitRequest::default();
        policy(rules)
            .decide(&subject, &Request::bare(&Caller::local(), &limits))
            .expect(tool)
    }

    /// What is left to `called` when `caller` calls it: the keys it may read, or the capabilities
    /// that it is denied.
    fn below(rules: &str) -> Result<Vec<&'static str>, Vec<String>> {
        below_narrowed(rules, None)
    }

    /// The same when other rules came into force after the caller began.
    fn below_narrowed(rules: &str, newer: Option<&str>) -> Result<Vec<&'static str>, Vec<String>> {
        let rules = format!("version: 1\nrules:\n{rules}");
        let caller = grant(&rules, "a-caller");
        if let Some(newer) = newer {
            let newer = grant(&format!("version: 1\nrules:\n{newer}"), "a-caller");
            caller.revision().narrow_to(Arc::new(newer));
        }
        let below = grant(&rules, "a-called");
        let ask = ToolUse {
            tool: "a-called".parse().expect("a name"),
            version: None,
        };
        let caps = caller.decide::<ToolCall>(&ask).expect("it may be called");
        let spec = spec("a-called", vec![Declared::KeyValue]);
        let subject = Subject::declared(Digest::of(b""), &spec);
        let left = below.below(&subject, &caller, &caps).map_err(|denials| {
            denials
                .into_iter()
                .map(|denial| denial.capability)
                .collect::<Vec<_>>()
        })?;
        let may_read = |key: &&str| {
            let ask = KeyUse {
                scope: Scope::Tool,
                right: Right::Read,
                key: (*key).to_owned(),
            };
            left.decide::<KeyValue>(&ask).is_ok()
        };
        Ok(["x", "y", "z"].into_iter().filter(may_read).collect())
    }

    fn rules(tool_call: &str, callers: &str, called: &str) -> String {
        format!(
            "  - tools: [a-caller]\n    allow: {{tool_call: [{tool_call}]{callers}}}\n  \
             - tools: [a-called]\n    allow: {{key_value: [{called}]}}\n"
        )
    }

    #[test]
    fn a_called_tool_has_what_both_have() {
        let plain = "{tools: [a-called]}";
        let (xy, yz) = ("{keys: [x, y]}", ", key_value: [{keys: [y, z]}]");
        let own = "{tools: [a-called], own: true}";
        let denied = || Err(vec!["key_value".to_owned()]);
        assert_eq!(below(&rules(plain, "", xy)), denied());
        assert_eq!(below(&rules(plain, yz, xy)), Ok(vec!["y"]));
        assert_eq!(below(&rules(own, "", xy)), Ok(vec!["x", "y"]));
        assert_eq!(below(&rules(own, yz, xy)), Ok(vec!["x", "y"]));
        let nothing = "{tools: [a-called], own: true, delegate: [clocks]}";
        assert_eq!(below(&rules(nothing, "", xy)), denied());
    }

    #[test]
    fn what_the_caller_is_denied_is_denied() {
        let text = "  - tools: [\"a-*\"]\n    allow:\n      tool_call: [{tools: [a-called]}]\n      \
                    key_value: [{keys: [x, y]}]\n    deny: {key_value: [{keys: [y]}]}\n";
        assert_eq!(below(text), Ok(vec!["x"]));
    }

    #[test]
    fn what_was_taken_back_from_the_caller_is_not_passed_on() {
        let called = "{keys: [x, y, z]}";
        let may = |keys: &str| {
            let callers = format!(", key_value: [{{keys: {keys}}}]");
            rules("{tools: [a-called]}", &callers, called)
        };
        let denied = || Err(vec!["key_value".to_owned()]);
        let none = rules("{tools: [a-called]}", "", called);
        assert_eq!(
            below_narrowed(&may("[x, y]"), Some(&may("[y]"))),
            Ok(vec!["y"])
        );
        assert_eq!(below_narrowed(&may("[x, y]"), Some(&none)), denied());
        // A later policy gives nothing back.
        assert_eq!(
            below_narrowed(&may("[y]"), Some(&may("[x, y]"))),
            Ok(vec!["y"])
        );
        let own = |callers: &str| rules("{tools: [a-called], own: true}", callers, "{keys: [x]}");
        assert_eq!(
            below_narrowed(&own(", key_value: [{keys: [y]}]"), Some(&own(""))),
            Ok(vec!["x"])
        );
    }
}
