//! The JSON of each type, by table, at the edges where readers of JSON tend to differ.

use std::sync::Arc;

use crate::generate::{accepts, validator};
use cofferdam_values::{
    Answer, Case, DEPTH_MAX, FAULTS_MAX, Field, Mismatch, NODES_MAX, Signature, TooLarge, Type,
    Value,
};
use serde_json::{Value as Json, json};

fn names(names: &[&str]) -> Arc<[Arc<str>]> {
    names.iter().map(|name| Arc::from(*name)).collect()
}

fn field(name: &str, ty: Type) -> Field {
    Field {
        name: name.into(),
        ty,
    }
}

fn option(ty: Type) -> Type {
    Type::Option(Arc::new(ty))
}

/// Checks each text against schema and decoder.
fn check(ty: &Type, yes: &[&str], no: &[&str]) {
    let validator = validator(ty);
    let parse = |text: &str| -> Json { serde_json::from_str(text).expect(text) };
    for text in yes {
        assert!(
            accepts(ty, &validator, &parse(text)),
            "{ty:?} refuses {text}"
        );
    }
    for text in no {
        assert!(
            !accepts(ty, &validator, &parse(text)),
            "{ty:?} accepts {text}"
        );
    }
}

#[test]
fn whole_numbers() {
    check(
        &Type::S8,
        &["-128", "127", "1.0", "1e2", "-0", "-0.0", "127.0"],
        &[
            "128",
            "-129",
            "1.5",
            "\"1\"",
            "null",
            "true",
            "1e300",
            "18446744073709551616",
        ],
    );
    check(
        &Type::U8,
        &["0", "255", "-0.0", "2.55e2"],
        &["256", "-1", "255.5", "5e-324"],
    );
    check(&Type::S16, &["-32768", "32767"], &["-32769", "32768"]);
    check(&Type::U16, &["65535"], &["65536", "-1"]);
    check(
        &Type::S32,
        &["-2147483648", "2147483647"],
        &["-2147483649", "2147483648"],
    );
    check(
        &Type::U32,
        &["4294967295", "4294967295.0"],
        &["4294967296", "-1"],
    );
    assert_eq!(Type::S8.decode(&json!(-0.0)), Ok(Value::S8(0)));
    assert_eq!(Type::U32.decode(&json!(1e3)), Ok(Value::U32(1000)));
}

#[test]
fn whole_numbers_of_64_bits() {
    let both = [
        "9007199254740991",
        "9007199254740991.0",
        "\"0\"",
        "\"7\"",
        "\"9223372036854775807\"",
    ];
    let neither = [
        "9007199254740992",
        "9007199254740992.0",
        "9223372036854775807",
        "18446744073709551615",
        "1e300",
        "0.5",
        "\"\"",
        "\"-0\"",
        "\"00\"",
        "\"+1\"",
        "\"1.0\"",
        "\" 1\"",
        "\"1\\n\"",
        "\"٣\"",
        "\"1e3\"",
        "\"-\"",
        "\"18446744073709551616\"",
        "\"99999999999999999999\"",
    ];
    check(&Type::S64, &both, &neither);
    check(&Type::U64, &both, &neither);
    check(
        &Type::S64,
        &["\"-9223372036854775808\"", "-9007199254740991", "\"-1\""],
        &[
            "\"9223372036854775808\"",
            "\"-9223372036854775809\"",
            "-9007199254740992",
        ],
    );
    check(
        &Type::U64,
        &[
            "\"18446744073709551615\"",
            "\"9999999999999999999\"",
            "\"10000000000000000000\"",
        ],
        &["-1", "\"-1\""],
    );
    let encoded = |ty: Type, value| ty.encode(value, 100).expect("fits");
    let safe = (1_i64 << 53) - 1;
    assert_eq!(
        encoded(Type::S64, Value::S64(-safe)),
        json!(-9_007_199_254_740_991_i64)
    );
    assert_eq!(
        encoded(Type::S64, Value::S64(-safe - 1)),
        json!("-9007199254740992")
    );
    assert_eq!(
        encoded(Type::U64, Value::U64(1 << 53)),
        json!("9007199254740992")
    );
    assert_eq!(
        encoded(Type::U64, Value::U64(u64::MAX)),
        json!("18446744073709551615")
    );
}

