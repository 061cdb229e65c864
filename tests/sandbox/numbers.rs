#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "lanes are cut and signed as the instructions do it"
)]

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use cofferdam_testing::{Host, Plain, show};
use serde_json::{Value, json};

/// A vector as the two 64-bit numbers in which it passes.
type Vector = [u64; 2];
/// An instruction: its name, its text with `$a` and `$b` for the operands, and what it must do.
type Instruction = (&'static str, &'static str, fn(Vector, Vector) -> Vector);

const LEFT: &str = "(i64x2.replace_lane 1 (i64x2.splat (local.get 0)) (local.get 1))";
const RIGHT: &str = "(i64x2.replace_lane 1 (i64x2.splat (local.get 2)) (local.get 3))";

fn bytes([low, high]: Vector) -> [u8; 16] {
    (u128::from(low) | u128::from(high) << 64).to_le_bytes()
}

fn vector(bytes: [u8; 16]) -> Vector {
    let whole = u128::from_le_bytes(bytes);
    [whole as u64, (whole >> 64) as u64]
}

/// Applies `f` to each pair of lanes of one byte.
fn by_bytes(a: Vector, b: Vector, f: impl Fn(u8, u8) -> u8) -> Vector {
    let (a, b) = (bytes(a), bytes(b));
    vector(std::array::from_fn(|lane| f(a[lane], b[lane])))
}

fn halves(a: Vector) -> [i16; 8] {
    let a = bytes(a);
    std::array::from_fn(|lane| i16::from_le_bytes([a[2 * lane], a[2 * lane + 1]]))
}

fn from_halves(lanes: [i16; 8]) -> Vector {
    let lanes: Vec<_> = lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect();
    vector(lanes.try_into().expect("sixteen bytes"))
}

fn words(a: Vector) -> [u32; 4] {
    let a = a.map(|half| [half as u32, (half >> 32) as u32]);
    [a[0][0], a[0][1], a[1][0], a[1][1]]
}

fn from_words(lanes: [u32; 4]) -> Vector {
    let pair = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    [pair(lanes[0], lanes[1]), pair(lanes[2], lanes[3])]
}

fn by_doubles(a: Vector, b: Vector, f: impl Fn(f64, f64) -> f64) -> Vector {
    std::array::from_fn(|lane| f(f64::from_bits(a[lane]), f64::from_bits(b[lane])).to_bits())
}

fn by_singles(a: Vector, b: Vector, f: impl Fn(f32, f32) -> f32) -> Vector {
    let (a, b) = (words(a), words(b));
    let lane = |lane| f(f32::from_bits(a[lane]), f32::from_bits(b[lane])).to_bits();
    from_words(std::array::from_fn(lane))
}

