//! The least to add to a policy so that a call, or what it wants to use, would be allowed.

use std::path::Path;

use cofferdam_types::call::{Denial, DenialCode};

use crate::decision::{Request, shown};
use crate::denial::{RULES, TOOL};
use crate::document::Source;
use crate::error::PolicyError;
use crate::policy::Policy;
use crate::read::{self, Format};
use crate::subject::Subject;
use crate::table::Use;

/// What to add to a policy, and what it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// YAML for the end of the policy's file: rules, with the key `rules` before them when the file
    /// has none yet. The file is still a policy with it when its rules are what it ends in.
    pub text: String,
    /// What would still stand in the way.
    pub left: Vec<Denial>,
}

impl Policy {
    /// The smallest rules that lift denials of this call and, when one is named, of this use.
    /// `None` when nothing stands in the way, or no rule that is added would change that.
    ///
    /// What it answers was tried: the policy was read again with the rules in it, and asked.
    pub fn patch(
        &self,
        subject: &Subject<'_>,
        request: &Request<'_>,
        used: Option<&Use>,
    ) -> Option<Patch> {
        let denials = self.denials(subject, request, used);
        let name = shown(subject.spec);
        let rules = self.smallest(&denials, used, &name);
        let patched = self.with(&rules).ok()?;
        let left = patched.denials(subject, request, used);
        let lifts = denials
            .iter()
            .any(|denial| !left.iter().any(|it| is_same(it, denial)));
        if !lifts {
            return None;
        }
        // Those that were there before know their place in the file.
        let left = left.into_iter().map(|new| {
            let old = denials.iter().find(|old| is_same(old, &new));
            old.cloned().unwrap_or(new)
        });
        let left = left.collect();
        let text = if self.has_rules_in_yaml() {
            rules
        } else {
            format!("{RULES}{rules}")
        };
        Some(Patch { text, left })
    }

    /// All that stands in the way of a call, or else of a use.
    pub fn denials(
        &self,
        subject: &Subject<'_>,
        request: &Request<'_>,
        used: Option<&Use>,
    ) -> Vec<Denial> {
        match (self.decide(subject, request), used) {
            (Err(denials), _) => denials,
            (Ok(grant), Some(used)) => {
                let refused = used.decide(&grant).err();
                refused.map(|denial| *denial).into_iter().collect()
            }
            (Ok(_), None) => Vec::new(),
        }
    }

    /// The rules that lift these denials, each once, in YAML without the key `rules`.
    fn smallest(&self, denials: &[Denial], used: Option<&Use>, subject: &str) -> String {
        let of_use = used.map(|used| used.patch(subject)).unwrap_or_default();
        let lets_run =
            |denial: &&Denial| denial.capability == TOOL && denial.code == DenialCode::NotGranted;
        let others = denials
            .iter()
            // The rule about the use lets the tool run as well.
            .filter(|denial| of_use.is_empty() || !lets_run(denial))
            .map(|denial| denial.smallest_grant.as_str());
        let mut rules: Vec<&str> = others
            .chain((!denials.is_empty()).then_some(of_use.as_str()))
            .filter_map(|grant| grant.strip_prefix(RULES))
            // Some only say in which form: what the tool will ask for isn't known before it does.
            .filter(|rule| self.with(rule).is_ok())
            .collect();
        rules.sort_unstable();
        rules.dedup();
        rules.concat()
    }

    /// The same policy with more rules, given in YAML without the key `rules`.
    ///
    /// **Errors**: [`PolicyError::Invalid`] when they are none.
    fn with(&self, rules: &str) -> Result<Self, PolicyError> {
        let invalid = |mistakes| PolicyError::invalid("rules", mistakes);
        let node = read::read(format!("{RULES}{rules}").as_bytes(), Format::Yaml);
        let mut added = node.map_err(invalid)?.to_json();
        let mut document = self.to_json().clone();
        let added = added
            .get_mut("rules")
            .and_then(|rules| rules.as_array_mut());
        if let (Some(added), Some(fields)) = (added, document.as_object_mut()) {
            let all = fields
                .entry("rules")
                .or_insert_with(|| Vec::<u8>::new().into());
            if let Some(all) = all.as_array_mut() {
                all.append(added);
            }
        }
        let source = Source {
            file: None,
            format: Format::Json,
            workspaces: &self.parts.workspaces,
            reserved: &[],
        };
        let policy = Self::parse(document.to_string().as_bytes(), &source)?;
        let policy = policy.narrowed(self.parts.narrowing.clone());
        Ok(if self.parts.any_directory {
            policy.with_any_directory()
        } else {
            policy
        })
    }

