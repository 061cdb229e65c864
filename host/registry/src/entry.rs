use cofferdam_store_api::ToolRecord;
use cofferdam_types::failure::Fault;
use cofferdam_types::tool::Identity;
use cofferdam_types::{Failure, Payload};
use jsonschema::Validator;

use crate::{faults, schema};

/// One version of one tool, ready to check calls of it.
pub struct Entry {
    record: ToolRecord,
    identity: Identity,
    args: Validator,
    returns: Validator,
}

impl Entry {
    /// Compiles a record's schemas. The error points at the schema that can't be compiled.
    pub(crate) fn new(record: ToolRecord) -> Result<Self, Fault> {
        let compile = |name: &str, payload: &Payload| {
            schema::compile(payload).map_err(|reason| Fault {
                pointer: format!("/{name}"),
                reason,
            })
        };
        let args = compile("args_schema", &record.spec.args_schema)?;
        let returns = compile("returns_schema", &record.spec.returns_schema)?;
        let identity = Identity {
            name: record.spec.name.clone(),
            version: record.spec.version.clone(),
            digest: record.digest,
        };
        Ok(Self {
            record,
            identity,
            args,
            returns,
        })
    }

    /// The record as it is stored.
    pub fn record(&self) -> &ToolRecord {
        &self.record
    }

    /// Exactly which tool this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// `invalid_input` with every broken place, when arguments don't fit.
    pub fn check_arguments(&self, arguments: &Payload) -> Result<(), Failure> {
        if !arguments.as_value().is_object() {
            return Err(Failure::invalid_at(
                "",
                "arguments are a JSON object by parameter name",
            ));
        }
        let faults = faults::find(
            &self.args,
            self.record.spec.args_schema.as_value(),
            arguments.as_value(),
        );
        if faults.is_empty() {
            return Ok(());
        }
        let name = &self.identity.name;
        Err(Failure::invalid_input(
            format!("these are no arguments of `{name}`"),
            &faults,
        ))
    }

    /// Every place where a result breaks what the tool promises.
    pub fn result_faults(&self, result: &Payload) -> Vec<Fault> {
        faults::find(
            &self.returns,
            self.record.spec.returns_schema.as_value(),
            result.as_value(),
        )
    }
}