/// CO-19: what the engine's compilers have got wrong on some processor, and their neighbours.
#[expect(clippy::too_many_lines, reason = "a table")]
fn instructions() -> Vec<Instruction> {
    vec![
        (
            "copysign",
            "(i64x2.replace_lane 1 (i64x2.splat (i64.reinterpret_f64 (f64.copysign
               (f64.reinterpret_i64 (local.get 0)) (f64.reinterpret_i64 (local.get 2)))))
               (i64.reinterpret_f64 (f64.copysign
               (f64.reinterpret_i64 (local.get 1)) (f64.reinterpret_i64 (local.get 3)))))",
            |a, b| by_doubles(a, b, f64::copysign),
        ),
        (
            "copysign-single",
            "(i64x2.splat (i64.extend_i32_u (i32.reinterpret_f32 (f32.copysign
               (f32.reinterpret_i32 (i32.wrap_i64 (local.get 0)))
               (f32.reinterpret_i32 (i32.wrap_i64 (local.get 2)))))))",
            |a, b| {
                let signed = f32::from_bits(a[0] as u32).copysign(f32::from_bits(b[0] as u32));
                [u64::from(signed.to_bits()); 2]
            },
        ),
        (
            "splat",
            "(f64x2.splat (f64.reinterpret_i64 (local.get 1)))",
            |a, _| [a[1]; 2],
        ),
        (
            "splat-single",
            "(f32x4.splat (f32x4.extract_lane 3 $a))",
            |a, _| from_words([words(a)[3]; 4]),
        ),
        (
            "splat-loaded",
            // From the last bytes of memory, where a wider access would be out of it.
            "(block (result v128) (i64.store (i32.const 131064) (local.get 0))
               (f64x2.splat (f64.load (i32.const 131064))))",
            |a, _| [a[0]; 2],
        ),
        (
            "copysign-loaded",
            "(block (result v128)
               (i64.store (i32.const 131064) (local.get 2))
               (i64x2.splat (i64.reinterpret_f64 (f64.copysign
                 (f64.reinterpret_i64 (local.get 0)) (f64.load (i32.const 131064))))))",
            |a, b| [by_doubles(a, b, f64::copysign)[0]; 2],
        ),
        ("swizzle", "(i8x16.swizzle $a $b)", |a, b| {
            let from = bytes(a);
            by_bytes(a, b, |_, at| {
                from.get(usize::from(at)).copied().unwrap_or(0)
            })
        }),
        (
            "shuffle",
            "(i8x16.shuffle 0 31 2 29 4 27 6 25 8 23 10 21 12 19 14 17 $a $b)",
            |a, b| {
                let (a, b) = (bytes(a), bytes(b));
                let lane = |lane: usize| {
                    if lane.is_multiple_of(2) {
                        a[lane]
                    } else {
                        b[16 - lane]
                    }
                };
                vector(std::array::from_fn(lane))
            },
        ),
        ("q15mulr", "(i16x8.q15mulr_sat_s $a $b)", |a, b| {
            let (a, b) = (halves(a).map(i32::from), halves(b).map(i32::from));
            let lane = |lane: usize| (a[lane] * b[lane] + 0x4000) >> 15;
            from_halves(std::array::from_fn(|at| lane(at).min(0x7fff) as i16))
        }),
        ("dot", "(i32x4.dot_i16x8_s $a $b)", |a, b| {
            let (a, b) = (halves(a).map(i32::from), halves(b).map(i32::from));
            let product = |lane: usize| a[lane] * b[lane];
            let lane = |lane: usize| product(2 * lane).wrapping_add(product(2 * lane + 1)) as u32;
            from_words(std::array::from_fn(lane))
        }),
        ("avgr", "(i8x16.avgr_u $a $b)", |a, b| {
            by_bytes(a, b, |a, b| (u16::from(a) + u16::from(b)).div_ceil(2) as u8)
        }),
        ("add-sat", "(i8x16.add_sat_s $a $b)", |a, b| {
            by_bytes(a, b, |a, b| (a as i8).saturating_add(b as i8) as u8)
        }),
        ("sub-sat", "(i8x16.sub_sat_u $a $b)", |a, b| {
            by_bytes(a, b, u8::saturating_sub)
        }),
        ("popcnt", "(i8x16.popcnt $a)", |a, b| {
            by_bytes(a, b, |a, _| a.count_ones() as u8)
        }),
        ("abs", "(i8x16.abs $a)", |a, b| {
            by_bytes(a, b, |a, _| (a as i8).unsigned_abs())
        }),
        (
            "shift",
            // Further than a lane is wide: the count wraps around.
            "(i8x16.shr_s $a (i32.wrap_i64 (local.get 2)))",
            |a, b| by_bytes(a, b, |lane, _| ((lane as i8) >> (b[0] & 7)) as u8),
        ),
        (
            "shift-wide",
            "(i64x2.shr_s $a (i32.wrap_i64 (local.get 2)))",
            |a, b| a.map(|lane| ((lane as i64) >> (b[0] & 63)) as u64),
        ),
        ("narrow", "(i8x16.narrow_i16x8_u $a $b)", |a, b| {
            let lanes = [halves(a), halves(b)].concat();
            vector(std::array::from_fn(|at| lanes[at].clamp(0, 255) as u8))
        }),
        (
            "bitmask",
            "(i64x2.splat (i64.extend_i32_u (i8x16.bitmask $a)))",
            |a, _| {
                let lanes = bytes(a).into_iter().enumerate();
                [lanes.fold(0, |mask, (at, lane)| mask | u64::from(lane >> 7) << at); 2]
            },
        ),
        (
            "all-true",
            "(i64x2.splat (i64.extend_i32_u (i16x8.all_true $a)))",
            |a, _| [u64::from(halves(a).iter().all(|lane| *lane != 0)); 2],
        ),
        ("extmul", "(i64x2.extmul_high_i32x4_s $a $b)", |a, b| {
            let (a, b) = (words(a), words(b));
            let lane = |lane: usize| i64::from(a[lane] as i32) * i64::from(b[lane] as i32);
            [lane(2) as u64, lane(3) as u64]
        }),
        ("pmin", "(f64x2.pmin $a $b)", |a, b| {
            by_doubles(a, b, |a, b| if b < a { b } else { a })
        }),
        ("pmax", "(f32x4.pmax $a $b)", |a, b| {
            by_singles(a, b, |a, b| if a < b { b } else { a })
        }),
        ("trunc-sat", "(i32x4.trunc_sat_f64x2_u_zero $a)", |a, _| {
            let lane = |lane: usize| f64::from_bits(a[lane]) as u32;
            from_words([lane(0), lane(1), 0, 0])
        }),
        (
            "trunc-sat-signed",
            "(i32x4.trunc_sat_f32x4_s $a)",
            |a, _| from_words(words(a).map(|lane| f32::from_bits(lane) as i32 as u32)),
        ),
        ("convert", "(f64x2.convert_low_i32x4_u $a)", |a, _| {
            let a = words(a);
            [f64::from(a[0]).to_bits(), f64::from(a[1]).to_bits()]
        }),
        ("nearest", "(f64x2.nearest (f64x2.abs $a))", |a, _| {
            a.map(|lane| match f64::from_bits(lane).abs() {
                nan if nan.is_nan() => nan.to_bits(),
                value => value.round_ties_even().to_bits(),
            })
        }),
        (
            "bitselect",
            "(v128.bitselect $a $b (v128.not $a))",
            |a, b| std::array::from_fn(|at| (a[at] & !a[at]) | (b[at] & a[at])),
        ),
    ]
}

