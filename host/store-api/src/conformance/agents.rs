//! Cases of [`crate::Agents`].

use super::sample::{agent, agent_id, tenant};
use crate::Stores;

/// Putting again replaces.
pub async fn put_adds_and_replaces(stores: Stores) {
    let own = tenant("alpha");
    let mut agent = agent(&own, 1);
    assert_eq!(stores.agents.get(&own, &agent.id).await, Ok(None));
    for name in ["first", "second"] {
        agent.name = name.to_owned();
        assert_eq!(stores.agents.put(&agent).await, Ok(()));
        let kept = stores.agents.get(&own, &agent.id).await;
        assert_eq!(kept, Ok(Some(agent.clone())));
    }
    assert_eq!(stores.agents.get(&own, &agent_id(2)).await, Ok(None));
}
