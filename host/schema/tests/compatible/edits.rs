//! Changes of a schema: any, and ones that only widen it.

use serde_json::{Map, Value, json};

use super::generate::{Chance, keyword, schema, value, written};

/// Changes a schema in any way, at any place.
pub(crate) fn any(chance: &mut Chance, document: &mut Value) {
    let all = places(document, &Holding::ALL);
    let place = chance.pick(&all).clone();
    let target = document.pointer_mut(&place).expect("a place");
    match chance.below(16) {
        10.. => nudge(chance, target),
        0 => *target = schema(chance, 1),
        1 => *target = json!({"anyOf": [target.clone(), schema(chance, 1)]}),
        2 => *target = json!({"allOf": [target.clone(), schema(chance, 1)]}),
        3 if place.is_empty() => {}
        3 => *target = json!(chance.percent(70)),
        _ => {
            let Some(keywords) = target.as_object_mut() else {
                *target = schema(chance, 1);
                return;
            };
            let names: Vec<String> = keywords
                .keys()
                .filter(|it| *it != "$defs")
                .cloned()
                .collect();
            if !names.is_empty() && chance.percent(50) {
                keywords.remove(chance.pick(&names));
            } else {
                let (keyword, value) = keyword(chance, 1);
                keywords.insert(keyword.to_owned(), value);
            }
        }
    }
}

/// Changes what one keyword says, a little: where a comparison is wrong, it is so by one.
fn nudge(chance: &mut Chance, target: &mut Value) {
    let Some(keywords) = target.as_object_mut() else {
        return;
    };
    let names: Vec<String> = keywords.keys().cloned().collect();
    if names.is_empty() {
        return;
    }
    let name = chance.pick(&names).clone();
    let sibling = match name.as_str() {
        "minimum" => "exclusiveMinimum",
        "exclusiveMinimum" => "minimum",
        "maximum" => "exclusiveMaximum",
        "exclusiveMaximum" => "maximum",
        "anyOf" => "oneOf",
        "oneOf" => "anyOf",
        "then" => "else",
        "else" => "then",
        "contains" | "prefixItems" => "items",
        "additionalProperties" => "unevaluatedProperties",
        "unevaluatedProperties" => "additionalProperties",
        _ => name.as_str(),
    };
    let is_list = keywords[&name].is_array();
    let takes_list = ["anyOf", "oneOf"].contains(&sibling);
    if sibling != name && is_list == takes_list && chance.percent(50) {
        let said = keywords.remove(&name).expect("it is there");
        keywords.insert(sibling.to_owned(), said);
        return;
    }
    let is_count = name.ends_with("Length")
        || name.ends_with("Items")
        || name.ends_with("Properties")
        || name.ends_with("Contains");
    match &mut keywords[&name] {
        Value::Number(number) => {
            let by = *chance.pick(&[1.0, -1.0, 0.5, -0.5]);
            let by = if is_count { f64::trunc(by * 1.5) } else { by };
            let moved = (number.as_f64().expect("a small number") + by).max(if is_count {
                0.0
            } else {
                -9.0
            });
            if name != "multipleOf" {
                keywords.insert(name, written(moved));
            }
        }
        Value::Array(items) if items.len() > 1 => {
            let index = chance.below(items.len());
            items.remove(index);
        }
        Value::Object(fields) if name != "$defs" => {
            let keys: Vec<String> = fields.keys().cloned().collect();
            if !keys.is_empty() {
                fields.remove(chance.pick(&keys));
            }
        }
        Value::String(kind) if kind == "integer" => "number".clone_into(kind),
        Value::String(kind) if kind == "number" => "integer".clone_into(kind),
        Value::Bool(said) => *said = !*said,
        _ => {}
    }
}

/// Widens a schema at a place where what is below may only help it: every value that fitted still does.
/// Gives the name of the change, or nothing where none was found.
pub(crate) fn widen(chance: &mut Chance, document: &mut Value) -> Option<&'static str> {
    let all = places(document, &Holding::PLAIN);
    for _ in 0..TRIES {
        let place = chance.pick(&all);
        let (name, apply) = *chance.pick(&WIDENING);
        let target = document.pointer_mut(place).expect("a place");
        let is_open = target.get("additionalProperties") != Some(&json!(false));
        // A member that is named where any was allowed is narrower than before.
        if name == "add a member" && is_open {
            continue;
        }
        let Some(keywords) = target.as_object_mut() else {
            continue;
        };
        if apply(chance, keywords).is_some() {
            return Some(name);
        }
    }
    None
}

/// How many places and changes are tried before there is none.
const TRIES: usize = 60;

