use std::sync::OnceLock;

use cofferdam_schema::{Bounds, Schema};
use cofferdam_store_api::ToolRecord;
use cofferdam_types::failure::Fault;
use cofferdam_types::tool::Identity;
use cofferdam_types::{Code, Failure, Payload};

/// One version of one tool, ready to check calls of it.
pub struct Entry {
    record: ToolRecord,
    identity: Identity,
    /// Compiled when the tool is first called: a host with many tools would else be slow to start.
    schemas: OnceLock<Result<Schemas, Fault>>,
}

struct Schemas {
    args: Schema,
    returns: Schema,
}

impl Entry {
    pub(crate) fn new(record: ToolRecord) -> Self {
        let identity = Identity {
            name: record.spec.name.clone(),
            version: record.spec.version.clone(),
            digest: record.digest,
        };
        Self {
            record,
            identity,
            schemas: OnceLock::new(),
        }
    }

    /// The record's schemas. They compiled when the tool was added; the fault points at the one that
    /// no longer does.
    fn schemas(&self) -> Result<&Schemas, &Fault> {
        let compile = |name: &str, payload: &Payload| {
            Schema::compile(payload, &Bounds::DERIVED).map_err(|fault| Fault {
                pointer: format!("/{name}{}", fault.pointer),
                reason: fault.reason,
            })
        };
        let spec = &self.record.spec;
        let schemas = self.schemas.get_or_init(|| {
            Ok(Schemas {
                args: compile("args_schema", &spec.args_schema)?,
                returns: compile("returns_schema", &spec.returns_schema)?,
            })
        });
        schemas.as_ref()
    }

    /// The record as it is stored.
    pub fn record(&self) -> &ToolRecord {
        &self.record
    }

    /// Exactly which tool this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// `invalid_input` with every broken place, when arguments don't fit; `internal` for a stored
    /// tool whose schemas don't compile.
    pub fn check_arguments(&self, arguments: &Payload) -> Result<(), Failure> {
        if !arguments.as_value().is_object() {
            return Err(Failure::invalid_at(
                "",
                "arguments are a JSON object by parameter name",
            ));
        }
        let schemas = self.schemas().map_err(|fault| {
            let name = &self.identity.name;
            tracing::error!(tool = %name, ?fault, "a stored tool can't be called");
            Failure::new(Code::Internal, "the host failed; its log says why")
        })?;
        let faults = schemas.args.faults(arguments);
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
        match self.schemas() {
            Ok(schemas) => schemas.returns.faults(result),
            Err(fault) => vec![fault.clone()],
        }
    }
}
