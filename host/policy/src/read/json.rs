//! JSON, as RFC 8259 has it. Written here because the usual parser keeps no places.

use super::DEPTH_MAX;
use crate::error::Mistake;
use crate::node::{Key, Node, Place, Value};

pub(super) fn read(text: &str) -> Result<Node, Vec<Mistake>> {
    let mut reader = Reader {
        rest: text,
        place: Place::START,
    };
    let node = reader.node(DEPTH_MAX).and_then(|node| {
        reader.blank();
        if reader.rest.is_empty() {
            Ok(node)
        } else {
            reader.fail("nothing may stand after the document")
        }
    });
    node.map_err(|mistake| vec![mistake])
}

struct Reader<'a> {
    rest: &'a str,
    place: Place,
}

type Read<T> = Result<T, Mistake>;

impl<'a> Reader<'a> {
    fn fail<T>(&self, reason: impl Into<String>) -> Read<T> {
        Err(Mistake::new(self.place, reason))
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Goes on by `bytes`, which end at the end of a character.
    fn skip(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        for c in taken.chars() {
            if c == '\n' {
                self.place.line = self.place.line.saturating_add(1);
                self.place.column = 1;
            } else {
                self.place.column = self.place.column.saturating_add(1);
            }
        }
        self.rest = rest;
        taken
    }

    fn blank(&mut self) {
        let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
        let after = self.rest.trim_start_matches(is_blank).len();
        self.skip(self.rest.len() - after);
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.rest.starts_with(c);
        if found {
            self.skip(c.len_utf8());
        }
        found
    }

    fn node(&mut self, depth: usize) -> Read<Node> {
        self.blank();
        let place = self.place;
        let value = match self.peek() {
            None => return self.fail("it ends in the middle of a value"),
            Some('{' | '[') if depth == 0 => {
                return self.fail(format!("nested deeper than {DEPTH_MAX}"));
            }
            Some('{') => self.map(depth - 1)?,
            Some('[') => self.list(depth - 1)?,
            Some('"') => Value::Text(self.text()?),
            Some('-' | '0'..='9') => self.number()?,
            Some(_) => self.word()?,
        };
        Ok(Node { place, value })
    }

    fn word(&mut self) -> Read<Value> {
        let words = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ];
        for (word, value) in words {
            if self.rest.starts_with(word) {
                self.skip(word.len());
                return Ok(value);
            }
        }
        self.fail("expected a value")
    }

    fn list(&mut self, depth: usize) -> Read<Value> {
        self.skip(1);
        let mut items = Vec::new();
        self.blank();
        if self.take(']') {
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.node(depth)?);
            self.blank();
            if self.take(']') {
                return Ok(Value::List(items));
            }
            if !self.take(',') {
                return self.fail("expected `,` or `]`");
            }
        }
    }

    fn map(&mut self, depth: usize) -> Read<Value> {
        self.skip(1);
        let mut fields = Vec::new();
        self.blank();
        if self.take('}') {
            return Ok(Value::Map(fields));
        }
        loop {
            self.blank();
            let place = self.place;
            if self.peek() != Some('"') {
                return self.fail("expected a key in double quotes");
            }
            let text = self.text()?;
            self.blank();
            if !self.take(':') {
                return self.fail("expected `:`");
            }
            fields.push((Key { place, text }, self.node(depth)?));
            self.blank();
            if self.take('}') {
                return Ok(Value::Map(fields));
            }
            if !self.take(',') {
                return self.fail("expected `,` or `}`");
            }
        }
    }

    /// The text is bounded here; what is in it is read by the usual parser.
    fn text(&mut self) -> Read<String> {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    let quoted = self.rest.get(..=at).unwrap_or_default();
                    let Ok(text) = serde_json::from_str(quoted) else {
                        return self.fail("it holds an escape that JSON doesn't have");
                    };
                    self.skip(quoted.len());
                    return Ok(text);
                }
                c if c < ' ' => return self.fail("a text ends on its own line"),
                _ => {}
            }
        }
        self.fail("it ends in the middle of a text")
    }

    fn number(&mut self) -> Read<Value> {
        let is_part = |c: char| matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let text = self.rest.get(..end).unwrap_or_default();
        let Ok(number) = serde_json::from_str::<serde_json::Number>(text) else {
            return self.fail("no number here can be so");
        };
        let value = match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), _, _) => Value::Integer(number.into()),
            (_, Some(number), _) => Value::Integer(number.into()),
            (_, _, Some(number)) if !is_whole(text) => Value::Float(number),
            _ => return self.fail("no number here can be so large"),
        };
        self.skip(end);
        Ok(value)
    }
}

fn is_whole(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_digit())
}