/// Near each power of ten and each digit of the limit, where a wrong pattern would show.
#[test]
fn patterns_of_64_bits_have_no_hole() {
    let (signed, unsigned) = (validator(&Type::S64), validator(&Type::U64));
    let mut edges: Vec<i128> = (0..22).map(|power| 10_i128.pow(power)).collect();
    for limit in [i128::from(i64::MAX), i128::from(u64::MAX)] {
        for power in 0..20 {
            let ten = 10_i128.pow(power);
            edges.extend([limit / ten * ten, limit + ten, limit - ten]);
        }
    }
    for edge in edges {
        for near in [
            edge - 1,
            edge,
            edge + 1,
            -edge - 2,
            -edge - 1,
            -edge,
            -edge + 1,
        ] {
            let json = json!(near.to_string());
            assert_eq!(
                accepts(&Type::S64, &signed, &json),
                i64::try_from(near).is_ok(),
                "{near}"
            );
            assert_eq!(
                accepts(&Type::U64, &unsigned, &json),
                u64::try_from(near).is_ok(),
                "{near}"
            );
        }
    }
}

#[test]
fn floats() {
    let words = [
        "\"NaN\"",
        "\"Infinity\"",
        "\"-Infinity\"",
        "-0.0",
        "1",
        "18446744073709551615",
    ];
    let others = [
        "\"nan\"",
        "\"inf\"",
        "\"+Infinity\"",
        "\"1\"",
        "null",
        "\"\"",
    ];
    check(&Type::F32, &words, &others);
    check(&Type::F64, &words, &others);
    check(
        &Type::F32,
        &[
            "3.4028234663852886e38",
            "340282346638528859811704183484516925440",
            "1e-300",
        ],
        &["3.4028234663852890e38", "-3.4028234663852890e38", "1e39"],
    );
    check(&Type::F64, &["1e308", "5e-324", "3.5e38"], &[]);
    // Just below the middle of two f32; rounded to f64 first, it would be the middle, and go up.
    let below = (1_u64 << 63) + (1 << 40) + (1 << 39) - 1;
    let rounded = Value::F32(9_223_373_136_366_403_584.0);
    assert_eq!(Type::F32.decode(&json!(below)), Ok(rounded));
    assert_eq!(
        Type::F32.encode(Value::F32(0.1), 9),
        Ok(json!(f64::from(0.1_f32)))
    );
    let nan = Value::F64(f64::from_bits(0xFFF8_0000_0000_0001));
    assert_eq!(Type::F64.encode(nan, 9), Ok(json!("NaN")));
}

#[test]
fn text() {
    check(
        &Type::Char,
        &[
            "\"a\"",
            "\"\u{1F600}\"",
            "\"\\u0000\"",
            "\"\\ud83d\\ude00\"",
            "\"\\n\"",
        ],
        &["\"\"", "\"ab\"", "\"e\u{301}\"", "1", "null"],
    );
    check(
        &Type::String,
        &["\"\"", "\"\\u0000\""],
        &["null", "1", "[]"],
    );
    check(
        &Type::Enum(names(&["a", "b"])),
        &["\"a\""],
        &["\"c\"", "\"A\"", "0", "null", "{\"a\":null}"],
    );
    check(&Type::Enum(names(&[])), &[], &["\"\"", "null"]);
}