/// What widens a schema, if it applies there.
const WIDENING: [(&str, Change); 14] = [
    ("add a member", |chance, keywords| {
        let properties = keywords.get_mut("properties")?.as_object_mut()?;
        properties
            .insert("new".to_owned(), schema(chance, 1))
            .is_none()
            .then_some(())
    }),
    ("drop a required", |_, keywords| {
        keywords
            .get_mut("required")?
            .as_array_mut()?
            .pop()
            .map(drop)
    }),
    ("loosen a least", |_, keywords| {
        loosen(keywords, &["minimum", "exclusiveMinimum"], -1.0)
    }),
    ("loosen a most", |_, keywords| {
        loosen(keywords, &["maximum", "exclusiveMaximum"], 1.0)
    }),
    ("loosen a count", |_, keywords| {
        loosen(keywords, &["maxLength", "maxItems", "maxProperties"], 2.0)
    }),
    ("drop a count", |_, keywords| {
        ["minLength", "minItems"]
            .iter()
            .find_map(|it| keywords.remove(*it))
            .map(drop)
    }),
    ("drop a pattern", |_, keywords| {
        keywords.remove("pattern").map(drop)
    }),
    ("drop uniqueness", |_, keywords| {
        keywords.remove("uniqueItems").map(drop)
    }),
    ("extend an enumeration", |chance, keywords| {
        let values = keywords.get_mut("enum")?.as_array_mut()?;
        values.push(value(chance));
        Some(())
    }),
    ("widen a number", |_, keywords| {
        (keywords.get("type")? == "integer")
            .then(|| keywords.insert("type".to_owned(), json!("number")))?;
        Some(())
    }),
    ("allow null", |_, keywords| {
        let kind = keywords.get("type")?.as_str()?.to_owned();
        keywords.insert("type".to_owned(), json!([kind, "null"]));
        Some(())
    }),
    ("open an object", |chance, keywords| {
        let others = keywords.get_mut("additionalProperties")?;
        (*others == json!(false)).then(|| *others = schema(chance, 1))
    }),
    ("add an alternative", |chance, keywords| {
        keywords
            .get_mut("anyOf")?
            .as_array_mut()?
            .push(schema(chance, 1));
        Some(())
    }),
    ("put beside another", |chance, keywords| {
        let mut own = keywords.clone();
        let defs = own.remove("$defs");
        *keywords = Map::new();
        keywords.extend(defs.map(|defs| ("$defs".to_owned(), defs)));
        keywords.insert("anyOf".to_owned(), json!([schema(chance, 1), own]));
        Some(())
    }),
];

type Change = fn(&mut Chance, &mut Map<String, Value>) -> Option<()>;

fn loosen(keywords: &mut Map<String, Value>, names: &[&str], by: f64) -> Option<()> {
    let bound = names.iter().find(|name| keywords.contains_key(**name))?;
    let looser = keywords[*bound].as_f64()? + by;

    keywords.insert((*bound).to_owned(), written(looser));
    Some(())
}

/// Which keywords are gone through to find places.
struct Holding {
    one: &'static [&'static str],
    list: &'static [&'static str],
    named: &'static [&'static str],
}

impl Holding {
    const ALL: Self = Self {
        one: &[
            "items",
            "additionalProperties",
            "not",
            "if",
            "then",
            "else",
            "contains",
            "propertyNames",
            "unevaluatedProperties",
            "unevaluatedItems",
        ],
        list: &["anyOf", "oneOf", "allOf", "prefixItems"],
        named: &[
            "properties",
            "patternProperties",
            "$defs",
            "dependentSchemas",
        ],
    };
    /// Where wider below is wider above.
    const PLAIN: Self = Self {
        one: &["items", "additionalProperties"],
        list: &["anyOf", "prefixItems"],
        named: &["properties", "$defs"],
    };
}

/// The pointers to all schemas of a document.
fn places(document: &Value, holding: &Holding) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![(String::new(), document)];
    while let Some((place, value)) = pending.pop() {
        let Some(keywords) = value.as_object() else {
            continue;
        };
        found.push(place.clone());
        for (keyword, value) in keywords {
            let at = format!("{place}/{keyword}");
            let is = |list: &[&str]| list.contains(&keyword.as_str());
            match value {
                Value::Array(items) if is(holding.list) => {
                    let items = items.iter().enumerate();
                    pending.extend(items.map(|(n, item)| (format!("{at}/{n}"), item)));
                }
                Value::Object(map) if is(holding.named) => {
                    pending.extend(map.iter().map(|(name, it)| (format!("{at}/{name}"), it)));
                }
                value if is(holding.one) => pending.push((at, value)),
                _ => {}
            }
        }
    }
    if found.is_empty() {
        found.push(String::new());
    }
    found
}
