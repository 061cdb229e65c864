//! Structured log records of a guest.

use cofferdam_types::Payload;
use cofferdam_types::call::{LogLevel, LogRecord};
use serde_json::{Value, json};

use crate::bindings::cofferdam::tool::log::{Host, Level};
use crate::fuel;
use crate::state::State;

impl Host for State {
    fn write(&mut self, level: Level, message: String, fields: String) -> wasmtime::Result<()> {
        let bytes = message.len() + fields.len();
        self.meter.charge(fuel::RECORD + fuel::bytes(bytes));
        // Before anything is made of it: a flood of records costs nothing but its counting.
        if !self.meter.has_room(bytes as u64) {
            return Ok(());
        }
        let record = LogRecord {
            level: match level {
                Level::Trace => LogLevel::Trace,
                Level::Debug => LogLevel::Debug,
                Level::Info => LogLevel::Info,
                Level::Warn => LogLevel::Warn,
                Level::Error => LogLevel::Error,
            },
            message,
            fields: parse(&fields),
        };
        self.observer.log(&record);
        self.meter.keep(record);
        Ok(())
    }
}

fn parse(fields: &str) -> Payload {
    if fields.is_empty() {
        return Payload::null();
    }
    match serde_json::from_str::<Value>(fields) {
        Ok(value @ Value::Object(_)) => Payload::from(value),
        _ => Payload::from(json!({"text": fields})),
    }
}
