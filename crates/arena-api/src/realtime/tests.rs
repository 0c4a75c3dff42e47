//! The layers around broadcasts by HTTP.

use super::*;
use crate::conversations::wire::Speaker;
use arena_bus::Bus;
use arena_realtime::limits::RealtimeLimits;
use arena_realtime::policy::{AnonymousAccess, PolicySettings};
use arena_realtime::token::{Issuer, KeySet, SeatClaim, Secret, Verifier};
use arena_realtime::{
    Asking, Backstage, Entered, GatewaySettings, Heard, Look, Missed, PresenceSettings, Refused, Said, Saying,
};
use async_trait::async_trait;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::Request;
use axum::response::Response;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Notify;
use tower::ServiceExt;

/// Nothing is behind any topic.
struct Nothing;

fn nothing() -> Refused {
    Refused { code: "channel_not_found".to_owned(), detail: String::new() }
}

#[async_trait]
impl Backstage for Nothing {
    async fn enter(&self, _: &SeatClaim, _: u64) -> Result<Entered, Refused> {
        Err(nothing())
    }
    async fn look(&self, _: &str) -> Result<Look, Refused> {
        Err(nothing())
    }
    async fn act(&self, _: &SeatClaim, _: u64, _: &str, _: &str) -> Result<u64, Refused> {
        Err(nothing())
    }
    async fn exit(&self, _: &SeatClaim, _: u64) {}
    async fn listen(&self, _: &str) -> Result<Heard, Refused> {
        Err(nothing())
    }
    async fn missed(&self, _: &str, _: &str, _: u64, _: u32) -> Result<Missed, Refused> {
        Err(nothing())
    }
    fn say(&self, _: Saying<'_>) -> Said {
        Box::pin(std::future::ready(Err(nothing().into())))
    }
    fn matchmake(&self, _: Asking<'_>) -> Said {
        Box::pin(std::future::ready(Err(nothing().into())))
    }
    async fn attend(&self, _: &str, _: &str, _: bool) {}
}

/// The routes, for these callers.
fn routes(anonymous: AnonymousAccess, limits: &ApiLimits) -> Router {
    realtime_router(gateway(anonymous), limits)
}

fn gateway(anonymous: AnonymousAccess) -> Gateway {
    let settings = GatewaySettings {
        limits: RealtimeLimits::default(),
        anonymous,
        policy: PolicySettings::default(),
        presence: PresenceSettings::default(),
        token_warning: Duration::from_secs(60),
        token_grace: Duration::from_secs(30),
    };
    let verifier = Arc::new(Verifier::new(KeySet::default()));
    Gateway::start(settings, Bus::default(), verifier, Arc::new(Nothing))
}

/// A body that never comes, and tells when somebody waits for it.
struct Never(Arc<Notify>);

impl hyper::body::Body for Never {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Bytes>, Infallible>>> {
        self.0.notify_one();
        Poll::Pending
    }
}

fn post_to(path: &str, body: Body) -> Request<Body> {
    Request::post(path).header("content-type", "application/json").body(body).unwrap()
}

fn endless(waited_for: &Arc<Notify>) -> Body {
    Body::new(Never(Arc::clone(waited_for)))
}

async fn code(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

const SINGLE: &str = "/api/broadcast/room:1/events/news";

#[tokio::test]
async fn whose_token_is_not_accepted_is_not_listened_to() {
    let router = routes(AnonymousAccess::Never, &ApiLimits::default());
    for path in ["/api/broadcast", "/realtime/v1/api/broadcast", SINGLE] {
        let answer = router.clone().oneshot(post_to(path, endless(&Arc::default()))).await.unwrap();
        assert_eq!(code(answer).await.0, 401, "{path}");
    }
}

#[tokio::test]
async fn a_credential_that_is_no_token_is_refused_even_where_none_is_needed() {
    let gateway = gateway(AnonymousAccess::Always);
    let secret = Secret::own(&"k".repeat(Secret::MIN_BYTES)).unwrap();
    let tokens = JoinTokens { issuer: Issuer::new(&secret), ttl: Duration::from_secs(600) };
    let joining = tokens.joining(gateway.clone(), "ws://arena.test/socket");
    let router = realtime_router(gateway, &ApiLimits::default());
    for credential in ["Basic eA==", "Bearer", ""] {
        let request = || Request::post(SINGLE).header("content-type", "application/json");
        let request = request().header("authorization", credential).body(Body::from("{}")).unwrap();
        let (parts, body) = request.into_parts();
        let is_none = credential.is_empty();
        assert_eq!((joining.speaks)(&parts).is_ok(), is_none, "{credential}");
        assert_eq!((joining.identify)(&parts).is_ok(), is_none, "{credential}");
        let answer = router.clone().oneshot(Request::from_parts(parts, body)).await.unwrap();
        assert_eq!(answer.status(), if is_none { 202 } else { 401 }, "{credential}");
    }
    let anonymous = Request::get("/").header("apikey", "publishable").body(()).unwrap().into_parts().0;
    assert_eq!(
        (joining.speaks)(&anonymous),
        Ok(Speaker::nobody()),
        "it is somebody, but nobody in particular"
    );
    assert_eq!((joining.speaks)(&Request::get("/").body(()).unwrap().into_parts().0), Ok(Speaker::service()));
}

#[tokio::test]
async fn broadcasts_beyond_the_limit_are_refused_and_pages_may_read_it() {
    let limits = ApiLimits { max_in_flight: 1, ..ApiLimits::default() };
    let router = routes(AnonymousAccess::Always, &limits);
    let waited_for = Arc::default();
    let mut first = Box::pin(router.clone().oneshot(post_to("/api/broadcast", endless(&waited_for))));
    tokio::select! {
        _ = &mut first => panic!("its body never comes"),
        () = waited_for.notified() => {}
    }
    // The two addresses share the slots.
    let path = "/realtime/v1/api/broadcast";
    let answer = router.clone().oneshot(post_to(path, Body::from("{}"))).await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert_eq!(code(answer).await, (503, "overloaded".to_owned()));
    drop(first);
    let answer = router.oneshot(post_to(SINGLE, Body::from("{}"))).await.unwrap();
    assert_eq!(code(answer).await.0, 202);
}

#[tokio::test]
async fn a_broadcast_whose_body_does_not_come_is_given_up() {
    let limits = ApiLimits { request_timeout: Duration::from_millis(20), ..ApiLimits::default() };
    let router = routes(AnonymousAccess::Always, &limits);
    let answer = router.oneshot(post_to(SINGLE, endless(&Arc::default()))).await.unwrap();
    assert_eq!(code(answer).await, (503, "timeout".to_owned()));
}

#[tokio::test]
async fn pages_may_send_the_headers_that_clients_send() {
    let router = routes(AnonymousAccess::Never, &ApiLimits::default());
    let question = Request::options(SINGLE).header("origin", "https://a.example").body(Body::empty());
    let answer = router.oneshot(question.unwrap()).await.unwrap();
    let allowed = answer.headers()["access-control-allow-headers"].to_str().unwrap().to_owned();
    let allowed: Vec<_> = allowed.split(", ").collect();
    for header in ["authorization", "apikey", "content-type", "idempotency-key", "x-client-info"] {
        assert!(allowed.contains(&header), "{header} is not among {allowed:?}");
    }
}
