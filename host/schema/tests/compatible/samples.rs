//! Values that fit a schema, nearly.

use serde_json::{Map, Value, json};

use super::generate::{Chance, NAMES, about, value, written};

/// A value that fits `schema`, or breaks it in a place or two.
pub(crate) fn sample(chance: &mut Chance, schema: &Value, document: &Value, depth: usize) -> Value {
    if depth == 0 || chance.percent(8) {
        return value(chance);
    }
    let Value::Object(keywords) = gathered(chance, schema, document, 4) else {
        return value(chance);
    };
    if let Some(value) = keywords.get("const")
        && chance.percent(90)
    {
        return value.clone();
    }
    if let Some(Value::Array(values)) = keywords.get("enum")
        && !values.is_empty()
        && chance.percent(90)
    {
        return chance.pick(values).clone();
    }
    let kind = match keywords.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => chance.pick(kinds).as_str().unwrap_or("null").to_owned(),
        _ => implied(chance, &keywords),
    };
    match kind.as_str() {
        "null" => json!(null),
        "boolean" => json!(chance.percent(50)),
        "integer" => number(chance, &keywords, true),
        "number" => number(chance, &keywords, false),
        "string" => text(chance, &keywords),
        "array" => array(chance, &keywords, document, depth),
        _ => object(chance, &keywords, document, depth),
    }
}

/// A type that the keywords are about.
fn implied(chance: &mut Chance, keywords: &Map<String, Value>) -> String {
    let kinds: Vec<&str> = keywords.keys().filter_map(|it| about(it)).collect();
    if kinds.is_empty() || chance.percent(20) {
        let all = [
            "null", "boolean", "integer", "number", "string", "array", "object",
        ];
        (*chance.pick(&all)).to_owned()
    } else {
        (*chance.pick(&kinds)).to_owned()
    }
}

