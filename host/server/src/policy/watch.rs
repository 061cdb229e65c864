use std::path::Path;
use std::time::Duration;

use crate::policy::file::State;

/// Between two looks at the file. Looking takes microseconds; a kernel's notices would be sooner and
/// would miss a link that is swapped, a mount that is replaced, and network file systems.
const LOOK: Duration = Duration::from_millis(200);

/// Waits until the file is in another state than `known` and has stayed in it for one look, so that
/// one that is being written is left alone until it is.
///
/// **Cancel**: nothing is left behind.
pub(crate) async fn changed(path: &Path, known: Option<State>) -> Option<State> {
    let mut last = known;
    loop {
        tokio::time::sleep(LOOK).await;
        let now = State::look(path);
        if now != known && now == last {
            return now;
        }
        last = now;
    }
}
