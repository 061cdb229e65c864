//! A run as it goes on: a bar on a terminal, lines elsewhere.

use cofferdam_server::types::RunId;
use cofferdam_server::types::run::{EventKind, RunStatus};
use cofferdam_wire::event::EventView;
use cofferdam_wire::run::RunView;
use indicatif::{ProgressBar, ProgressStyle};

use crate::client::{Client, Request};
use crate::error::{Exit, Result};
use crate::follow::Follow;
use crate::output::Output;
use crate::view;

/// Shows the events of a run.
pub(super) struct Watch {
    output: Output,
    bar: ProgressBar,
}

impl Watch {
    /// Of a run with so many steps.
    pub(super) fn new(output: Output, steps: usize) -> Self {
        let bar = if output.is_json() {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(steps as u64)
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} {elapsed} {wide_msg}")
        {
            bar.set_style(style);
        }
        Self { output, bar }
    }

    /// As lines, also on a terminal.
    pub(super) fn lines(output: Output) -> Self {
        let bar = ProgressBar::hidden();
        Self { output, bar }
    }

    /// Reads the run's events after `seen` to the last one, and shows each.
    pub(super) async fn follow(&mut self, client: &Client, run: RunId, seen: u64) -> Result<()> {
        let mut follow = Follow::new(client, run, seen);
        while let Some(entry) = follow.next().await? {
            if self.output.is_json() {
                self.output.text(entry.text)?;
            } else {
                self.show(&entry.view);
            }
        }
        Ok(())
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self, event: &EventView) {
        let line = view::event(event);
        if self.bar.is_hidden() {
            // How it ended is told with the result.
            if !event.event.kind.is_terminal() {
                self.output.note(line);
            }
            return;
        }
        match &event.event.kind {
            // What lasts stays on the screen above the bar, what passes is the bar's text.
            EventKind::StepProgress { .. } | EventKind::StepStarted { .. } => {
                self.bar.set_message(line);
            }
            EventKind::StepCompleted { .. } | EventKind::StepSkipped { .. } => {
                self.bar.println(line);
                self.bar.inc(1);
            }
            EventKind::StepFailed { retry_at, .. } => {
                self.bar.println(line);
                self.bar.inc(u64::from(retry_at.is_none()));
            }
            EventKind::StepLog { .. } | EventKind::CancelRequested { .. } => {
                self.bar.println(line);
            }
            EventKind::RunCreated { .. }
            | EventKind::RunStarted { .. }
            | EventKind::RunCompleted { .. }
            | EventKind::RunFailed { .. }
            | EventKind::RunCancelled { .. } => self.bar.tick(),
        }
    }
}

/// Shows how a run ended.
pub(super) async fn conclude(client: &Client, run: RunId, output: Output) -> Result<Exit> {
    let path = ["runs", &run.to_string()];
    let answer = client.send::<RunView>(Request::get(&path)).await?;
    let run = answer.value;
    let exit = exit(run.status);
    if output.is_json() {
        output.text(answer.text)?;
        return Ok(exit);
    }
    if let Some(result) = &run.result {
        output.result(result)?;
    }
    if let Some(error) = run.error {
        output.failure(error);
    }
    let cost = view::usage(&run.usage);
    let status = run.status.as_str();
    output.note(
        output
            .err
            .dim(format!("{status}, {} steps, {cost}", run.steps)),
    );
    Ok(exit)
}

fn exit(status: RunStatus) -> Exit {
    match status {
        RunStatus::Failed | RunStatus::Cancelled => Exit::Failed,
        RunStatus::Queued
        | RunStatus::Running
        | RunStatus::InputRequired
        | RunStatus::Completed => Exit::Done,
    }
}
