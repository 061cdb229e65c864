//! Which paths a caller means by a glob.

use cofferdam_sdk::ToolError;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// A glob longer than this is a mistake, and compiling it would only cost fuel.
const PATTERN_BYTES_MAX: usize = 1024;

/// More globs than this in one call are a mistake, for the same reason.
const PATTERNS_MAX: usize = 64;

/// Left out of recursive walks unless the caller says otherwise: a repository's object store is
/// large, binary and never what was meant.
const EXCLUDED: &[&str] = &[".git"];

/// What a walk keeps and what it leaves out.
pub(crate) struct Globs {
    keep: Option<GlobSet>,
    exclude: GlobSet,
}

impl Globs {
    /// Compiles `keep` and `exclude`, or the default exclusions where `exclude` is absent.
    ///
    /// **Errors**: `invalid_glob`.
    pub(crate) fn new(keep: Option<&str>, exclude: Option<&[String]>) -> Result<Self, ToolError> {
        let keep = keep.map(|pattern| set([pattern].into_iter())).transpose()?;
        let exclude = match exclude {
            Some(patterns) if patterns.len() > PATTERNS_MAX => {
                return Err(ToolError::new(
                    "invalid_glob",
                    format!(
                        "exclude has {} globs; {PATTERNS_MAX} are allowed",
                        patterns.len()
                    ),
                ));
            }
            Some(patterns) => set(patterns.iter().map(String::as_str))?,
            None => set(EXCLUDED.iter().copied())?,
        };
        Ok(Self { keep, exclude })
    }

    /// Whether the caller asked for `path`, which is relative to the directory that is walked.
    pub(crate) fn keeps(&self, path: &str) -> bool {
        self.keep.as_ref().is_none_or(|set| set.is_match(path))
    }

    /// Whether `path` is left out, and what lies below it with it.
    pub(crate) fn excludes(&self, path: &str) -> bool {
        self.exclude.is_match(path)
    }
}

fn set<'a>(patterns: impl Iterator<Item = &'a str>) -> Result<GlobSet, ToolError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let invalid =
            |why: String| ToolError::new("invalid_glob", format!("glob {pattern:?}: {why}"));
        if pattern.len() > PATTERN_BYTES_MAX {
            return Err(invalid(format!("longer than {PATTERN_BYTES_MAX} bytes")));
        }
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        // Like in an ignore file: a name alone is looked for at every depth.
        let anywhere = if pattern.contains('/') {
            pattern.to_owned()
        } else {
            format!("**/{pattern}")
        };
        let glob = GlobBuilder::new(&anywhere)
            .literal_separator(true)
            .build()
            .map_err(|error| invalid(error.kind().to_string()))?;
        set.add(glob);
    }
    set.build()
        .map_err(|error| ToolError::new("invalid_glob", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_names_and_paths() {
        for (glob, path, expected) in [
            ("*.rs", "main.rs", true),
            ("*.rs", "src/main.rs", true),
            ("*.rs", "src/main.rst", false),
            ("./src/*.rs", "src/main.rs", true),
            ("src/*.rs", "src/deep/main.rs", false),
            ("src/**/*.rs", "src/deep/er/main.rs", true),
            ("src/**/*.rs", "src/main.rs", true),
            ("**/*.{rs,toml}", "a/Cargo.toml", true),
            ("[ab].txt", "b.txt", true),
            ("[!ab].txt", "b.txt", false),
        ] {
            let globs = Globs::new(Some(glob), None).expect(glob);
            assert_eq!(globs.keeps(path), expected, "{glob} on {path}");
        }
    }

    #[test]
    fn exclusions_have_a_default() {
        let globs = Globs::new(None, None).expect("no globs");
        assert!(globs.excludes(".git") && globs.excludes("sub/.git"));
        assert!(!globs.excludes(".gitignore"));
        assert!(globs.keeps("anything"));
        assert!(!Globs::new(None, Some(&[])).expect("none").excludes(".git"));
        let target = ["target".to_owned()];
        assert!(
            Globs::new(None, Some(&target))
                .expect("one")
                .excludes("a/target")
        );
    }

    #[test]
    fn broken_globs_are_refused() {
        let long = "x".repeat(PATTERN_BYTES_MAX + 1);
        for glob in ["[a", "{a,b", "a\\", long.as_str()] {
            assert_eq!(
                Globs::new(Some(glob), None).err().expect(glob).code,
                "invalid_glob"
            );
        }
        let many = vec!["x".to_owned(); PATTERNS_MAX + 1];
        assert_eq!(
            Globs::new(None, Some(&many)).err().expect("many").code,
            "invalid_glob"
        );
    }
}
