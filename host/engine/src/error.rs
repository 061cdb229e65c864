use cofferdam_store_api::StoreError;
use cofferdam_types::failure::Fault;
use cofferdam_types::{Code, Failure, RunId, TaskId};
use thiserror::Error;

/// Why the engine did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// The task can't be made as described.
    #[error("the task has {} broken places", .0.len())]
    Invalid(Vec<Fault>),
    /// The caller's tenant has no such task.
    #[error("there is no task `{0}`")]
    NoTask(TaskId),
    /// The caller's tenant has no such run.
    #[error("there is no run `{0}`")]
    NoRun(RunId),
    /// The task has a run that is not over.
    #[error("the task `{0}` has a run that is not over")]
    AlreadyRuns(TaskId),
    /// The task can't change any more.
    #[error("the task `{task}` is {status}")]
    Over {
        /// Which one.
        task: TaskId,
        /// Its state, as on the wire.
        status: &'static str,
    },
    /// As many runs wait as may wait.
    #[error("{0} runs wait for a driver")]
    Full(usize),
    /// The host is going down.
    #[error("the host takes no more work")]
    Draining,
    /// The store failed.
    #[error("the store did not do its part")]
    Store(#[from] StoreError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(faults) => Failure::invalid_input("the task is not valid", &faults),
            Error::NoTask(id) => Failure::not_found("task", id),
            Error::NoRun(id) => Failure::not_found("run", id),
            Error::AlreadyRuns(_) => Failure::new(
                Code::Conflict,
                "the task has a run that is not over; wait for it or cancel it",
            ),
            Error::Over { status, .. } => {
                Failure::new(Code::Conflict, format!("the task is already {status}"))
                    .with("status", status)
            }
            Error::Full(waiting) => {
                Failure::new(Code::Unavailable, "too many runs wait; try again later")
                    .with("waiting", waiting)
            }
            Error::Draining => Failure::new(
                Code::Unavailable,
                "the host is going down; try again when it is back",
            ),
            Error::Store(error) => store_failure(&error),
        }
    }
}

fn store_failure(error: &StoreError) -> Failure {
    match error {
        StoreError::Unavailable(_) => Failure::new(
            Code::Unavailable,
            "the store can't be reached now; try again later",
        ),
        StoreError::Conflict | StoreError::Stale => Failure::new(
            Code::Conflict,
            "somebody else changed it; look and try again",
        ),
        StoreError::Missing => Failure::new(Code::NotFound, "it is not there any more"),
        StoreError::Damaged(_) => Failure::new(Code::Internal, "the store is damaged"),
    }
}
