//! JSON to value.

use std::fmt::Write;
use std::sync::Arc;

use cofferdam_types::failure::Fault;
use serde_json::{Map, Value as Json};

use crate::number::{double, is_canonical, range, single, whole};
use crate::{Case, Field, Type, Value};

/// Most faults of one answer; the caller mends these first anyway.
pub const FAULTS_MAX: usize = 20;
/// Most values that JSON may leave out: absent options, and flags not set. All other values are
/// bounded by the text they come from, while a list of `{}` could stand for a thousand times its
/// own size. At about 32 bytes each these are 32 MiB.
pub const ABSENT_MAX: usize = 1 << 20;
/// Longest list of names in a reason, in bytes.
const NAMES_BYTES_MAX: usize = 200;
/// Longest name of an unknown field that is repeated in a pointer, in bytes. Names of WIT are
/// shorter; a longer one is somebody's data.
const UNKNOWN_BYTES_MAX: usize = 64;

impl Type {
    /// The value that a JSON value stands for, or what is wrong with it: up to [`FAULTS_MAX`]
    /// faults, with pointers from this value on.
    pub fn decode(&self, json: &Json) -> Result<Value, Vec<Fault>> {
        Decoder::run(|decoder| decoder.value(self, json))
    }
}

/// The values of an object's fields, in the order of the fields.
pub(crate) fn fields(fields: &[Field], json: &Json) -> Result<Vec<Value>, Vec<Fault>> {
    Decoder::run(|decoder| decoder.fields(fields, json))
}

/// A step from a value to one of its parts.
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// Decodes, and goes on after a fault to find more.
struct Decoder<'a> {
    /// Where it is; written out only when there is a fault.
    path: Vec<Step<'a>>,
    faults: Vec<Fault>,
    absent_left: usize,
}

impl<'a> Decoder<'a> {
    fn run<T>(decode: impl FnOnce(&mut Self) -> Option<T>) -> Result<T, Vec<Fault>> {
        let mut decoder = Self {
            path: Vec::new(),
            faults: Vec::new(),
            absent_left: ABSENT_MAX,
        };
        // None comes with a fault, but a fault may also come with a value, of the parts around it.
        match decode(&mut decoder) {
            Some(value) if decoder.faults.is_empty() => Ok(value),
            _ => Err(decoder.faults),
        }
    }

    fn value(&mut self, ty: &'a Type, json: &'a Json) -> Option<Value> {
        match ty {
            Type::Bool => self.some(json.as_bool().map(Value::Bool), "expected true or false"),
            Type::S8 | Type::U8 | Type::S16 | Type::U16 | Type::S32 | Type::U32 => {
                self.narrow(ty, json)
            }
            Type::S64 | Type::U64 => self.wide(ty, json),
            Type::F32 => self.some(
                single(json).map(Value::F32),
                "expected a number in the range of f32, or \"NaN\", \"Infinity\" or \"-Infinity\"",
            ),
            Type::F64 => self.some(
                double(json).map(Value::F64),
                "expected a number, or \"NaN\", \"Infinity\" or \"-Infinity\"",
            ),
            Type::Char => self.some(one_char(json), "expected a string of one character"),
            Type::String => {
                let text = json.as_str().map(|text| Value::String(text.to_owned()));
                self.some(text, "expected a string")
            }
            Type::List(item) => {
                let items = self.some(json.as_array(), "expected an array")?;
                let pairs = items.iter().map(|json| (&**item, json));
                self.items(items.len(), pairs).map(Value::List)
            }
            Type::Tuple(types) => {
                let items = json.as_array().filter(|items| items.len() == types.len());
                let Some(items) = items else {
                    return self.fault(format!("expected an array of {} items", types.len()));
                };
                self.items(types.len(), types.iter().zip(items))
                    .map(Value::Tuple)
            }
            Type::Record(fields) => self.fields(fields, json).map(Value::Record),
            Type::Variant(cases) => self.variant(cases, json),
            Type::Enum(names) => {
                let position = json.as_str().and_then(|text| position(names, text));
                let Some(position) = position else {
                    return self.fault(expected_one_of(names.iter().map(|name| &**name)));
                };
                Some(Value::Enum(position))
            }
            Type::Flags(names) => self.flags(names, json),
            Type::Option(item) => self.option(item, json),
            Type::Result { ok, err } => self.result(ok.as_ref(), err.as_ref(), json),
        }
    }

