//! What every command is given: how to print, and how to get at a host.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cofferdam_server::types::Failure;
use cofferdam_server::{Durability, Inside, Reached, Redis, Rules, Runs, Store};
use tokio::sync::{Notify, OnceCell};

use crate::cli::{Options, StoreArgument};
use crate::client::Client;
use crate::error::{Result, broken, usage};
use crate::output::Output;
use crate::signals::Signals;

/// What every command is given.
pub(crate) struct Context {
    pub(crate) output: Output,
    options: Options,
    /// The words of the command, for whoever finds the data directory taken.
    command: String,
    /// The host that this process became.
    inside: OnceCell<Arc<Inside>>,
    opened: Notify,
}

impl Context {
    pub(crate) fn new(options: Options, command: String, output: Output) -> Self {
        Self {
            output,
            options,
            command,
            inside: OnceCell::new(),
            opened: Notify::new(),
        }
    }

    /// The data directory of this machine's host.
    pub(crate) fn data_dir(&self) -> PathBuf {
        cofferdam_server::data_dir(self.options.data_dir.clone())
    }

    /// The policy file that was named.
    pub(crate) fn policy(&self) -> Option<&Path> {
        self.options.policy.as_deref()
    }

    /// What decides what tools may do, for a host that this process becomes.
    pub(crate) fn rules(&self) -> Result<Rules> {
        let rules = Rules::new(self.options.policy.clone()).map_err(|errors| {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            usage(errors.join("\n"))
        })?;
        Ok(Rules {
            authorities: self.options.egress_ca.clone(),
            ..rules
        })
    }

    /// Where a host that this process becomes remembers.
    pub(crate) fn store(&self, durability: Durability) -> Store {
        match &self.options.store {
            StoreArgument::Memory => Store::Memory,
            StoreArgument::Embedded => Store::Embedded(durability),
            StoreArgument::Redis(address) => Store::Redis(Redis {
                address: address.clone(),
                password_file: self.options.redis_password_file.clone(),
                prefix: self.options.redis_prefix.clone(),
            }),
        }
    }

    /// The same for a command that ends when it is done.
    fn lasting_store(&self) -> Result<Store> {
        match self.store(Durability::Safe) {
            Store::Memory => Err(usage(
                "what this command does would be forgotten at its end: `memory` is for `serve`",
            )),
            store => Ok(store),
        }
    }

    /// A client of the host to speak to.
    pub(crate) async fn client(&self) -> Result<Client> {
        self.reach(Runs::Left).await
    }

    /// The same for a command that waits for a run: where this process becomes the host, it drives
    /// the runs that are not over.
    pub(crate) async fn driving_client(&self) -> Result<Client> {
        self.reach(Runs::Driven).await
    }

    /// The host that was named, else the one of the data directory, else one in this process.
    async fn reach(&self, runs: Runs) -> Result<Client> {
        let dir = self.data_dir();
        let (client, found) = match &self.options.server {
            Some(server) => {
                let client = Client::new(server)?;
                // The admin key of this machine is shown to a host of this machine only: a wrong
                // `--server` must not give it away.
                let is_local = client.is_local();
                let key = is_local.then(|| cofferdam_server::admin_key(&dir));
                (client, key.flatten())
            }
            None => match self.reach_near(&dir, runs).await? {
                Reached::Listens(server) => {
                    if self.options.policy.is_some() {
                        let note = "a host works on the data directory, under the policy that it \
                                    was started with; `--policy` changes nothing here";
                        self.output.note(note);
                    }
                    (Client::new(&server)?, cofferdam_server::admin_key(&dir))
                }
                Reached::Inside(inside) => {
                    let key = inside.admin_key();
                    (self.become_host(*inside)?, key)
                }
            },
        };
        match self.options.api_key.as_ref().or(found.as_ref()) {
            Some(key) => client.with_key(key.trim()),
            None => Ok(client),
        }
    }

    async fn reach_near(&self, dir: &Path, runs: Runs) -> Result<Reached> {
        let (store, rules) = (self.lasting_store()?, self.rules()?);
        let reached = cofferdam_server::reach(dir, &self.command, store, runs, rules).await;
        reached.map_err(|error| Failure::from(error).into())
    }

    fn become_host(&self, inside: Inside) -> Result<Client> {
        let inside = Arc::new(inside);
        let client = Client::inside(Arc::clone(&inside))?;
        // Whoever holds the directory is not asked to take it again.
        self.inside.set(inside).ok();
        self.opened.notify_one();
        Ok(client)
    }

    /// Resolves when somebody wants to end this process while it is a host, which has to end in
    /// good order. Any other command is ended by the signal itself.
    pub(crate) async fn interrupted(&self) -> Result<()> {
        self.opened.notified().await;
        let mut signals = Signals::new().map_err(|error| broken("hear signals", &error))?;
        signals.next().await;
        Ok(())
    }

    /// Ends the host that this process became, if it did.
    pub(crate) async fn close(self) {
        let Some(inside) = self.inside.into_inner().and_then(Arc::into_inner) else {
            return;
        };
        let Ok(mut signals) = Signals::new() else {
            return inside.close().await;
        };
        tokio::select! {
            () = inside.close() => {}
            // Once more: at once.
            () = signals.next() => {}
        }
    }
}
