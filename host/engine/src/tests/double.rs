//! The one double of [`Tools`].

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cofferdam_types::call::{
    CallLog, LogLevel, LogRecord, Observer, Origin, Outcome, Progress, ToolCall, Usage,
};
use cofferdam_types::tool::{Identity, SafetyFlags, ToolRef};
use cofferdam_types::{CallId, Digest, Failure, Payload, StepName, Tenant, Version};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::Notify;

use crate::tools::Tools;

/// What a scripted call does.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Result(Value),
    Failure(Failure),
    /// Never ends by itself.
    Hang,
    Panic,
    After(Duration, Box<Answer>),
    /// Says so many things, each as progress and as a log record, then goes on.
    Say(u32, Box<Answer>),
}

/// A call that a guest saw.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) id: CallId,
    pub(super) step: StepName,
    pub(super) call: ToolCall,
}

type Script = dyn Fn(&StepName, &Value, u32) -> Answer + Send + Sync;

/// Answers by step name, arguments and how many calls of that step came before, from 1.
pub(super) struct Scripted {
    script: Box<Script>,
    safety: HashMap<String, SafetyFlags>,
    made: Mutex<Vec<Made>>,
    /// Guests that were stopped before they ended.
    stopped: AtomicUsize,
    /// Told whenever a call begins to hang.
    pub(super) hangs: Notify,
}

impl Scripted {
    pub(super) fn new(
        script: impl Fn(&StepName, &Value, u32) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self {
            script: Box::new(script),
            safety: HashMap::new(),
            made: Mutex::default(),
            stopped: AtomicUsize::new(0),
            hangs: Notify::new(),
        }
    }

    /// Every call succeeds with its arguments.
    pub(super) fn echo() -> Self {
        Self::new(|_, arguments, _| Answer::Result(arguments.clone()))
    }

    pub(super) fn with_safety(mut self, tool: &str, flags: SafetyFlags) -> Self {
        self.safety.insert(tool.to_owned(), flags);
        self
    }

    pub(super) fn made(&self) -> Vec<Made> {
        self.made.lock().expect("no test panics under it").clone()
    }

    pub(super) fn steps(&self) -> Vec<String> {
        self.made()
            .iter()
            .map(|made| made.step.to_string())
            .collect()
    }

    pub(super) fn stopped(&self) -> usize {
        self.stopped.load(Ordering::SeqCst)
    }

    fn play<'a>(
        &'a self,
        answer: Answer,
        observer: &'a dyn Observer,
    ) -> BoxFuture<'a, Result<Payload, Failure>> {
        async move {
            match answer {
                Answer::Result(value) => Ok(Payload::from(value)),
                Answer::Failure(error) => Err(error),
                Answer::Hang => {
                    self.hangs.notify_one();
                    std::future::pending().await
                }
                Answer::Panic => panic!("as scripted"),
                Answer::After(wait, then) => {
                    tokio::time::sleep(wait).await;
                    self.play(*then, observer).await
                }
                Answer::Say(count, then) => {
                    for done in 1..=count {
                        say(observer, done);
                    }
                    self.play(*then, observer).await
                }
            }
        }
        .boxed()
    }
}

fn say(observer: &dyn Observer, done: u32) {
    observer.progress(Progress {
        done: f64::from(done),
        total: None,
        message: String::new(),
    });
    observer.log(&LogRecord {
        level: LogLevel::Info,
        message: format!("{done}"),
        fields: Payload::null(),
    });
}

#[async_trait]
impl Tools for Scripted {
    async fn call(&self, call: ToolCall, observer: Arc<dyn Observer>) -> Outcome {
        let Origin::Run { step, .. } = call.origin.clone() else {
            panic!("the engine calls on behalf of runs");
        };
        let nth = {
            let mut made = self.made.lock().expect("no test panics under it");
            made.push(Made {
                id: call.id,
                step: step.clone(),
                call: call.clone(),
            });
            made.iter().filter(|made| made.step == step).count()
        };
        let nth = u32::try_from(nth).expect("few calls");
        let answer = (self.script)(&step, call.arguments.as_value(), nth);
        let guard = Guard(&self.stopped);
        let result = self.play(answer, &*observer).await;
        std::mem::forget(guard);
        Outcome {
            call_id: call.id,
            tool: Some(Identity {
                name: call.tool.name.clone(),
                version: Version::new(1, 0, 0),
                digest: Digest::of(b"tool"),
            }),
            result,
            usage: Usage {
                fuel: 10,
                memory_peak_bytes: 7,
                result_bytes: 1,
                ..Usage::default()
            },
            log: CallLog::default(),
            uses: Vec::new(),
            denials: Vec::new(),
            changes: None,
        }
    }

    async fn safety(&self, _: &Tenant, tool: &ToolRef) -> Option<SafetyFlags> {
        self.safety.get(tool.name.as_str()).copied()
    }
}

struct Guard<'a>(&'a AtomicUsize);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