/// The schema's keywords with those of what applies beside it, some alternative of each among them.
fn gathered(chance: &mut Chance, schema: &Value, document: &Value, depth: usize) -> Value {
    let Some(keywords) = schema.as_object() else {
        return schema.clone();
    };
    let mut all = keywords.clone();
    if depth == 0 {
        return Value::Object(all);
    }
    let mut beside: Vec<&Value> = Vec::new();
    if let Some(place) = keywords.get("$ref").and_then(Value::as_str) {
        beside.extend(document.pointer(place.trim_start_matches('#')));
    }
    beside.extend(
        keywords
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten(),
    );
    for keyword in ["anyOf", "oneOf"] {
        if let Some(list) = keywords.get(keyword).and_then(Value::as_array) {
            beside.push(chance.pick(list));
        }
    }
    for keyword in ["if", "then", "else"] {
        if chance.percent(50) {
            beside.extend(keywords.get(keyword));
        }
    }
    if let Some(Value::Object(dependent)) = keywords.get("dependentSchemas") {
        beside.extend(dependent.values());
    }
    for one in beside {
        let Value::Object(more) = gathered(chance, one, document, depth - 1) else {
            continue;
        };
        for (keyword, value) in more {
            match (all.get_mut(&keyword), value) {
                (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
                (Some(Value::Array(known)), Value::Array(more)) if keyword == "required" => {
                    known.extend(more);
                }
                (Some(known), value) if chance.percent(50) => *known = value,
                (Some(_), _) => {}
                (None, value) => {
                    all.insert(keyword, value);
                }
            }
        }
    }
    Value::Object(all)
}

fn number(chance: &mut Chance, keywords: &Map<String, Value>, is_whole: bool) -> Value {
    let bounds = [
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    ];
    let bounds: Vec<f64> = bounds
        .iter()
        .filter_map(|it| keywords.get(*it)?.as_f64())
        .collect();
    let mut number = if bounds.is_empty() {
        f64::from(chance.number())
    } else {
        *chance.pick(&bounds) + *chance.pick(&[0.0, 0.0, 1.0, -1.0, 0.5, -0.5])
    };
    if is_whole && chance.percent(95) {
        number = number.trunc();
    }
    if chance.percent(80) {
        written(number)
    } else {
        json!(number)
    }
}

fn text(chance: &mut Chance, keywords: &Map<String, Value>) -> Value {
    match keywords.get("format").and_then(Value::as_str) {
        Some("date") if chance.percent(70) => return json!("2020-01-01"),
        Some("ipv4") if chance.percent(70) => return json!("1.2.3.4"),
        _ => {}
    }
    let start = *chance.pick(&["a", "b", "ab", "x1", "", "a1"]);
    let mut text = start.to_owned();
    let length = count(chance, keywords, "minLength", "maxLength");
    if chance.percent(80) {
        text.truncate(length);
        while text.len() < length {
            text.push(*chance.pick(&['a', 'b', '1']));
        }
    }
    json!(text)
}

/// A count at one of the bounds, or one off.
fn count(chance: &mut Chance, keywords: &Map<String, Value>, least: &str, most: &str) -> usize {
    let bounds = [keywords.get(least), keywords.get(most)];
    let bounds: Vec<u64> = bounds
        .into_iter()
        .flatten()
        .filter_map(Value::as_u64)
        .collect();
    let near = if bounds.is_empty() {
        chance.below(4) as u64
    } else {
        *chance.pick(&bounds)
    };
    let near = match chance.below(10) {
        0 | 1 => near + 1,
        2 => near.saturating_sub(1),
        _ => near,
    };
    usize::try_from(near.min(8)).expect("small")
}

fn array(
    chance: &mut Chance,
    keywords: &Map<String, Value>,
    document: &Value,
    depth: usize,
) -> Value {
    let first = keywords.get("prefixItems").and_then(Value::as_array);
    let length = count(chance, keywords, "minItems", "maxItems");
    let mut items: Vec<Value> = Vec::new();
    for index in 0..length {
        let rest = ["items", "contains", "unevaluatedItems"];
        let rest: Vec<&Value> = rest.iter().filter_map(|it| keywords.get(*it)).collect();
        let schema = first
            .and_then(|first| first.get(index))
            .or_else(|| (!rest.is_empty()).then(|| *chance.pick(&rest)));
        let item = match schema {
            _ if !items.is_empty() && chance.percent(10) => items[0].clone(),
            Some(schema) => sample(chance, schema, document, depth - 1),
            None => value(chance),
        };
        items.push(item);
    }
    Value::from(items)
}

fn object(
    chance: &mut Chance,
    keywords: &Map<String, Value>,
    document: &Value,
    depth: usize,
) -> Value {
    let required: Vec<&str> = keywords
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let properties = keywords.get("properties").and_then(Value::as_object);
    let mut names: Vec<&str> = required.clone();
    names.extend(
        properties
            .into_iter()
            .flat_map(|properties| properties.keys().map(String::as_str)),
    );
    if chance.percent(40) {
        names.push(*chance.pick(&NAMES));
    }
    let mut object = Map::new();
    for name in names {
        let percent = if required.contains(&name) { 95 } else { 55 };
        if !chance.percent(percent) || object.contains_key(name) {
            continue;
        }
        let mut others: Vec<&Value> = ["additionalProperties", "unevaluatedProperties"]
            .iter()
            .filter_map(|it| keywords.get(*it))
            .collect();
        let patterns = keywords.get("patternProperties").and_then(Value::as_object);
        others.extend(patterns.into_iter().flat_map(Map::values));
        let schema = properties.and_then(|properties| properties.get(name));
        let schema = schema.or_else(|| (!others.is_empty()).then(|| *chance.pick(&others)));
        let member = match schema {
            Some(schema) => sample(chance, schema, document, depth - 1),
            None => value(chance),
        };
        object.insert(name.to_owned(), member);
    }
    Value::Object(object)
}