    fn narrow(&mut self, ty: &Type, json: &Json) -> Option<Value> {
        let range = range(ty)?;
        let value = whole(json, range).and_then(|number| match ty {
            Type::S8 => number.try_into().ok().map(Value::S8),
            Type::U8 => number.try_into().ok().map(Value::U8),
            Type::S16 => number.try_into().ok().map(Value::S16),
            Type::U16 => number.try_into().ok().map(Value::U16),
            Type::S32 => number.try_into().ok().map(Value::S32),
            _ => number.try_into().ok().map(Value::U32),
        });
        if value.is_none() {
            let (min, max) = range;
            return self.fault(format!("expected a whole number from {min} to {max}"));
        }
        value
    }

    fn wide(&mut self, ty: &Type, json: &Json) -> Option<Value> {
        let range = range(ty)?;
        let is_signed = *ty == Type::S64;
        let value = match json {
            Json::String(text) if !is_canonical(text) => None,
            Json::String(text) if is_signed => text.parse().ok().map(Value::S64),
            Json::String(text) => text.parse().ok().map(Value::U64),
            _ => whole(json, range).and_then(|number| {
                if is_signed {
                    Some(Value::S64(number))
                } else {
                    number.try_into().ok().map(Value::U64)
                }
            }),
        };
        if value.is_none() {
            let (min, max) = range;
            let (least, most) = if is_signed {
                (i64::MIN.to_string(), i64::MAX.to_string())
            } else {
                ("0".to_owned(), u64::MAX.to_string())
            };
            return self.fault(format!(
                "expected a whole number from {min} to {max}, or from {least} to {most} as a decimal string"
            ));
        }
        value
    }

    fn items(
        &mut self,
        count: usize,
        pairs: impl Iterator<Item = (&'a Type, &'a Json)>,
    ) -> Option<Vec<Value>> {
        let mut values = Vec::with_capacity(count);
        for (index, (ty, json)) in pairs.enumerate() {
            if let Some(value) = self.at(Step::Index(index), |it| it.value(ty, json)) {
                values.push(value);
            } else if self.is_full() {
                return None;
            }
        }
        Some(values)
    }

    fn fields(&mut self, fields: &'a [Field], json: &'a Json) -> Option<Vec<Value>> {
        let object = self.some(json.as_object(), "expected an object")?;
        let mut values = Vec::with_capacity(fields.len());
        let mut known = 0;
        for field in fields {
            let name = &*field.name;
            let value = if let Some(json) = object.get(name) {
                known += 1;
                self.at(Step::Name(name), |it| it.value(&field.ty, json))
            } else if field.ty.is_option() {
                self.absent(1).map(|()| Value::Option(None))
            } else {
                self.at(Step::Name(name), |it| it.fault("missing"))
            };
            values.extend(value);
            if self.is_full() {
                return None;
            }
        }
        if known < object.len() {
            self.unknown(fields, object);
        }
        Some(values)
    }

    fn unknown(&mut self, fields: &'a [Field], object: &'a Map<String, Json>) {
        let is_known = |name: &str| fields.iter().any(|field| &*field.name == name);
        for name in object.keys().filter(|name| !is_known(name)) {
            if self.is_full() {
                return;
            }
            let names = expected_one_of(fields.iter().map(|field| &*field.name));
            if name.len() <= UNKNOWN_BYTES_MAX {
                self.at(Step::Name(name), |it| {
                    it.fault::<()>(format!("unknown field; {names}"))
                });
            } else {
                self.fault::<()>(format!("unknown field with a long name; {names}"));
            }
        }
    }

    fn variant(&mut self, cases: &'a [Case], json: &'a Json) -> Option<Value> {
        let (name, payload) = match json {
            Json::String(name) => (name, None),
            Json::Object(object) if object.len() == 1 => {
                let (name, payload) = object.iter().next()?;
                (name, Some(payload))
            }
            _ => return self.fault(expected_case(cases)),
        };
        let found = (0..).zip(cases).find(|(_, case)| *case.name == **name);
        let Some((position, case)) = found else {
            return self.fault(expected_case(cases));
        };
        match (&case.ty, payload) {
            (None, None) => Some(Value::Variant(position, None)),
            (Some(ty), Some(payload)) => {
                let value = self.at(Step::Name(&case.name), |it| it.value(ty, payload))?;
                Some(Value::Variant(position, Some(Box::new(value))))
            }
            (None, Some(_)) => {
                self.fault("this case has no payload: write its name alone, as a string")
            }
            (Some(_), None) => {
                self.fault("this case has a payload: write {\"the case's name\": payload}")
            }
        }
    }

    fn flags(&mut self, names: &'a [Arc<str>], json: &'a Json) -> Option<Value> {
        let items = self.some(json.as_array(), "expected an array of names")?;
        self.absent(names.len().saturating_sub(items.len()))?;
        let mut set = vec![false; names.len()];
        for (index, item) in items.iter().enumerate() {
            let flag = item.as_str().and_then(|text| position(names, text));
            let flag = flag.and_then(|flag| set.get_mut(flag as usize));
            let reason = match flag {
                Some(flag) if !*flag => {
                    *flag = true;
                    continue;
                }
                Some(_) => "named twice".to_owned(),
                None => expected_one_of(names.iter().map(|name| &**name)),
            };
            self.at(Step::Index(index), |it| it.fault::<()>(reason));
            if self.is_full() {
                return None;
            }
        }
        Some(Value::Flags(set))
    }

