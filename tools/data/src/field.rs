//! How a caller names a part of a row.

use std::borrow::Cow;

use cofferdam_sdk::schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::json::{Json, Name};

/// The name of a member, a dotted path, a JSON pointer, or `.` for the row itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    text: String,
    tokens: Vec<String>,
}

impl Field {
    pub(crate) fn new(text: &str) -> Self {
        let tokens = if text.starts_with('/') {
            pointer(text)
        } else if text.is_empty() || text == "." {
            Vec::new()
        } else {
            text.split('.').map(str::to_owned).collect()
        };
        Self {
            text: text.to_owned(),
            tokens,
        }
    }

    /// The member of this very name, whatever characters it has; `.` is the row itself.
    pub(crate) fn member(name: &str) -> Self {
        let tokens = if name == "." {
            Vec::new()
        } else {
            vec![name.to_owned()]
        };
        Self {
            text: name.to_owned(),
            tokens,
        }
    }

    /// The part of `row`, if there is one. A member whose name has dots wins over a path.
    pub(crate) fn of<'a>(&self, row: &'a Json) -> Option<&'a Json> {
        match row.member(&self.text) {
            None => row.at(&self.tokens),
            found => found,
        }
    }

    /// The part of `row`, or null.
    pub(crate) fn or_null(&self, row: &Json) -> Json {
        self.of(row).cloned().unwrap_or(Json::Null)
    }

    /// What it is called when nothing else is said: the last word of the path.
    pub(crate) fn alias(&self) -> Name {
        match self.tokens.last() {
            Some(last) => last.as_str().into(),
            None => "value".into(),
        }
    }

    /// The members of a row that it may look at; nothing when it looks at the whole row.
    pub(crate) fn members(&self) -> Option<[&str; 2]> {
        self.tokens
            .first()
            .map(|first| [self.text.as_str(), first.as_str()])
    }

    /// The names and numbers that lead to it.
    pub(crate) fn tokens(&self) -> &[String] {
        &self.tokens
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// The tokens of a JSON pointer (RFC 6901).
fn pointer(text: &str) -> Vec<String> {
    text.split('/')
        .skip(1)
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect()
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&Cow::<str>::deserialize(deserializer)?))
    }
}

impl JsonSchema for Field {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Field".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_find_their_part() {
        let row: Json = serde_json::from_str(
            r#"{"a": {"b": [10, {"c": 20}], "": 30}, "x.y": 40, "x": {"y": 50}, "s/t": 60}"#,
        )
        .expect("JSON");
        for (field, expected, alias) in [
            ("a.b.0", Some("10"), "0"),
            ("a.b.1.c", Some("20"), "c"),
            ("/a/b/1/c", Some("20"), "c"),
            ("/a/", Some("30"), ""),
            ("x.y", Some("40"), "y"),
            ("/x/y", Some("50"), "y"),
            ("s/t", Some("60"), "s/t"),
            ("/s~1t", Some("60"), "s/t"),
            ("a.b.01", None, "01"),
            ("a.b.2", None, "2"),
            ("none", None, "none"),
            ("x.z", None, "z"),
        ] {
            let field = Field::new(field);
            let found = field.of(&row).map(ToString::to_string);
            assert_eq!(found.as_deref(), expected, "{field:?}");
            assert_eq!(&*field.alias(), alias);
        }
        assert_eq!(Field::new(".").of(&row), Some(&row));
        assert_eq!(Field::new(".").of(&Json::Int(1)), Some(&Json::Int(1)));
        assert_eq!(&*Field::new(".").alias(), "value");
    }
}