#[test]
fn collections() {
    check(
        &Type::List(Arc::new(Type::U8)),
        &["[]", "[1,2.0]"],
        &["{}", "[256]", "[null]", "null"],
    );
    check(
        &Type::Tuple([Type::U8, option(Type::Bool)].into()),
        &["[1,null]", "[1,true]"],
        &["[1]", "[1,null,2]", "[]", "{}"],
    );
    check(&Type::Tuple([].into()), &["[]"], &["[1]", "null"]);
    check(
        &Type::Flags(names(&["a", "b"])),
        &["[]", "[\"b\",\"a\"]"],
        &[
            "[\"a\",\"a\"]",
            "[\"c\"]",
            "\"a\"",
            "{\"a\":true}",
            "[null]",
        ],
    );
    check(&Type::Flags(names(&[])), &["[]"], &["[\"a\"]", "null"]);
    let record = Type::Record([field("a", Type::U8), field("b", option(Type::U8))].into());
    check(
        &record,
        &["{\"a\":1}", "{\"a\":1,\"b\":null}", "{\"b\":2,\"a\":1}"],
        &[
            "{}",
            "{\"a\":null}",
            "{\"a\":1,\"c\":1}",
            "{\"A\":1}",
            "[1]",
            "null",
        ],
    );
    check(&Type::Record([].into()), &["{}"], &["{\"a\":1}", "[]"]);
    let none = Value::Record(vec![Value::U8(1), Value::Option(None)]);
    assert_eq!(record.encode(none, 99), Ok(json!({"a": 1, "b": null})));
}

#[test]
fn choices() {
    let result = Type::Result {
        ok: Some(Arc::new(option(Type::U8))),
        err: None,
    };
    let cases = [
        Case {
            name: "plain".into(),
            ty: None,
        },
        Case {
            name: "deep".into(),
            ty: Some(result.clone()),
        },
    ];
    check(
        &Type::Variant(cases.into()),
        &[
            "\"plain\"",
            "{\"deep\":{\"ok\":null}}",
            "{\"deep\":{\"err\":null}}",
        ],
        &[
            "\"deep\"",
            "{\"plain\":null}",
            "{}",
            "{\"deep\":{\"err\":1}}",
            "{\"deep\":{}}",
            "{\"deep\":{\"ok\":1,\"err\":null}}",
            "{\"other\":1}",
            "null",
        ],
    );
    check(
        &result,
        &["{\"ok\":7}", "{\"err\":null}"],
        &["{\"ok\":256}", "null", "7", "{\"OK\":7}"],
    );
    check(
        &option(Type::Bool),
        &["null", "true"],
        &["{\"some\":true}", "0"],
    );
    let nested = option(option(option(Type::Bool)));
    check(
        &nested,
        &[
            "null",
            "{\"some\":null}",
            "{\"some\":{\"some\":null}}",
            "{\"some\":{\"some\":true}}",
        ],
        &[
            "true",
            "{\"some\":true}",
            "{}",
            "{\"some\":null,\"x\":1}",
            "{\"none\":null}",
        ],
    );
}

#[test]
fn faults_say_where_and_what() {
    let inner = Type::Record([field("x/y~z", Type::S8), field("b", Type::Char)].into());
    let signature = Signature {
        params: vec![
            field("list", Type::List(Arc::new(inner))),
            field("on", Type::Bool),
        ],
        result: None,
    };
    let args = json!({"list": [{"x/y~z": 1, "b": "é"}, {"x/y~z": "secret", "c": "secret"}]});
    let faults = signature.arguments(&args).expect_err("faulty");
    let shown: Vec<_> = faults
        .iter()
        .map(|it| (&*it.pointer, &*it.reason))
        .collect();
    assert_eq!(
        shown,
        [
            (
                "/list/1/x~1y~0z",
                "expected a whole number from -128 to 127"
            ),
            ("/list/1/b", "missing"),
            ("/list/1/c", "unknown field; expected one of `x/y~z`, `b`"),
            ("/on", "missing"),
        ]
    );
    let long = "k".repeat(100_000);
    let faults = signature.arguments(&json!({"list": [], "on": true, (long): 1}));
    let faults = faults.expect_err("unknown");
    assert!(
        faults[0].pointer.is_empty() && faults[0].reason.len() < 300,
        "{faults:?}"
    );
    let many = Type::List(Arc::new(Type::U8)).decode(&json!(vec![Json::Null; 1000]));
    assert_eq!(many.expect_err("nulls").len(), FAULTS_MAX);
}