    /// Whether it stands in a file to whose rules more can be added at its end.
    fn has_rules_in_yaml(&self) -> bool {
        let is_yaml = |file: &Path| Format::of(file).is_ok_and(|format| format == Format::Yaml);
        self.file().is_some_and(is_yaml) && self.to_json().get("rules").is_some()
    }
}

/// Whether two denials are about the same, wherever the rule stands.
fn is_same(one: &Denial, other: &Denial) -> bool {
    let key = |denial: &Denial| {
        let Denial {
            capability,
            operation,
            resource,
            code,
            ..
        } = denial;
        (
            capability.clone(),
            operation.clone(),
            resource.clone(),
            *code,
        )
    };
    key(one) == key(other)
}

#[cfg(test)]
mod tests {
    use cofferdam_types::Digest;
    use cofferdam_types::caller::Caller;
    use cofferdam_types::limits::LimitRequest;
    use cofferdam_types::tool::Capability as Declared;

    use super::*;
    use crate::testing::{policy, spec};

    /// The patch that lets `fetch`, which declares this, do that under the policy.
    fn patch(text: &str, declared: &[Declared], used: Option<&str>) -> Option<Patch> {
        let (caller, limits) = (Caller::local(), LimitRequest::default());
        let spec = spec("fetch", declared.to_vec());
        let used: Option<Use> = used.map(|used| used.parse().expect(used));
        policy(text).patch(
            &Subject::declared(Digest::of(b""), &spec),
            &Request::bare(&caller, &limits),
            used.as_ref(),
        )
    }

    const GET: &str = "network: GET https://a.org/x";
    const ENTRY: &str = "  - tools: [\"fetch@1.0.0\"]\n    allow:\n      network:\n        \
                         - {host: a.org, methods: [GET], paths: [/x]}\n";

    #[test]
    fn a_patch_at_the_end_of_the_file_allows_the_use_and_nothing_else() {
        for (text, begin) in [
            ("version: 1\n", "rules:\n"),
            ("version: 1\nlimits: {memory: 1MiB}\n", "rules:\n"),
            (
                "version: 1\nrules:\n  - tools: [other]\n    allow: {}\n",
                "",
            ),
            (
                "version: 1\nrules:\n  - tools: [fetch]\n    allow: {}\n",
                "",
            ),
            (
                "version: 1\nrules:\n  - tools: [fetch]\n    allow: {network: [{host: b.org}]}\n",
                "",
            ),
        ] {
            let patched = patch(text, &[Declared::Network], Some(GET)).expect(text);
            assert_eq!(patched.text, format!("{begin}{ENTRY}"), "{text}");
            assert_eq!(patched.left, [], "{text}");
            let whole = format!("{text}{}", patched.text);
            assert_eq!(
                patch(&whole, &[Declared::Network], Some(GET)),
                None,
                "{whole}"
            );
            let other = "network: GET https://a.org/y";
            assert!(patch(&whole, &[Declared::Network], Some(other)).is_some());
        }
    }

    #[test]
    fn what_is_still_missing_is_said() {
        let declared = [Declared::Network, Declared::Secret];
        let patched = patch("version: 1\n", &declared, Some(GET)).expect("a patch");
        assert_eq!(patched.text, format!("rules:\n{ENTRY}"));
        let left: Vec<_> = patched
            .left
            .iter()
            .map(|it| it.capability.as_str())
            .collect();
        assert_eq!(left, ["secrets"]);
        // Without a use it is not known what of the network.
        let patched = patch("version: 1\n", &[Declared::Network], None).expect("a patch");
        assert_eq!(
            patched.text,
            "rules:\n  - tools: [\"fetch@1.0.0\"]\n    allow: {}\n"
        );
        let left: Vec<_> = patched
            .left
            .iter()
            .map(|it| it.capability.as_str())
            .collect();
        assert_eq!(left, ["network"]);
    }

    #[test]
    fn no_rule_lifts_a_deny_or_a_mistake() {
        let denied = "version: 1\nrules:\n  - tools: ['*']\n    deny: {call: true}\n";
        let deny = "version: 1\nrules:\n  - tools: ['*']\n    allow: {network: [{host: a.org}]}\n    \
                    deny: {network: [{host: a.org}]}\n";
        let never = "network: GET https://a.org/%2f";
        let allowed =
            "version: 1\nrules:\n  - tools: [fetch]\n    allow: {network: [{host: '*.org'}]}\n";
        for (text, used) in [
            (denied, Some(GET)),
            (denied, None),
            (deny, Some(GET)),
            (allowed, Some(never)),
            (allowed, None),
        ] {
            assert_eq!(patch(text, &[Declared::Network], used), None, "{text}");
        }
    }
}
