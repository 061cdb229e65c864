use std::fs;

use anyhow::{Context, Result, ensure};

/// What a process holds: to be compared before and after.
#[derive(Debug, Clone, Copy)]
pub struct Leftovers {
    resident_bytes: u64,
    descriptors: usize,
    children: usize,
}

/// How much more a process may hold than before: room for the allocator's habits.
const RESIDENT_SLACK_BYTES: u64 = 20 << 20;
/// Connections that a client keeps open, and timers.
const DESCRIPTOR_SLACK: usize = 8;

impl Leftovers {
    /// Of the process `pid`.
    pub fn of(pid: u32) -> Result<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok())
            .context("the resident size")?;
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))?.count();
        let mut children = 0;
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            // A thread may end while the list is read.
            let list = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
            children += list.split_whitespace().count();
        }
        Ok(Self {
            resident_bytes: resident << 10,
            descriptors,
            children,
        })
    }

    /// Checks that `self`, taken later, holds no more than `before`.
    pub fn check(&self, before: &Self) -> Result<()> {
        let more = self.resident_bytes.saturating_sub(before.resident_bytes);
        ensure!(
            more <= RESIDENT_SLACK_BYTES,
            "{} KiB more memory than before",
            more >> 10
        );
        ensure!(
            self.descriptors <= before.descriptors + DESCRIPTOR_SLACK,
            "{self:?} after {before:?}"
        );
        ensure!(
            self.children <= before.children,
            "{self:?} after {before:?}"
        );
        Ok(())
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        self.resident_bytes
    }
}
