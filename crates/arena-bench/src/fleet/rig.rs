//! A gateway, the proxy before it, the observer in its lobby, and the clients.

use super::Who;
use super::naive::Naive;
use super::observer::Observer;
use super::proxy::Proxy;
use super::service::Service;
use crate::server::Server;
use anyhow::{Context, bail};
use serde_json::Value;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

const POLL: Duration = Duration::from_millis(10);

/// Everything that one measurement needs. Ends when it is dropped.
pub struct Rig {
    // In the order in which they are dropped: clients first.
    clients: Clients,
    /// Who has knocked.
    pub proxy: Proxy,
    /// Who is there.
    pub observer: Observer,
    /// The gateway.
    pub server: Server,
    /// When the clients were started.
    pub begun: Instant,
    count: usize,
}

enum Clients {
    Fleet(Service),
    Naive(#[expect(dead_code, reason = "held to be dropped")] Naive),
}

/// Totals of the gateway since its start.
#[derive(Debug, Clone, Copy)]
pub struct Totals {
    /// Sessions now, the observer's not among them.
    pub sessions: u64,
    /// Handshakes that it has refused.
    pub refused_handshakes: u64,
    /// Joins that it has refused.
    pub refused_joins: u64,
}

impl Rig {
    /// Starts it all; the clients last. `gateway` are lines of the gateway's configuration file.
    pub fn start(
        runtime: &Handle,
        arena: &Path,
        who: Who,
        count: usize,
        gateway: &[&str],
    ) -> anyhow::Result<Rig> {
        let mut server = Server::start(arena, gateway)?;
        server.until_it_answers()?;
        // Without a user each of its sessions is somebody else, as clients of a key that is public are.
        let apikey = server.token(&["--role", "service_role", "--ttl", "1d"])?;
        let proxy = Proxy::start(runtime, server.address())?;
        let observer = Observer::start(runtime, server.address(), &apikey);
        let begun = Instant::now();
        let clients = match who {
            Who::Fleet => Clients::Fleet(Service::start(arena, proxy.address(), &apikey, count)?),
            Who::Naive => Clients::Naive(Naive::start(runtime, proxy.address(), &apikey, count)),
        };
        Ok(Rig { clients, proxy, observer, server, begun, count })
    }

    /// Waits until so many are present; when that was. Fails after `patience`, with what is known.
    pub fn until_present(
        &mut self,
        count: usize,
        since: Instant,
        patience: Duration,
    ) -> anyhow::Result<Instant> {
        let asked = Instant::now();
        loop {
            if let Some(at) = self.observer.reached(count, since) {
                return Ok(at);
            }
            if let Clients::Fleet(service) = &mut self.clients {
                service.check()?;
            }
            if asked.elapsed() > patience {
                bail!(
                    "{} of {count} are present after {patience:?}{}",
                    self.observer.present(),
                    self.story()
                );
            }
            sleep(POLL);
        }
    }

    /// Those who are present, counted once more after a moment, and never more than there are clients.
    pub fn check_present(&self, since: Instant) -> anyhow::Result<()> {
        let (present, most) = (self.observer.present(), self.observer.most(since));
        anyhow::ensure!(
            present == self.count && most == self.count,
            "{present} are present and {most} were at once, of {}{}",
            self.count,
            self.story()
        );
        Ok(())
    }

    /// What the gateway counts.
    pub fn totals(&self) -> anyhow::Result<Totals> {
        let (status, stats) = self.server.request("GET", "/api/realtime", None)?;
        anyhow::ensure!(status == 200, "GET /api/realtime answered {status}");
        let number = |value: &Value| value.as_u64().context("the gateway's totals");
        let totals = &stats["totals"];
        Ok(Totals {
            sessions: number(&stats["sessions"])?.saturating_sub(1),
            refused_handshakes: number(&totals["refused_handshakes"])?,
            refused_joins: number(&totals["refused_joins"])?,
        })
    }

    /// The bot service, where it is measured.
    pub fn service(&self) -> Option<&Service> {
        match &self.clients {
            Clients::Fleet(service) => Some(service),
            Clients::Naive(_) => None,
        }
    }

    /// Ends it; the bot service has to end in good order.
    pub fn stop(self) -> anyhow::Result<()> {
        match self.clients {
            Clients::Fleet(service) => service.stop(),
            Clients::Naive(_) => Ok(()),
        }
    }

    fn story(&self) -> String {
        let service = self.service().map(Service::log).unwrap_or_default();
        format!(
            "; {:?}; the gateway's log: {}; the bot service's: {service}",
            self.proxy.arrivals().since(self.begun),
            self.server.log()
        )
    }
}
