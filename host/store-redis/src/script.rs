use std::sync::LazyLock;

use cofferdam_store_api::StoreError;
use redis::Script;

/// A script of `lua/`, sent by its digest; the server learns it when it doesn't know it yet.
///
/// A script makes all its checks before its first write, loops only over what it was given, and
/// answers a number: see [`answer`].
pub(crate) type Lua = LazyLock<Script>;

/// Declares scripts by the names of their files.
macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $($file:literal)+;)+) => {
        $($(#[$doc])* pub(crate) static $name: Lua = LazyLock::new(|| {
            Script::new(concat!($(include_str!(concat!("lua/", $file))),+))
        });)+
    };
}

scripts! {
    BLOB_COMMIT = "blob_commit.lua";
    TASK_CREATE = "task_create.lua";
    TASK_UPDATE = "task_update.lua";
    RUN_CREATE = "run_create.lua";
    RUN_CLAIM = "run_claim.lua";
    RUN_APPEND = "run_append.lua";
    RUN_CANCEL = "run_cancel.lua";
    AUDIT_APPEND = "audit_append.lua";
    AUDIT_PRUNE = "audit_prune.lua";
    KEY_CREATE = "key_create.lua";
    KEY_VALUE_WRITE = "key_value_write.lua";
    SECRET_PUT = "secret_put.lua";
    SECRET_REMOVE = "secret_remove.lua";
    TOOLS_REGISTER = "tools_prelude.lua" "tools_register.lua";
    TOOLS_READ = "tools_prelude.lua" "tools_read.lua";
    TOOLS_STANDING = "tools_prelude.lua" "tools_standing.lua";
    TOOLS_TOUCH = "tools_touch.lua";
    TOOLS_CHANGED = "tools_changed.lua";
}

/// What a script says of a write: 1 it was made, 0 there was nothing to change, -1 conflict, -2
/// missing, -3 stale.
pub(crate) fn answer(code: i64) -> Result<bool, StoreError> {
    match code {
        1 => Ok(true),
        0 => Ok(false),
        -1 => Err(StoreError::Conflict),
        -2 => Err(StoreError::Missing),
        -3 => Err(StoreError::Stale),
        other => Err(StoreError::Damaged(format!("a script answered {other}"))),
    }
}
