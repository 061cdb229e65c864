//! What a call leaves behind, field by field.

use std::borrow::Cow;

use cofferdam_types::call::{CallLog, Denial, LogRecord, Outcome, Progress, Use};
use cofferdam_types::change::ChangeList;
use cofferdam_types::{Failure, Payload};

use super::Redactor;

impl Redactor {
    /// Takes the secrets out of everything that a call answers and that the audit keeps of it.
    pub fn outcome(&self, outcome: &mut Outcome) {
        if self.is_idle() {
            return;
        }
        match &mut outcome.result {
            Ok(payload) => self.payload(payload),
            Err(failure) => self.failure(failure),
        }
        self.log(&mut outcome.log);
        for one in &mut outcome.uses {
            self.used(one);
        }
        for denial in &mut outcome.denials {
            self.denial(denial);
        }
        if let Some(changes) = &mut outcome.changes {
            self.changes(changes);
        }
    }

    /// Takes the secrets out of JSON that passes through.
    pub fn payload(&self, payload: &mut Payload) {
        if self.is_idle() {
            return;
        }
        let mut value = std::mem::take(payload).into_value();
        self.json(&mut value);
        *payload = Payload::from(value);
    }

    /// Takes the secrets out of an error.
    pub fn failure(&self, failure: &mut Failure) {
        self.string(&mut failure.message);
        if !self.is_idle() {
            self.map(&mut failure.details);
        }
    }

    /// Takes the secrets out of a denial.
    pub fn denial(&self, denial: &mut Denial) {
        for text in [
            &mut denial.operation,
            &mut denial.resource,
            &mut denial.rule,
            &mut denial.reason,
            &mut denial.smallest_grant,
        ] {
            self.string(text);
        }
    }

    /// Takes the secrets out of what a call used.
    pub fn used(&self, used: &mut Use) {
        self.string(&mut used.operation);
        self.string(&mut used.resource);
    }

    /// Takes the secrets out of the paths of what a call changed.
    pub fn changes(&self, changes: &mut ChangeList) {
        for path in changes.mounts.iter_mut().flat_map(|it| &mut it.paths) {
            self.string(&mut path.path);
        }
    }

    /// Takes the secrets out of how far a call is.
    pub fn progress(&self, progress: &mut Progress) {
        self.string(&mut progress.message);
    }

    /// Takes the secrets out of a log record.
    pub fn record(&self, record: &mut LogRecord) {
        self.string(&mut record.message);
        self.payload(&mut record.fields);
    }

    /// Takes the secrets out of what a call printed.
    pub fn log(&self, log: &mut CallLog) {
        for tail in [&mut log.stdout_tail, &mut log.stderr_tail] {
            if log.dropped_bytes == 0 {
                self.string(tail);
            } else if let Cow::Owned(redacted) = self.part(tail) {
                *tail = redacted;
            }
        }
        for record in &mut log.records {
            self.record(record);
        }
    }
}
