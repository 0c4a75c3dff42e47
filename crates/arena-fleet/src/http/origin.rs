//! Pages of other sites do not command bots and do not read about them: a browser lets any page send to an address on
//! this machine, and a name that its owner has point here makes such a page one of the same origin.

use super::problem::Problem;
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;

/// By which names a server may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Those of this machine: nobody else reaches it, so that every other name is a trick.
    Local,
    /// Any: it is not known what others call it.
    Any,
}

impl Names {
    /// Those of a server that listens there.
    pub(super) fn of(listens: IpAddr) -> Names {
        if listens.to_canonical().is_loopback() { Names::Local } else { Names::Any }
    }

    /// Programs without a `Host` are let be: browsers always send one.
    fn take(self, headers: &HeaderMap) -> bool {
        self == Names::Any || headers.get_all(HOST).iter().all(is_local)
    }
}

/// Refuses what was not asked of this machine, and orders from a page of another origin. Programs name no origin.
pub(super) async fn same_only(State(names): State<Names>, request: Request, next: Next) -> Response {
    if !names.take(request.headers()) {
        let detail = "this server listens on loopback and answers to localhost, 127.0.0.1 and [::1] only: the Host \
                      header names another (a proxy in front has to send one of these)";
        return Problem::new(StatusCode::FORBIDDEN, "other_host", detail).into_response();
    }
    if request.method() == Method::GET || is_same(request.headers()) {
        return next.run(request).await;
    }
    let detail = "pages of other sites may not command bots; use a program, or a page of this server";
    Problem::new(StatusCode::FORBIDDEN, "other_origin", detail).into_response()
}

fn is_same(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let text = |value: &HeaderValue| value.to_str().map(str::to_owned).ok();
    let named = text(origin).and_then(|origin| origin.split_once("://").map(|(_, host)| host.to_owned()));
    named.is_some() && named == headers.get(HOST).and_then(text)
}

/// Whether it is this machine, with or without a port.
fn is_local(host: &HeaderValue) -> bool {
    let Ok(host) = host.to_str() else { return false };
    let is_port = |port: &str| port.bytes().all(|digit| digit.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        Some((name, port)) if is_port(port) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost") || matches!(name, "127.0.0.1" | "[::1]")
}
