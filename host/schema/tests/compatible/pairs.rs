//! The pairs made by hand: `pairs.json`, one a line.

use cofferdam_schema::subschema::is_subschema;
use cofferdam_types::Payload;
use serde_json::Value;

#[test]
fn pairs_made_by_hand_are_told_apart() {
    let pairs: Vec<Value> =
        serde_json::from_str(include_str!("pairs.json")).expect("a list of pairs");
    let mut accepted = 0;
    for pair in &pairs {
        let [what, sub, sup, expected] = pair.as_array().expect("four").as_slice() else {
            panic!("{pair}: what, the first, the second, the answer");
        };
        let answer = is_subschema(&Payload::from(sub.clone()), &Payload::from(sup.clone()));
        let found = match &answer {
            Ok(()) => "yes".to_owned(),
            Err(reasons) => format!("{:?} at {}", reasons[0].kind, reasons[0].sup),
        };
        assert_eq!(
            Value::from(found),
            *expected,
            "{what}\n{sub}\n{sup}\n{answer:#?}"
        );
        accepted += usize::from(answer.is_ok());
    }
    assert!(pairs.len() >= 60, "{} pairs", pairs.len());
    assert!(
        accepted * 2 >= pairs.len(),
        "{accepted} of {} accepted",
        pairs.len()
    );
}
