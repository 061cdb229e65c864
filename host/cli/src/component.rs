//! A component file, in the sandbox of this process.

use std::path::Path;

use cofferdam_server::policies::{Lesson, Policy};
use cofferdam_server::types::tool::ToolRef;
use cofferdam_server::types::{Code, Failure};
use cofferdam_server::{Local, LocalCall, LocalCalled};
use cofferdam_wire::call::CallAnswer;
use cofferdam_wire::component::ComponentView;
use cofferdam_wire::tool::ToolView;
use serde_json::Value;

use crate::context::Context;
use crate::error::{Result, usage};
use crate::input;
use crate::label::Said;

/// A component that was read, checked and compiled as a host does it.
pub(crate) struct Component {
    local: Local,
    pub(crate) view: ComponentView,
    pub(crate) tools: Vec<ToolView>,
}

impl Component {
    /// Reads the file.
    ///
    /// **Errors**: those of adding it to a host.
    pub(crate) async fn open(path: &Path, said: &Said, context: &Context) -> Result<Self> {
        let bytes = input::component(path)?;
        let busy = context.output.busy(format!("compiling {}", path.display()));
        let local = Local::open(context.rules()?).await.map_err(Failure::from)?;
        let view = local.add(said.of(path)?, &bytes).await?;
        let tools = local.tools().await?;
        drop(busy);
        Ok(Self { local, view, tools })
    }

    /// The tool that a person means: by its name, or by its function's alone.
    ///
    /// **Errors**: `not_found` with the tools there are.
    pub(crate) fn tool(&self, text: &str) -> Result<ToolRef> {
        let by_name = |tool: &&ToolView| tool.spec.name.as_str() == text;
        let by_export = |tool: &&ToolView| tool.spec.function == text;
        let found = self.tools.iter().find(by_name);
        let found = found.or_else(|| self.tools.iter().find(by_export));
        let found = found.or_else(|| self.by_function(text));
        if let Some(tool) = found {
            return Ok(ToolRef {
                name: tool.spec.name.clone(),
                range: None,
            });
        }
        // A version makes sense only to those who pasted it; let the registry judge it.
        match text.parse::<ToolRef>() {
            Ok(tool) if tool.range.is_some() => Ok(tool),
            _ => {
                let names = self.names();
                let message = format!("the component has no tool `{text}`; it has {names}");
                Err(Failure::new(Code::NotFound, message).into())
            }
        }
    }

    /// The one tool of this function, without the interface that it is in.
    fn by_function(&self, text: &str) -> Option<&ToolView> {
        // The author knows the function as Rust spells it.
        let function = text.replace('_', "-");
        let bare = |tool: &ToolView| {
            let export = tool.spec.function.as_str();
            let (_, bare) = export.split_once('#').unwrap_or(("", export));
            bare == function
        };
        let mut found = self.tools.iter().filter(|tool| bare(tool));
        found.next().filter(|_| found.next().is_none())
    }

    /// The component's tool, when it has only one.
    ///
    /// **Errors**: `invalid_input` with the tools there are.
    pub(crate) fn only_tool(&self) -> Result<ToolRef> {
        if let [tool] = &*self.tools {
            return self.tool(tool.spec.name.as_str());
        }
        Err(usage(format!("say which tool to call: {}", self.names())))
    }

    /// What a tool's arguments have to be; anything where it has no such tool.
    pub(crate) fn schema(&self, tool: &ToolRef) -> &Value {
        let named = |found: &&ToolView| found.spec.name == tool.name;
        let found = self.tools.iter().find(named);
        found.map_or(&Value::Null, |tool| tool.spec.args_schema.as_value())
    }

    /// Calls a tool.
    pub(crate) async fn call(&self, call: LocalCall) -> Result<CallAnswer> {
        Ok(self.local.call(call).await.answer?)
    }

    /// The same, with what the tool was refused, whether or not it did without.
    pub(crate) async fn called(&self, call: LocalCall) -> LocalCalled {
        self.local.call(call).await
    }

    /// Puts a policy in force for the calls to come.
    pub(crate) fn rule(&self, policy: &Policy) {
        self.local.rule(policy);
    }

    /// What its tools may be granted, to begin with: nothing.
    pub(crate) async fn lesson(&self, base: Option<&Policy>) -> Result<Lesson> {
        Ok(self.local.lesson(base).await?)
    }

    fn names(&self) -> String {
        let names = self
            .tools
            .iter()
            .map(|tool| format!("`{}`", tool.spec.name));
        names.collect::<Vec<_>>().join(", ")
    }
}
