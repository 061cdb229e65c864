//! The world `kinds` in Rust, for wit-bindgen.

use bindings::Guest as World;
use bindings::exports::interop::kinds::values::Guest as Values;
use bindings::interop::kinds::types::{
    Color, Failure, Permissions, Person, Point, Problem, Shape, SignedIntegers, UnsignedIntegers,
};

#[allow(
    unsafe_code,
    clippy::pedantic,
    clippy::too_many_arguments,
    reason = "generated"
)]
mod bindings {
    wit_bindgen::generate!({ world: "kinds", path: "../wit/kinds" });
    export!(Component with_types_in self);
    use super::Component;
}

struct Component;

impl World for Component {
    fn greet(person: Person, title: Option<String>) -> String {
        match (title, person.nickname) {
            (Some(title), _) => format!("Hello, {title} {}!", person.name),
            (None, Some(nickname)) => format!("Hello, {nickname}!"),
            (None, None) => format!("Hello, {}!", person.name),
        }
    }
}

impl Values for Component {
    fn step(
        signed: SignedIntegers,
        unsigned: UnsignedIntegers,
    ) -> (SignedIntegers, UnsignedIntegers) {
        let signed = SignedIntegers {
            bits8: signed.bits8.wrapping_add(1),
            bits16: signed.bits16.wrapping_add(1),
            bits32: signed.bits32.wrapping_add(1),
            bits64: signed.bits64.wrapping_add(1),
        };
        let unsigned = UnsignedIntegers {
            bits8: unsigned.bits8.wrapping_add(1),
            bits16: unsigned.bits16.wrapping_add(1),
            bits32: unsigned.bits32.wrapping_add(1),
            bits64: unsigned.bits64.wrapping_add(1),
        };
        (signed, unsigned)
    }

    fn add(a: i64, b: i64) -> Result<i64, String> {
        a.checked_add(b).ok_or_else(|| "overflow".to_owned())
    }

    fn sum(numbers: Vec<u64>) -> Result<u64, Failure> {
        let add =
            |total: u64, number: u64| total.checked_add(number).ok_or(Failure::TooLarge(number));
        numbers.into_iter().try_fold(0, add)
    }

    fn inspect(single: f32, double: f64) -> (f32, f64, bool) {
        (single, double, single.is_finite() && double.is_finite())
    }

    fn scale(numbers: Vec<f32>, by: f32) -> Vec<f64> {
        let scaled = |number| f64::from(number) * f64::from(by);
        numbers.into_iter().map(scaled).collect()
    }

    fn next_char(character: char) -> Option<char> {
        (character..=char::MAX).nth(1)
    }

    fn reverse(text: String) -> String {
        text.chars().rev().collect()
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "sizes have 32 bits where this runs"
    )]
    fn measure(text: String) -> (u32, u32) {
        (text.len() as u32, text.chars().count() as u32)
    }

    fn join(parts: Vec<String>, separator: char) -> String {
        parts.join(&separator.to_string())
    }

    fn mask(data: Vec<u8>, key: u8) -> Vec<u8> {
        data.into_iter().map(|byte| byte ^ key).collect()
    }

    fn bounds(points: Vec<Point>) -> Option<(Point, Point)> {
        let low = Point {
            x: points.iter().map(|point| point.x).min()?,
            y: points.iter().map(|point| point.y).min()?,
        };
        let high = Point {
            x: points.iter().map(|point| point.x).max()?,
            y: points.iter().map(|point| point.y).max()?,
        };
        Some((low, high))
    }

    fn birthday(person: Person) -> Result<Person, Problem> {
        let age = person.age.checked_add(1).ok_or_else(|| Problem {
            code: 1,
            message: "255 is the last age".to_owned(),
            position: None,
        })?;
        Ok(Person { age, ..person })
    }

    fn find(people: Vec<Person>, name: String) -> Result<Person, Failure> {
        if name.is_empty() {
            return Err(Failure::Invalid(Problem {
                code: 2,
                message: "no name".to_owned(),
                position: Some(0),
            }));
        }
        let mut found: Vec<Person> = people.into_iter().filter(|it| it.name == name).collect();
        if found.len() > 1 {
            let nicknames = found.into_iter().filter_map(|person| person.nickname);
            return Err(Failure::Ambiguous(nicknames.collect()));
        }
        found.pop().ok_or(Failure::NotFound)
    }

    fn area(shape: Shape) -> Result<f64, String> {
        match shape {
            Shape::Circle(radius) => Ok(std::f64::consts::PI * radius * radius),
            Shape::Rectangle((width, height)) => Ok(width * height),
            Shape::Polygon(points) => {
                let cross = |a: &Point, b: &Point| {
                    f64::from(a.x) * f64::from(b.y) - f64::from(b.x) * f64::from(a.y)
                };
                let next = points.iter().cycle().skip(1);
                let parts = points.iter().zip(next).map(|(a, b)| cross(a, b));
                Ok(parts.fold(0.0, |total, part| total + part).abs() / 2.0)
            }
            Shape::Nothing => Err("nothing has no area".to_owned()),
            Shape::Label(_) => Err("a label has no area".to_owned()),
        }
    }

    fn describe(shape: Shape) -> String {
        match shape {
            Shape::Nothing => "nothing".to_owned(),
            Shape::Circle(_) => "a circle".to_owned(),
            Shape::Rectangle(_) => "a rectangle".to_owned(),
            Shape::Polygon(points) => format!("a polygon of {} points", points.len()),
            Shape::Label((text, None)) => format!("the label {text}"),
            Shape::Label((text, Some(_))) => format!("the coloured label {text}"),
        }
    }

    fn mix(a: Color, b: Color) -> Color {
        let third = |color: &Color| *color != a && *color != b;
        let mut colors = [Color::Red, Color::Green, Color::DeepBlue].into_iter();
        if a == b {
            a
        } else {
            colors.find(third).unwrap_or(a)
        }
    }

    fn toggle(have: Permissions, change: Permissions) -> Permissions {
        have ^ change
    }

    fn deepen(value: Option<Option<u32>>) -> Option<Option<u32>> {
        Some(value.map(|inner| inner.map_or(0, |number| number.wrapping_add(1))))
    }

    fn swap(outcomes: Vec<Result<String, u32>>) -> Vec<Result<u32, String>> {
        outcomes.into_iter().map(exchanged).collect()
    }

    fn negate(
        bare: Result<(), ()>,
        number: Result<u8, ()>,
        text: Result<(), String>,
    ) -> (Result<(), ()>, Result<(), u8>, Result<String, ()>) {
        (exchanged(bare), exchanged(number), exchanged(text))
    }

    fn group(pairs: Vec<(Color, String)>) -> Vec<(Color, Vec<String>)> {
        let mut groups: Vec<(Color, Vec<String>)> = Vec::new();
        for (color, text) in pairs {
            match groups.iter_mut().find(|group| group.0 == color) {
                Some((_, texts)) => texts.push(text),
                None => groups.push((color, vec![text])),
            }
        }
        groups
    }

    fn check(value: bool) -> Result<(), ()> {
        if value { Ok(()) } else { Err(()) }
    }

    fn touch() {}
}

fn exchanged<T, E>(result: Result<T, E>) -> Result<E, T> {
    match result {
        Ok(value) => Err(value),
        Err(error) => Ok(error),
    }
}
