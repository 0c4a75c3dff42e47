//! How refusals of conversations look on REST.

use super::wire::RefusalBody;
use crate::problem::Problem;
use arena_core::conversation::{Code, Refusal};
use axum::http::StatusCode;
use std::time::Duration;

/// When to come back where a refusal passes but nobody knows when.
const SOME_TIME: Duration = Duration::from_secs(1);

/// Where waiting helps it is 429, else 409; a turn is nothing that many requests would have used up.
fn status(refusal: &Refusal) -> StatusCode {
    match refusal.code {
        Code::NotYourTurn | Code::TooManyParticipants | Code::IdConflict | Code::WrongState => {
            StatusCode::CONFLICT
        }
        Code::NotAParticipant => StatusCode::FORBIDDEN,
        Code::ReservationNotFound => StatusCode::NOT_FOUND,
        Code::ModerationRejected | Code::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Code::ModerationUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ if refusal.retry_after_ms.is_some() => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::CONFLICT,
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let (status, body) = (status(&refusal), RefusalBody::from(&refusal));
        let problem = Problem::new(status, refusal.code.as_str(), refusal.detail).refusing(body);
        let delay = refusal.retry_after_ms.map(Duration::from_millis);
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                problem.retryable().after(delay.unwrap_or(SOME_TIME))
            }
            _ if delay.is_some() => problem.retryable(),
            _ => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::{IntoResponse, Response};

    fn answer(code: Code, retry_after_ms: Option<u64>) -> Response {
        let refusal = Refusal { retry_after_ms, ..Refusal::plain(code, "no") };
        Problem::render(Problem::from(refusal).into_response(), "r1")
    }

    #[test]
    fn a_refusal_that_passes_says_when_and_any_other_is_a_conflict() {
        for (code, retry_after_ms, status, retry_after) in [
            (Code::TotalLimit, None, 409, None),
            (Code::TotalLimit, Some(1_001), 429, Some("2")),
            (Code::ParticipantLimit, Some(1), 429, Some("1")),
            (Code::LoopDetected, Some(0), 429, Some("1")),
            (Code::Timeout, None, 409, None),
            (Code::NotYourTurn, None, 409, None),
            (Code::NotYourTurn, Some(5_000), 409, None),
            (Code::NotAParticipant, None, 403, None),
            (Code::TooManyParticipants, None, 409, None),
            (Code::IdConflict, None, 409, None),
            (Code::WrongState, None, 409, None),
            (Code::ReservationNotFound, None, 404, None),
            (Code::ModerationRejected, None, 422, None),
            (Code::Invalid, None, 422, None),
            (Code::ModerationUnavailable, None, 503, Some("1")),
            (Code::ModerationUnavailable, Some(3_000), 503, Some("3")),
        ] {
            let answer = answer(code, retry_after_ms);
            let told = answer.headers().get("retry-after").map(|value| value.to_str().unwrap());
            assert_eq!(
                (answer.status().as_u16(), told),
                (status, retry_after),
                "{code:?} {retry_after_ms:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_kept_refusal_tells_the_same_again() {
        let refusal =
            Refusal { limit: Some(2), used: Some(2), ..Refusal::plain(Code::ParticipantLimit, "no") };
        let problem = Problem::from(refusal);
        let kept = Problem::from_kept(StatusCode::CONFLICT, &problem.to_kept()).unwrap();
        assert_eq!(kept, problem);
        let body = Problem::render(kept.into_response(), "r2").into_body();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&body["limit"], &body["remaining"]), (&2.into(), &serde_json::Value::Null));
        assert_eq!((&body["scope"], &body["code"]), (&"conversation".into(), &"participant_limit".into()));
    }
}
