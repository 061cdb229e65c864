//! Every plan that the documentation shows is valid, and those that say so run.

use cofferdam_types::plan::Plan;
use serde_json::Value;

use crate::plan::check;

#[test]
fn the_plans_of_the_documentation_are_valid() {
    let page = include_str!("../../../../docs/plans.md");
    let mut plans = 0;
    for block in page.split("```json\n").skip(1) {
        let text = block.split("```").next().expect("split gives one");
        let value: Value = serde_json::from_str(text).expect("the block is JSON");
        let plan = value.get("plan").unwrap_or(&value);
        if plan.get("steps").is_some() {
            let plan: Plan = serde_json::from_value(plan.clone()).expect("a plan");
            assert_eq!(check::faults(&plan), []);
            plans += 1;
        }
    }
    assert!(plans >= 3, "the page shows plans");
}
