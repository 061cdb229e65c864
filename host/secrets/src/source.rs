//! Secrets that the host's surroundings give it: variables and files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cofferdam_types::{BadSecret, SecretName, SecretValue};
use thiserror::Error;

use crate::error::FileFault;
use crate::file;

/// What the variables begin with.
const PREFIX: &str = "COFFERDAM_SECRET_";
/// What those end with that name a file.
const FILE: &str = "_FILE";

/// Secrets by name, as the host's environment gives them.
///
/// **Shape**: `COFFERDAM_SECRET_GITHUB_TOKEN` holds the secret `github-token`;
/// `COFFERDAM_SECRET_GITHUB_TOKEN_FILE` names a file that does. `__` stands for the `/` of
/// `acme/github-token`. A variable is read once; a file at each use, so that what an orchestrator
/// puts there in its place is seen.
#[derive(Debug, Default)]
pub struct Sources(BTreeMap<SecretName, Source>);

#[derive(Debug)]
enum Source {
    Variable(SecretValue),
    File(PathBuf),
}

/// Where a secret comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The vault's own store.
    Stored,
    /// A variable of the host's environment.
    Variable,
    /// A file that such a variable names.
    File,
}

impl Kind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Variable => "variable",
            Self::File => "file",
        }
    }
}

/// A variable that gives no secret. Never holds what the variable holds.
#[derive(Debug, Error)]
pub enum SourceError {
    /// Its name is no secret's.
    #[error("`{0}` names no secret: expected `COFFERDAM_SECRET_` and words joined by `_`")]
    Name(String),
    /// Its content is no secret.
    #[error("`{variable}` holds no secret")]
    Value {
        /// The variable.
        variable: String,
        /// Why.
        source: BadSecret,
    },
    /// The file it names can't be read.
    #[error("the file that `{variable}` names holds no secret")]
    File {
        /// The variable.
        variable: String,
        /// Why.
        source: FileFault,
    },
    /// Two variables give one secret.
    #[error("`{0}` is given twice, by a variable and by a file: take one away")]
    Twice(SecretName),
}

impl Sources {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// Those among these variables. Every file is read once, so that a host doesn't start with one
    /// that it can't read. Blocks for that.
    ///
    /// **Errors**: [`SourceError`]; an empty variable is one too, since it is a secret that did
    /// not arrive.
    pub fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, SourceError> {
        let mut sources = Self::none();
        for (variable, content) in variables {
            let Some(variable) = variable.to_str().filter(|name| name.starts_with(PREFIX)) else {
                continue;
            };
            let name = &variable[PREFIX.len()..];
            if name == FILE.trim_start_matches('_') {
                // Somebody forgot the secret's name.
                return Err(SourceError::Name(variable.to_owned()));
            }
            let (name, source) = match name.strip_suffix(FILE) {
                Some(name) => (name, of_file(variable, PathBuf::from(content))?),
                None => (name, of_variable(variable, content)?),
            };
            let name = secret_name(name).ok_or_else(|| SourceError::Name(variable.to_owned()))?;
            if sources.0.contains_key(&name) {
                return Err(SourceError::Twice(name));
            }
            sources.0.insert(name, source);
        }
        Ok(sources)
    }

    /// Each name and where its value comes from.
    pub fn list(&self) -> impl Iterator<Item = (&SecretName, Kind)> {
        self.0.iter().map(|(name, source)| {
            let kind = match source {
                Source::Variable(_) => Kind::Variable,
                Source::File(_) => Kind::File,
            };
            (name, kind)
        })
    }

    pub(crate) fn has(&self, name: &SecretName) -> bool {
        self.0.contains_key(name)
    }

    /// The value of this name, if it is given here.
    pub(crate) async fn get(&self, name: &SecretName) -> Result<Option<SecretValue>, FileFault> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Source::Variable(value)) => Ok(Some(value.clone())),
            Some(Source::File(path)) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || file::read(&path)).await;
                // It has no panic of its own; a host that ends may take it away.
                let stopped = |_| FileFault::Io(std::io::ErrorKind::Interrupted.into());
                read.map_err(stopped)?.map(Some)
            }
        }
    }
}

