//! Types, values and JSON near a type, made from bytes: property test and fuzzer draw on the same.

use std::sync::Arc;

use cofferdam_values::{Case, Field, Type, Value};
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::{Map, Value as Json, json};

/// Names of fields, cases and flags: some need escapes in a pointer or in JSON.
const NAMES: [&str; 7] = ["a", "b-c", "ok", "some", "x/y~z", "é", "\u{1F600}\"\\"];
const CHARS: [char; 7] = ['a', '\0', '"', 'é', '\u{D7FF}', '\u{1F600}', '\u{10FFFF}'];
/// Numbers at the edges of some type, as JSON text.
const EDGES: [&str; 46] = [
    "0",
    "-0",
    "-0.0",
    "1.0",
    "1e3",
    "1.5",
    "-1",
    "127",
    "128",
    "-128",
    "-129",
    "127.0",
    "128.0",
    "127.5",
    "255",
    "256",
    "32767",
    "32768",
    "-32769",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "4294967295",
    "4294967296",
    "9007199254740991",
    "9007199254740992",
    "9007199254740991.0",
    "9007199254740992.0",
    "-9007199254740991",
    "-9007199254740992",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1e300",
    "5e-324",
    "1e-46",
    "3.4028234663852886e38",
    "3.4028234663852890e38",
    "-3.4028234663852890e38",
    "3.4028235677973366e38",
    "340282346638528859811704183484516925440",
];
/// Texts that are or nearly are something else.
const TEXTS: [&str; 27] = [
    "",
    "a",
    "ab",
    "é",
    "e\u{301}",
    "\u{1F600}",
    "NaN",
    "nan",
    "Infinity",
    "-Infinity",
    "+Infinity",
    "inf",
    "0",
    "-0",
    "00",
    "01",
    "+1",
    " 1",
    "1\n",
    "1.0",
    "1e3",
    "-1",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "٣",
];
const WIDE_TEXTS: [&str; 6] = [
    "18446744073709551615",
    "18446744073709551616",
    "18446744073709551599",
    "20000000000000000000",
    "9999999999999999999",
    "18446744073709561600",
];

/// Bytes to draw from; zeros when they end.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Bytes<'_> {
    pub(crate) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    fn word(&mut self) -> u64 {
        // Few bytes and many zeros make small numbers likely.
        let length = self.below(9);
        (0..length).fold(0, |word, _| (word << 8) | u64::from(self.byte()))
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn names(&mut self) -> Vec<Arc<str>> {
        let from = self.below(NAMES.len());
        let count = 1 + self.below(4);
        let names = NAMES.iter().cycle().skip(from).take(count);
        names.map(|name| Arc::from(*name)).collect()
    }
}

pub(crate) fn ty(bytes: &mut Bytes<'_>, depth: usize) -> Type {
    let kinds = if depth == 0 { 15 } else { 22 };
    match bytes.below(kinds) {
        0 => Type::Bool,
        1 => Type::S8,
        2 => Type::U8,
        3 => Type::S16,
        4 => Type::U16,
        5 => Type::S32,
        6 => Type::U32,
        7 => Type::S64,
        8 => Type::U64,
        9 => Type::F32,
        10 => Type::F64,
        11 => Type::Char,
        12 => Type::String,
        13 => Type::Enum(bytes.names().into()),
        14 => Type::Flags(bytes.names().into()),
        15 => Type::List(Arc::new(ty(bytes, depth - 1))),
        16 => Type::Tuple((0..bytes.below(4)).map(|_| ty(bytes, depth - 1)).collect()),
        17 => Type::Record(fields(bytes, depth - 1).into()),
        18 => {
            let names = bytes.names().into_iter();
            let cases = names.map(|name| Case {
                name,
                ty: payload(bytes, depth - 1).map(Arc::unwrap_or_clone),
            });
            Type::Variant(cases.collect())
        }
        19 => Type::Result {
            ok: payload(bytes, depth - 1),
            err: payload(bytes, depth - 1),
        },
        _ => Type::Option(Arc::new(ty(bytes, depth - 1))),
    }
}