#[test]
fn a_result_becomes_an_answer() {
    let signature = |result| Signature {
        params: Vec::new(),
        result,
    };
    let fallible = signature(Some(Type::Result {
        ok: None,
        err: Some(Arc::new(Type::String)),
    }));
    let err = Value::Result(Err(Some(Box::new(Value::String("no".into())))));
    assert_eq!(fallible.answer(Some(err), 99), Ok(Answer::Err(json!("no"))));
    let ok = Value::Result(Ok(None));
    assert_eq!(fallible.answer(Some(ok), 99), Ok(Answer::Ok(Json::Null)));
    assert_eq!(fallible.returns_schema(), json!({"type": "null"}));
    assert_eq!(signature(None).answer(None, 99), Ok(Answer::Ok(Json::Null)));
    let wrong = signature(Some(Type::Bool)).answer(Some(Value::U8(1)), 99);
    assert!(matches!(wrong, Err(Mismatch::Type { .. })), "{wrong:?}");
    assert_eq!(signature(None).arguments(&json!({})), Ok(Vec::new()));
    assert!(signature(None).arguments(&Json::Null).is_err());
}

#[test]
fn small_values_of_large_json_are_refused() {
    let field_of = |index: usize| field(&format!("field-{index}"), option(Type::Bool));
    let fields: Arc<[Field]> = (0..500).map(field_of).collect();
    let list = Type::List(Arc::new(Type::Record(Arc::clone(&fields))));
    let row = Value::Record(vec![Value::Option(None); 500]);
    let answer = list.encode(Value::List(vec![row; 100]), 1_000);
    assert_eq!(answer, Err(Mismatch::TooLarge { bytes_max: 1_000 }));
    let faults = list
        .decode(&json!(vec![json!({}); 10_000]))
        .expect_err("too many");
    assert!(faults[0].reason.contains("left out"), "{faults:?}");
    assert!(list.decode(&json!(vec![json!({}); 1_000])).is_ok());
}

#[test]
fn types_that_multiply_are_refused() {
    let double = |ty: Type| Type::Tuple([ty.clone(), ty].into());
    let wide = (0..13).fold(Type::Bool, |ty, _| double(ty));
    assert_eq!(wide.check(), Err(TooLarge::Nodes));
    let endless = (0..200).fold(Type::Bool, |ty, _| double(ty));
    assert_eq!(endless.nodes(), NODES_MAX + 1);
    assert_eq!(double(double(Type::Bool)).nodes(), 7);
    let named = Type::Enum(names(&["x".repeat(64 * NODES_MAX).as_str()]));
    assert_eq!(named.check(), Err(TooLarge::Nodes));
}

#[test]
fn the_deepest_schema_is_one_that_the_host_takes() {
    fn depth(value: &Json) -> usize {
        1 + match value {
            Json::Array(items) => items.iter().map(depth).max().unwrap_or(0),
            Json::Object(members) => members.values().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }
    let wrap = |ty| Type::Result {
        ok: None,
        err: Some(Arc::new(ty)),
    };
    let deepest = (1..DEPTH_MAX).fold(Type::F32, |ty, _| wrap(ty));
    let signature = Signature {
        params: vec![field("a", deepest.clone())],
        result: None,
    };
    assert_eq!(signature.check(), Ok(()));
    assert!(
        depth(&signature.args_schema()) <= 64,
        "{}",
        depth(&signature.args_schema())
    );
    assert_eq!(wrap(deepest).check(), Err(TooLarge::Depth));
}