fn of_variable(variable: &str, content: OsString) -> Result<Source, SourceError> {
    SecretValue::from_bytes(content.into_encoded_bytes())
        .map(Source::Variable)
        .map_err(|source| SourceError::Value {
            variable: variable.to_owned(),
            source,
        })
}

fn of_file(variable: &str, path: PathBuf) -> Result<Source, SourceError> {
    let check = |path: &Path| file::read(path).map(drop);
    match check(&path) {
        Ok(()) => Ok(Source::File(path)),
        Err(source) => Err(SourceError::File {
            variable: variable.to_owned(),
            source,
        }),
    }
}

/// `ACME__GITHUB_TOKEN` → `acme/github-token`. Only upper case, so that no two variables are one
/// secret.
fn secret_name(variable: &str) -> Option<SecretName> {
    let good = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    if !variable.bytes().all(good) {
        return None;
    }
    let name = variable.replace("__", "/").replace('_', "-");
    name.to_ascii_lowercase().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let variables = variables
            .iter()
            .map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Sources::from_variables(variables)
            .map(|sources| {
                sources
                    .list()
                    .map(|(name, kind)| format!("{name}:{}", kind.as_str()))
                    .collect()
            })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn variables_name_secrets() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("token");
        file::write_own(&path, b"a secret of a file\n").expect("written");
        let path = path.to_str().expect("a path of text");
        let found = of(&[
            ("HOME", "/root"),
            ("COFFERDAM_KEY", "something else"),
            ("COFFERDAM_SECRET_GITHUB_TOKEN", "password"),
            ("COFFERDAM_SECRET_ACME__K8S", "password"),
            ("COFFERDAM_SECRET_DB_FILE", path),
        ]);
        let expected = ["acme/k8s:variable", "db:file", "github-token:variable"];
        assert_eq!(found, Ok(expected.map(str::to_owned).to_vec()));
        for bad in [
            ("COFFERDAM_SECRET_", "password"),
            ("COFFERDAM_SECRET__A", "password"),
            ("COFFERDAM_SECRET_A_", "password"),
            ("COFFERDAM_SECRET_a", "password"),
            ("COFFERDAM_SECRET_A___B", "password"),
            ("COFFERDAM_SECRET_A__B__C", "password"),
            ("COFFERDAM_SECRET_A.B", "password"),
            ("COFFERDAM_SECRET_A", "short"),
            ("COFFERDAM_SECRET_A", ""),
            ("COFFERDAM_SECRET_A_FILE", ""),
            ("COFFERDAM_SECRET_A_FILE", "/nowhere/at/all"),
            ("COFFERDAM_SECRET_FILE", path),
        ] {
            let error = of(&[bad]).expect_err(bad.0);
            assert!(
                error.contains(bad.0) && !error.contains("password"),
                "{error}"
            );
        }
        let twice = [
            ("COFFERDAM_SECRET_A", "password"),
            ("COFFERDAM_SECRET_A_FILE", path),
        ];
        assert!(of(&twice).expect_err("twice").contains("twice"));
    }

    #[test]
    fn a_value_that_is_not_text_is_not_shown() {
        let value = OsString::from_vec(b"hunter22\xff".to_vec());
        let variables = [(OsString::from("COFFERDAM_SECRET_A"), value)];
        let error = Sources::from_variables(variables).expect_err("not text");
        assert!(!format!("{error:?} {error}").contains("hunter"));
    }

    #[tokio::test]
    async fn a_file_is_read_at_each_use() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("token");
        let give = |text: &str| file::write_own(&path, text.as_bytes()).expect("written");
        give("the first value");
        let name = OsString::from("COFFERDAM_SECRET_A_FILE");
        let sources = Sources::from_variables([(name, path.clone().into_os_string())]);
        let sources = sources.expect("a good source");
        let name = "a".parse().expect("a name");
        for text in ["the first value", "the second value"] {
            give(text);
            let value = sources.get(&name).await.expect("readable").expect("there");
            assert_eq!(value.reveal(), text);
        }
        std::fs::remove_file(&path).expect("removed");
        assert!(sources.get(&name).await.is_err());
    }
}