fn fields(bytes: &mut Bytes<'_>, depth: usize) -> Vec<Field> {
    let names = bytes.names().into_iter();
    names
        .map(|name| Field {
            name,
            ty: ty(bytes, depth),
        })
        .collect()
}

fn payload(bytes: &mut Bytes<'_>, depth: usize) -> Option<Arc<Type>> {
    (bytes.below(2) == 1).then(|| Arc::new(ty(bytes, depth)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "any bits will do"
)]
pub(crate) fn value(ty: &Type, bytes: &mut Bytes<'_>) -> Value {
    let boxed = |ty: &Type, bytes: &mut Bytes<'_>| Some(Box::new(value(ty, bytes)));
    match ty {
        Type::Bool => Value::Bool(bytes.below(2) == 1),
        Type::S8 => Value::S8(bytes.word() as i8),
        Type::U8 => Value::U8(bytes.word() as u8),
        Type::S16 => Value::S16(bytes.word() as i16),
        Type::U16 => Value::U16(bytes.word() as u16),
        Type::S32 => Value::S32(bytes.word() as i32),
        Type::U32 => Value::U32(bytes.word() as u32),
        Type::S64 => Value::S64(bytes.word() as i64),
        Type::U64 => Value::U64(bytes.word()),
        Type::F32 => {
            let any = f32::from_bits(bytes.word() as u32);
            let any = if any.is_nan() { f32::NAN } else { any };
            Value::F32(bytes.pick(&[any, -0.0, f32::MAX, f32::MIN, f32::INFINITY, 0.1, f32::NAN]))
        }
        Type::F64 => {
            let any = f64::from_bits(bytes.word());
            let any = if any.is_nan() { f64::NAN } else { any };
            Value::F64(bytes.pick(&[
                any,
                -0.0,
                f64::MAX,
                f64::NEG_INFINITY,
                1.0,
                5e-324,
                f64::NAN,
            ]))
        }
        Type::Char => Value::Char(bytes.pick(&CHARS)),
        Type::String => {
            let count = bytes.below(4);
            Value::String((0..count).map(|_| bytes.pick(&CHARS)).collect())
        }
        Type::List(item) => {
            let count = bytes.below(4);
            Value::List((0..count).map(|_| value(item, bytes)).collect())
        }
        Type::Tuple(types) => Value::Tuple(types.iter().map(|ty| value(ty, bytes)).collect()),
        Type::Record(fields) => {
            Value::Record(fields.iter().map(|field| value(&field.ty, bytes)).collect())
        }
        Type::Variant(cases) => {
            let position = bytes.below(cases.len());
            let payload = cases[position].ty.as_ref();
            Value::Variant(position as u32, payload.and_then(|ty| boxed(ty, bytes)))
        }
        Type::Enum(names) => Value::Enum(bytes.below(names.len()) as u32),
        Type::Flags(names) => Value::Flags(names.iter().map(|_| bytes.below(2) == 1).collect()),
        Type::Option(_) if bytes.below(3) == 0 => Value::Option(None),
        Type::Option(item) => Value::Option(boxed(item, bytes)),
        Type::Result { ok, .. } if bytes.below(2) == 0 => {
            Value::Result(Ok(ok.as_ref().and_then(|ty| boxed(ty, bytes))))
        }
        Type::Result { err, .. } => {
            Value::Result(Err(err.as_ref().and_then(|ty| boxed(ty, bytes))))
        }
    }
}

/// Changes one place of a JSON value.
pub(crate) fn bend(json: &mut Json, bytes: &mut Bytes<'_>) {
    let stay = bytes.below(3) == 0;
    match json {
        Json::Array(items) if !stay && !items.is_empty() => {
            let at = bytes.below(items.len());
            return bend(&mut items[at], bytes);
        }
        Json::Object(members) if !stay && !members.is_empty() => {
            let at = bytes.below(members.len());
            if let Some(member) = members.values_mut().nth(at) {
                return bend(member, bytes);
            }
        }
        _ => {}
    }
    match (bytes.below(4), &mut *json) {
        (0, Json::Array(items)) => {
            items.pop();
        }
        (1, Json::Array(items)) => {
            let again = items.first().cloned().unwrap_or(Json::Null);
            items.push(again);
        }
        (0, Json::Object(members)) => {
            let first = members.keys().next().cloned();
            first.and_then(|name| members.remove(&name));
        }
        (1, Json::Object(members)) => {
            members.insert(bytes.pick(&NAMES).to_owned(), Json::Null);
        }
        (0, Json::Number(number)) => *json = number.to_string().into(),
        (0, Json::String(text)) => text.push('x'),
        (1 | 2, Json::Number(_)) => *json = edge(bytes),
        (1 | 2, Json::String(_)) => *json = text(bytes),
        _ => *json = any(bytes, 2),
    }
}

fn edge(bytes: &mut Bytes<'_>) -> Json {
    serde_json::from_str(bytes.pick(&EDGES)).expect("a JSON number")
}

fn text(bytes: &mut Bytes<'_>) -> Json {
    match bytes.below(4) {
        0 => bytes.pick(&NAMES).into(),
        1 => bytes.pick(&WIDE_TEXTS).into(),
        _ => bytes.pick(&TEXTS).into(),
    }
}

/// Any JSON.
pub(crate) fn any(bytes: &mut Bytes<'_>, depth: usize) -> Json {
    match bytes.below(if depth == 0 { 5 } else { 8 }) {
        0 => Json::Null,
        1 => json!(bytes.below(2) == 1),
        2 => json!(bytes.word()),
        3 => edge(bytes),
        4 => text(bytes),
        5 => (0..bytes.below(4)).map(|_| any(bytes, depth - 1)).collect(),
        6 => json!({bytes.pick(&["ok", "err", "some"]): any(bytes, depth - 1)}),
        _ => {
            let names = bytes.names().into_iter();
            let members = names.map(|name| (name.to_string(), any(bytes, depth - 1)));
            Json::Object(members.collect::<Map<_, _>>())
        }
    }
}

/// A validator as the host sets it up.
pub(crate) fn validator(ty: &Type) -> Validator {
    jsonschema::options()
        .offline()
        .with_draft(Draft::Draft202012)
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .build(&ty.schema())
        .expect("a derived schema is one")
}

/// Whether JSON is accepted, after checks that must hold for any JSON: schema and decoder agree, and
/// what is accepted comes back the same after it was encoded, also by way of text.
pub(crate) fn accepts(ty: &Type, validator: &Validator, json: &Json) -> bool {
    let decoded = ty.decode(json);
    let shown = || format!("{ty:?}\n{json}\n{}\n{decoded:?}", ty.schema());
    assert_eq!(decoded.is_ok(), validator.is_valid(json), "{}", shown());
    match &decoded {
        Ok(value) => returns(ty, validator, value),
        Err(faults) => {
            assert!(!faults.is_empty() && faults.len() <= 20, "{}", shown());
            for fault in faults {
                let is_there = json.pointer(&fault.pointer).is_some();
                assert!(
                    is_there || fault.reason == "missing",
                    "{fault:?}\n{}",
                    shown()
                );
            }
        }
    }
    decoded.is_ok()
}

/// Checks that a value becomes JSON that satisfies the schema and stands for the same value.
pub(crate) fn returns(ty: &Type, validator: &Validator, value: &Value) {
    let json = ty
        .encode(value.clone(), usize::MAX)
        .expect("a value of its type");
    assert!(validator.is_valid(&json), "{ty:?}\n{value:?}\n{json}");
    let text = json.to_string();
    // Its size is never thought larger than it is.
    assert_eq!(ty.encode(value.clone(), text.len()).as_ref(), Ok(&json));
    let read: Json = serde_json::from_str(&text).expect("JSON");
    for json in [json, read] {
        let again = ty.decode(&json).expect("accepted by its schema");
        // As text, because NaN is not equal to itself and -0.0 is equal to 0.0.
        assert_eq!(format!("{again:?}"), format!("{value:?}"), "{ty:?}\n{json}");
    }
}
