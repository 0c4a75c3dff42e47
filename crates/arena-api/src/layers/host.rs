//! A server on loopback is asked by programs and pages of its own machine only, and REST trusts them. A page of another
//! site gets there too, by a name of its own that was made to point here; its `Host` gives it away.

use super::request_id;
use crate::problem::Problem;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// By which names a server may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostNames {
    /// None: it is not known what others call it.
    only: Option<Arc<[String]>>,
}

impl HostNames {
    /// The names of this machine.
    const LOCAL: [&'static str; 3] = ["localhost", "127.0.0.1", "[::1]"];

    /// Of a server that listens there: any name, unless that is loopback. Then it is asked by the names of this machine and
    /// by `others`, without a port; `*` among them stands for any.
    pub fn of(listens: IpAddr, others: &[String]) -> HostNames {
        if !listens.to_canonical().is_loopback() || others.iter().any(|name| name == "*") {
            return HostNames { only: None };
        }
        let names = Self::LOCAL.iter().map(ToString::to_string).chain(others.iter().cloned());
        HostNames { only: Some(names.collect()) }
    }

    /// Programs without a `Host` are let be: browsers always send one.
    fn take(&self, headers: &HeaderMap) -> bool {
        let Some(only) = &self.only else { return true };
        headers.get_all(HOST).iter().all(|host| {
            let name = host.to_str().map(without_port);
            name.is_ok_and(|name| only.iter().any(|known| known.eq_ignore_ascii_case(name)))
        })
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Everything under `router` is refused to whoever asks by another name.
pub fn by_known_names(router: Router, names: HostNames) -> Router {
    router.layer(from_fn_with_state(names, refuse_others))
}

async fn refuse_others(State(names): State<HostNames>, request: Request, next: Next) -> Response {
    if names.take(request.headers()) {
        return next.run(request).await;
    }
    let detail = "this server listens on loopback and is asked by the names localhost, 127.0.0.1 and [::1]: the Host \
                  header has another (name it in server.hosts if a proxy in front sends it)";
    let problem = Problem::new(StatusCode::FORBIDDEN, "other_host", detail).into_response();
    request_id::render(problem, request.headers())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use std::net::{Ipv4Addr, Ipv6Addr};

    fn takes(names: &HostNames, host: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        names.take(&headers)
    }

    #[test]
    fn on_loopback_only_names_of_this_machine_and_those_that_are_set_are_answered_to() {
        let others = ["arena.example".to_owned()];
        for listens in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
            let names = HostNames::of(listens, &others);
            for host in
                ["localhost", "LOCALHOST:7700", "127.0.0.1:7700", "[::1]", "[::1]:7700", "Arena.example:80"]
            {
                assert!(takes(&names, host), "{host}");
            }
            for host in ["evil.example", "evil.example:7700", "localhost.evil.example", "10.0.0.1", "::1", ""]
            {
                assert!(!takes(&names, host), "{host}");
            }
            assert!(names.take(&HeaderMap::new()), "programs that send no Host");
        }
    }

    #[test]
    fn elsewhere_and_with_an_asterisk_any_name_is_answered_to() {
        assert!(takes(&HostNames::of(Ipv4Addr::UNSPECIFIED.into(), &[]), "arena.example"));
        assert!(takes(&HostNames::of(Ipv4Addr::LOCALHOST.into(), &["*".to_owned()]), "arena.example"));
    }
}