/// Numbers at edges, in lanes of every width. No NaN but quiet ones: which bits the others come out
/// with is open.
fn operands() -> Vec<Vector> {
    let doubles = [
        0.0,
        -0.0,
        1.5,
        -2.5,
        4_294_967_295.5,
        f64::NEG_INFINITY,
        f64::NAN,
        5e-324,
    ];
    let mut operands: Vec<_> = doubles
        .windows(2)
        .map(|pair| [pair[0].to_bits(), pair[1].to_bits()])
        .collect();
    let singles = [f32::NAN, -0.0, 0.0, f32::INFINITY].map(f32::to_bits);
    operands.push(from_words(singles));
    operands.push(from_words(
        [-1.5_f32, 3e9, -3e9, f32::MIN_POSITIVE].map(f32::to_bits),
    ));
    operands.extend([
        [0x8000_8000_8000_8000, 0x7fff_8001_0000_ffff],
        [0x8000_0000_7fff_ffff, 0x8000_0000_8000_0000],
        [0x0706_0504_1003_ff00, 0x0f0e_8d0c_1b0a_0908],
        [0x00ff_7f80_8101_fe02, 0xffff_ffff_0000_0041],
    ]);
    operands
}

fn component(instructions: &[Instruction]) -> Result<Plain> {
    let mut wit = String::new();
    let mut code = String::new();
    for (name, text, _) in instructions {
        let name = format!("op-{name}");
        writeln!(
            wit,
            "export {name}: func(al: u64, ah: u64, bl: u64, bh: u64) -> tuple<u64, u64>;"
        )?;
        let text = text.replace("$a", LEFT).replace("$b", RIGHT);
        writeln!(
            code,
            r#"(func (export "{name}") (param i64 i64 i64 i64) (result i32)
                 (v128.store (i32.const 1024) {text}) (i32.const 1024))"#
        )?;
    }
    wit += "export beyond-splat: func() -> u64; export beyond-copysign: func() -> u64;";
    // One byte out of memory, at an access that the compiler may join with the instruction.
    code += r#"
        (func (export "beyond-splat") (result i64) (i64x2.extract_lane 0
          (f64x2.splat (f64.load (i32.const 131065)))))
        (func (export "beyond-copysign") (result i64) (i64.reinterpret_f64
          (f64.copysign (f64.const 1) (f64.load (i32.const 131065)))))"#;
    let wit = format!("package t:t; world w {{ {wit} }}");
    Ok(Plain::new(&wit, &code).called("numbers"))
}

/// A 64-bit number as JSON carries it.
fn number(value: u64) -> Value {
    if value < 1 << 53 {
        json!(value)
    } else {
        json!(value.to_string())
    }
}

#[tokio::test]
async fn instructions_compute_what_plain_rust_does() -> Result<()> {
    let host = Host::start()?;
    let instructions = instructions();
    let component = component(&instructions)?.component()?;
    host.upload(component).await?.ok()?;
    let operands = operands();
    let mut compared = 0;
    for (name, _, expected) in &instructions {
        let tool = format!("numbers-op-{name}");
        for a in &operands {
            for b in &operands {
                let arguments = json!({
                    "al": number(a[0]), "ah": number(a[1]),
                    "bl": number(b[0]), "bh": number(b[1]),
                });
                let answer = host.call(&tool, arguments, json!({})).await?.ok()?;
                let found = &answer["result"];
                let should = expected(*a, *b).map(number);
                ensure!(
                    *found == json!(should),
                    "{name} of {a:x?} and {b:x?}: {found} instead of {should:?}"
                );
                compared += 1;
            }
        }
    }
    for tool in ["numbers-beyond-splat", "numbers-beyond-copysign"] {
        let answer = host.call(tool, json!({}), json!({})).await?;
        let trap = answer.body["error"]["details"]["trap"].as_str();
        let trap = trap.with_context(|| format!("{tool}: {}", answer.body))?;
        ensure!(trap.contains("out of bounds"), "{tool}: {trap}");
    }
    show(&format!(
        "{} instructions, {compared} results as plain Rust has them",
        instructions.len()
    ));
    host.stop()
}