    fn option(&mut self, item: &'a Type, json: &'a Json) -> Option<Value> {
        let value = match json {
            Json::Null => return Some(Value::Option(None)),
            Json::Object(object) if item.is_option() && object.len() == 1 => {
                let inner = object.get("some");
                let inner = self.some(inner, "expected null or {\"some\": value}")?;
                self.at(Step::Name("some"), |it| it.value(item, inner))?
            }
            _ if item.is_option() => return self.fault("expected null or {\"some\": value}"),
            _ => self.value(item, json)?,
        };
        Some(Value::Option(Some(Box::new(value))))
    }

    fn result(
        &mut self,
        ok: Option<&'a Arc<Type>>,
        err: Option<&'a Arc<Type>>,
        json: &'a Json,
    ) -> Option<Value> {
        const EXPECTED: &str = "expected {\"ok\": value} or {\"err\": value}";
        let member = json.as_object().filter(|object| object.len() == 1);
        let (name, json) = self.some(member.and_then(|it| it.iter().next()), EXPECTED)?;
        match name.as_str() {
            "ok" => self.at(Step::Name("ok"), |it| {
                it.payload(ok, json, |value| Value::Result(Ok(value)))
            }),
            "err" => self.at(Step::Name("err"), |it| {
                it.payload(err, json, |value| Value::Result(Err(value)))
            }),
            _ => self.fault(EXPECTED),
        }
    }

    fn payload(
        &mut self,
        ty: Option<&'a Arc<Type>>,
        json: &'a Json,
        wrap: impl FnOnce(Option<Box<Value>>) -> Value,
    ) -> Option<Value> {
        let value = match ty {
            Some(ty) => Some(Box::new(self.value(ty, json)?)),
            None => self.some(json.as_null(), "expected null").map(|()| None)?,
        };
        Some(wrap(value))
    }

    /// Takes note of values that the JSON left out.
    fn absent(&mut self, count: usize) -> Option<()> {
        if let Some(left) = self.absent_left.checked_sub(count) {
            self.absent_left = left;
            return Some(());
        }
        self.fault(format!(
            "more than {ABSENT_MAX} fields and flags are left out"
        ))
    }

    fn at<T>(&mut self, step: Step<'a>, inner: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = inner(self);
        self.path.pop();
        result
    }

    fn some<T>(&mut self, value: Option<T>, reason: &str) -> Option<T> {
        if value.is_none() {
            return self.fault(reason);
        }
        value
    }

    fn fault<T>(&mut self, reason: impl Into<String>) -> Option<T> {
        if !self.is_full() {
            self.faults.push(Fault {
                pointer: pointer(&self.path),
                reason: reason.into(),
            });
        }
        None
    }

    fn is_full(&self) -> bool {
        self.faults.len() >= FAULTS_MAX
    }
}

fn one_char(json: &Json) -> Option<Value> {
    let mut chars = json.as_str()?.chars();
    let first = chars.next()?;
    chars.next().is_none().then_some(Value::Char(first))
}

fn position(names: &[Arc<str>], text: &str) -> Option<u32> {
    let position = names.iter().position(|name| **name == *text)?;
    position.try_into().ok()
}

/// As RFC 6901 has it.
fn pointer(path: &[Step<'_>]) -> String {
    let mut pointer = String::new();
    for step in path {
        pointer.push('/');
        match step {
            Step::Name(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => pointer.push_str(&index.to_string()),
        }
    }
    pointer
}

fn expected_case(cases: &[Case]) -> String {
    let shown = cases.iter().map(|case| match case.ty {
        Some(_) => format!("{{\"{}\": payload}}", case.name),
        None => format!("\"{}\"", case.name),
    });
    format!("expected one of {}", listed(shown))
}

fn expected_one_of<'n>(names: impl Iterator<Item = &'n str>) -> String {
    match listed(names.map(|name| format!("`{name}`"))) {
        none if none.is_empty() => "nothing is expected here".to_owned(),
        names => format!("expected one of {names}"),
    }
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let mut text = String::new();
    for name in names {
        if text.len() + name.len() > NAMES_BYTES_MAX {
            text.push_str(", …");
            break;
        }
        let comma = if text.is_empty() { "" } else { ", " };
        // Writing to a string can't fail.
        _ = write!(text, "{comma}{name}");
    }
    text
}
