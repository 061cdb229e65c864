//! Names: short texts with one grammar each, parsed once at the edge.

use std::fmt;
use std::str::FromStr;

use crate::ParseError;
use crate::text::serde_by_text;

/// Longest name of any kind in bytes; the tightest limit among the catalogues that list tools
/// (MCP clients and model APIs cut at 64).
const NAME_BYTES_MAX: usize = 64;

const KEBAB_RULE: &str =
    "expected lower-case words joined by single hyphens, at most 64 characters";

fn is_kebab(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:expr, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseError;

            fn from_str(text: &str) -> Result<Self, ParseError> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(ParseError::new($kind, text, $rule))
                }
            }
        }

        serde_by_text!($name);
    };
}

name!(
    /// The canonical name of a tool, unique in a tenant.
    ///
    /// **Shape**: `component-function` in kebab case, `[a-z][a-z0-9]*(-[a-z0-9]+)*`, at most 64
    /// characters; an optional namespace of the same grammar stands before a `/`.
    ToolName, "a tool name", KEBAB_RULE,
    |text| match text.split_once('/') {
        Some((namespace, name)) => text.len() <= NAME_BYTES_MAX && is_kebab(namespace) && is_kebab(name),
        None => is_kebab(text),
    }
);

name!(
    /// The name of a component, the first part of its tools' names.
    ///
    /// **Shape**: the grammar of a [`ToolName`] without namespace.
    ComponentName, "a component name", KEBAB_RULE, is_kebab
);

name!(
    /// The name of a secret, unique in a tenant.
    ///
    /// **Shape**: the grammar of a [`ToolName`]: `github-token`, or `acme/github-token` with a
    /// group before one `/`. A name, never a path: `..`, upper case and patterns are refused.
    SecretName, "a secret name", KEBAB_RULE,
    |text| match text.split_once('/') {
        Some((group, name)) => text.len() <= NAME_BYTES_MAX && is_kebab(group) && is_kebab(name),
        None => is_kebab(text),
    }
);

name!(
    /// A workspace below the server's data directory.
    ///
    /// **Shape**: `[a-z0-9][a-z0-9_-]*`, at most 64 characters: a name, never a path.
    WorkspaceName, "a workspace name",
    "expected lower-case letters, digits, `-` and `_`, at most 64 characters, no path",
    |text| text.len() <= NAME_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
);

name!(
    /// The name of a step inside one plan.
    ///
    /// **Shape**: `[a-z0-9][a-z0-9_-]*`, at most 64 characters, so that it can stand in a JSON
    /// pointer unescaped.
    StepName, "a step name",
    "expected lower-case letters, digits, `-` and `_`, at most 64 characters",
    |text| text.len() <= NAME_BYTES_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
);

name!(
    /// Whose data it is; every record and every store method carries one.
    ///
    /// **Shape**: the grammar of a [`ComponentName`]; `default` where nobody said otherwise.
    Tenant, "a tenant name", KEBAB_RULE, is_kebab
);

impl Default for Tenant {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

impl ToolName {
    /// The name of `function` of `component`; an error when the two together are too long.
    pub fn of(component: &ComponentName, function: &str) -> Result<Self, ParseError> {
        format!("{component}-{function}").parse()
    }

    /// What is left of the name for an eye that reads fast. Names of one skeleton are taken for
    /// each other, so a registry holds one of them.
    ///
    /// **Shape**: the name without hyphens, `1` and `i` as `l`, `0` as `o`, `m` as `rn` and `w` as
    /// `vv`; the namespace takes part, and its `/` stays. The wide letters are written out, not the
    /// pairs drawn together: else `vw` and `wv`, which both look like `vvv`, would differ.
    /// **Source**: the pairs that Unicode's UTS 39 lists as confusable within the letters, digits
    /// and signs that a name can have.
    pub fn skeleton(&self) -> String {
        let mut skeleton = self.0.replace('-', "");
        for (sign, looks) in [("1", "l"), ("i", "l"), ("0", "o"), ("m", "rn"), ("w", "vv")] {
            skeleton = skeleton.replace(sign, looks);
        }
        skeleton
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tool_names() {
        for good in [
            "a",
            "files-read",
            "acme/files-read",
            "a1-2b",
            &"a".repeat(64),
        ] {
            assert!(good.parse::<ToolName>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "A",
            "1a",
            "-a",
            "a-",
            "a--b",
            "a_b",
            "a/b/c",
            "/a",
            "a/",
            "a b",
            "ä",
            &"a".repeat(65),
        ] {
            assert!(bad.parse::<ToolName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        let skeleton = |name: &str| name.parse::<ToolName>().expect(name).skeleton();
        for (one, other) in [
            ("files-read", "filesread"),
            ("files-read", "file-s-read"),
            ("files-read", "fi1es-read"),
            ("files-read", "flles-read"),
            ("files-read", "fliesread"),
            ("io", "l0"),
            ("form", "forrn"),
            ("arm", "ar-rn"),
            ("vw", "wv"),
            ("vvv", "v-w"),
            ("acme/files-read", "acrne/fi1es-read"),
        ] {
            assert_eq!(skeleton(one), skeleton(other), "{one}, {other}");
        }
        for (one, other) in [
            ("files-read", "files-reads"),
            ("files-read", "acme/files-read"),
            ("acme/files", "acmefiles"),
            ("acme/files-read", "acme-files/read"),
            ("t-10", "t-01"),
            ("t-2", "t-z"),
        ] {
            assert_ne!(skeleton(one), skeleton(other), "{one}, {other}");
        }
    }

    #[test]
    fn a_secret_name_is_never_a_path() {
        for bad in [
            "", ".", "..", "a/../b", "../a", "a/./b", "a//b", "a/b/c", "A", "a*", "a\\b", "a\0",
            "a/", "%2e", "a b", "a_b",
        ] {
            assert!(bad.parse::<SecretName>().is_err(), "{bad:?}");
        }
        for good in ["github-token", "acme/github-token", "k8s"] {
            assert!(good.parse::<SecretName>().is_ok(), "{good}");
        }
    }

    #[test]
    fn a_workspace_name_is_never_a_path() {
        for bad in ["", ".", "..", "a/b", "../a", "a\\b", "A", "-a", "a\0"] {
            assert!(bad.parse::<WorkspaceName>().is_err(), "{bad:?}");
        }
        assert!("demo_1-x".parse::<WorkspaceName>().is_ok());
    }
}
