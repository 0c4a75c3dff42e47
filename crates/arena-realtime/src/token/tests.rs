use super::*;
use crate::policy::Grants;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;
const TEXT: &str = "the text of a secret is the key itself";
const OTHER: &str = "another text that is as long as a secret";

fn own() -> Secret {
    Secret::own(TEXT).unwrap()
}

fn verifier() -> Verifier {
    Verifier::new(KeySet::default().with_secret(&own()))
}

fn ann() -> Claims {
    Claims::of("ann", Role::Authenticated, NOW, 60)
}

/// A token with this header and these claims, signed by whatever algorithm with whatever secret.
fn hs(header: &Value, claims: &Value, text: &str) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let key = EncodingKey::from_secret(text.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

fn good() -> Value {
    json!({"role": "anon", "exp": NOW + 60})
}

/// A key pair of somebody else's: what signs, and the public half as a key of a set.
fn pair(algorithm: Algorithm, id: &str) -> (EncodingKey, Value) {
    let random = SystemRandom::new();
    let key = match algorithm {
        Algorithm::ES256 => {
            let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            EncodingKey::from_ec_der(der.as_ref())
        }
        Algorithm::EdDSA => {
            EncodingKey::from_ed_der(Ed25519KeyPair::generate_pkcs8v1(&random).unwrap().as_ref())
        }
        _ => {
            use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
            let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
            let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
            // What is wanted is PKCS #1, which in PKCS #8 stands behind 26 bytes for a key of this size.
            EncodingKey::from_rsa_der(&der.as_ref()[26..])
        }
    };
    let mut jwk = Jwk::from_encoding_key(&key, algorithm).unwrap();
    jwk.common.key_id = Some(id.to_owned());
    (key, serde_json::to_value(jwk).unwrap())
}

fn signed(key: &EncodingKey, algorithm: Algorithm, id: Option<&str>) -> String {
    let header = Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
    encode(&header, &ann(), key).unwrap()
}

#[test]
fn what_the_issuer_signs_is_what_the_verifier_reads() {
    let everything = Claims {
        topics: Grants { read: vec!["room:*".parse().unwrap()], ..Grants::default() },
        seat: Some(SeatClaim { player: uuid::Uuid::from_u128(7), channel: "main-2".to_owned() }),
        bot: true,
        ..ann()
    };
    let nobody = Claims { sub: None, role: Role::Anon, ..ann() };
    for claims in [ann(), everything, nobody] {
        let token = Issuer::new(&own()).issue(&claims);
        assert_eq!(verifier().verify(&token, NOW), Ok(claims));
    }
}

#[test]
fn a_token_of_supabase_names_nobody_and_has_claims_of_its_own() {
    let claims = json!({"iss": "supabase", "ref": "abc", "aud": "authenticated", "role": "anon", "iat": NOW, "exp": NOW + 9});
    let token = hs(&json!({"alg": "HS256", "typ": "JWT"}), &claims, TEXT);
    let read = verifier().verify(&token, NOW).unwrap();
    assert_eq!((read.ttl_secs(NOW), read.role, read.sub), (9, Role::Anon, None));
    let empty = json!({"role": "anon", "exp": NOW + 9, "sub": ""});
    assert_eq!(verifier().verify(&hs(&json!({"alg": "HS256"}), &empty, TEXT), NOW).unwrap().sub, None);
}

#[test]
fn claims_that_are_not_in_order_are_told_from_one_another() {
    use TokenError::{BadClaim, Expired, Malformed, MissingClaim, NotYet};
    let unreadable = Malformed("its claims cannot be read");
    let sub = BadClaim("sub", "is too long or has control characters");
    for (claims, error) in [
        (json!({"exp": NOW + 1}), MissingClaim("role")),
        (json!({"role": null, "exp": NOW + 1}), MissingClaim("role")),
        (json!({"role": "anon"}), MissingClaim("exp")),
        (json!({"role": "postgres", "exp": NOW + 1}), BadClaim("role", "is not known here")),
        (json!({"role": "Service_Role", "exp": NOW + 1}), BadClaim("role", "is not known here")),
        (json!({"role": "anon", "exp": NOW}), Expired { secs_ago: 0 }),
        (json!({"role": "anon", "exp": NOW - 7}), Expired { secs_ago: 7 }),
        (json!({"role": "anon", "exp": -1.5}), Expired { secs_ago: NOW + 2 }),
        (json!({"role": "anon", "exp": i64::MIN}), Expired { secs_ago: i64::MAX }),
        (json!({"role": "anon", "exp": NOW + 9, "nbf": NOW + 6}), NotYet { in_secs: 6 }),
        (json!({"role": "anon", "exp": "tomorrow"}), unreadable.clone()),
        (json!({"role": "anon", "exp": NOW + 1, "sub": 7}), unreadable.clone()),
        (json!({"role": "anon", "exp": NOW + 1, "sub": "a".repeat(129)}), sub.clone()),
        (json!({"role": "anon", "exp": NOW + 1, "sub": "a\nb"}), sub),
        (json!({"role": "anon", "exp": NOW + 1, "topics": {"read": ["a*b"]}}), unreadable.clone()),
        (
            json!({"role": "anon", "exp": NOW + 1, "topics": {"read": vec!["a"; 65]}}),
            BadClaim("topics", "lists too many topics"),
        ),
        (
            json!({"role": "anon", "exp": NOW + 1, "seat": {"player": "x", "channel": "main"}}),
            unreadable.clone(),
        ),
        (json!(["role", "anon"]), unreadable.clone()),
        (json!("role"), unreadable),
    ] {
        let token = hs(&json!({"alg": "HS256"}), &claims, TEXT);
        assert_eq!(verifier().verify(&token, NOW), Err(error), "{claims}");
    }
}

#[test]
fn times_may_have_fractions_and_be_far_away() {
    for (exp, read) in [
        (json!(NOW as f64 + 1.9), NOW + 1),
        (json!(i64::MAX), i64::MAX),
        (json!(u64::MAX), i64::MAX),
        (json!(1e300), i64::MAX),
    ] {
        let token = hs(&json!({"alg": "HS256"}), &json!({"role": "anon", "exp": exp, "nbf": NOW + 5}), TEXT);
        assert_eq!(verifier().verify(&token, NOW).map(|claims| claims.exp), Ok(read), "{exp}");
    }
}

#[test]
fn a_claim_that_is_said_twice_is_not_read_at_all() {
    let claims = format!("{{\"role\":\"anon\",\"role\":\"service_role\",\"exp\":{}}}", NOW + 1);
    let message = format!("{}.{}", part(&json!({"alg": "HS256"})), URL_SAFE_NO_PAD.encode(claims));
    let key = EncodingKey::from_secret(TEXT.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    let refused = verifier().verify(&format!("{message}.{signature}"), NOW);
    assert_eq!(refused, Err(TokenError::Malformed("its claims cannot be read")));
}

#[test]
fn forged_tokens_are_refused() {
    let id = own().id().unwrap().to_owned();
    let honest = Issuer::new(&own()).issue(&ann());
    let [header, claims, signature] = honest.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let admin = part(&json!({"role": "service_role", "exp": NOW + 60}));
    let none = |alg: &str| part(&json!({"alg": alg, "typ": "JWT"}));
    let with = |header: Value, text: &str| hs(&header, &good(), text);
    for (what, token, error) in [
        (
            "other claims under an honest signature",
            format!("{header}.{admin}.{signature}"),
            "JwtSignatureError",
        ),
        ("no signature", format!("{header}.{claims}."), "JwtSignatureError"),
        ("half a signature", format!("{header}.{claims}.{}", &signature[..20]), "JwtSignatureError"),
        ("a signature that is no base64", format!("{header}.{claims}.%%%"), "JwtSignatureError"),
        ("none", format!("{}.{admin}.", none("none")), "MalformedJWT"),
        ("None", format!("{}.{admin}.", none("None")), "MalformedJWT"),
        ("none with a signature", format!("{}.{admin}.{signature}", none("none")), "MalformedJWT"),
        (
            "an algorithm that no key has",
            format!("{}.{admin}.{signature}", none("HS512")),
            "JwtSignatureError",
        ),
        ("another secret", with(json!({"alg": "HS256"}), OTHER), "JwtSignatureError"),
        ("another secret under our id", with(json!({"alg": "HS256", "kid": id}), OTHER), "JwtSignatureError"),
        ("our secret under another id", with(json!({"alg": "HS256", "kid": "x"}), TEXT), "JwtSignatureError"),
        (
            "an id with a path",
            with(json!({"alg": "HS256", "kid": "../../dev/null"}), ""),
            "JwtSignatureError",
        ),
        ("an empty secret", with(json!({"alg": "HS256"}), ""), "JwtSignatureError"),
        (
            "a key of its own",
            with(json!({"alg": "HS256", "jwk": {"kty": "oct", "k": part(&json!(OTHER))}}), OTHER),
            "JwtSignatureError",
        ),
        (
            "a key elsewhere",
            with(json!({"alg": "HS256", "jku": "http://127.0.0.1:1/jwks"}), OTHER),
            "JwtSignatureError",
        ),
        (
            "critical extensions",
            with(json!({"alg": "HS256", "crit": ["exp"], "exp": 1}), TEXT),
            "MalformedJWT",
        ),
        ("an empty list of those", with(json!({"alg": "HS256", "crit": []}), TEXT), "MalformedJWT"),
    ] {
        let refused = verifier().verify(&token, NOW).expect_err(what);
        assert_eq!(refused.code(), error, "{what}: {refused}");
        assert_eq!(refused.handshake().0, 401);
    }
}

#[test]
fn what_is_no_token_is_refused_before_anything_is_made_of_it() {
    assert_eq!(verifier().verify("", NOW), Err(TokenError::Missing));
    let honest = Issuer::new(&own()).issue(&ann());
    let huge = format!("{honest}{}", "A".repeat(Verifier::MAX_TOKEN_BYTES));
    assert_eq!(verifier().verify(&huge, NOW), Err(TokenError::Malformed("it is too long")));
    let padded = format!("{honest}=");
    for text in [
        " ",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c",
        "ünïcödé.töken.✓",
        "\0.\0.\0",
        "Bearer x.y.z",
        "sb_publishable_x",
        &padded,
    ] {
        assert!(verifier().verify(text, NOW).is_err(), "{text:?}");
    }
    let five = format!("{honest}.{honest}");
    assert!(verifier().verify(&five, NOW).is_err());
}

proptest! {
    #[test]
    fn no_text_breaks_the_verifier(text in "\\PC{0,80}", cut in 0..400_usize) {
        prop_assert!(verifier().verify(&text, NOW).is_err());
        let honest = Issuer::new(&own()).issue(&ann());
        let (before, after) = honest.split_at(cut.min(honest.len()));
        let spliced = format!("{before}{text}{after}");
        prop_assert!(spliced == honest || verifier().verify(&spliced, NOW).is_err());
    }

    #[test]
    fn any_changed_character_breaks_a_token(at in 0..400_usize, with in "[A-Za-z0-9_.-]") {
        let honest = Issuer::new(&own()).issue(&ann());
        let at = at % honest.len();
        let mut changed = honest.clone();
        changed.replace_range(at..=at, &with);
        let same = changed == honest;
        prop_assert_eq!(verifier().verify(&changed, NOW).is_ok(), same);
    }
}

#[test]
fn keys_of_every_kind_check_what_their_owners_sign() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
        let (key, jwk) = pair(algorithm, "theirs");
        let (stranger, _) = pair(algorithm, "theirs");
        let set = json!({"keys": [jwk]}).to_string();
        let verifier = Verifier::new(KeySet::default().with_jwks(&set).unwrap());
        for id in [Some("theirs"), None] {
            assert_eq!(verifier.verify(&signed(&key, algorithm, id), NOW), Ok(ann()), "{algorithm:?}");
            let forged = signed(&stranger, algorithm, id);
            assert_eq!(verifier.verify(&forged, NOW), Err(TokenError::Signature), "{algorithm:?}");
        }
        let elsewhere = signed(&key, algorithm, Some("others"));
        assert_eq!(verifier.verify(&elsewhere, NOW), Err(TokenError::UnknownKey), "{algorithm:?}");
    }
}

#[test]
fn a_public_key_is_never_taken_for_a_shared_secret() {
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::RS256] {
        let (_, jwk) = pair(algorithm, "public");
        let set = json!({"keys": [jwk]}).to_string();
        let alone = Verifier::new(KeySet::default().with_jwks(&set).unwrap());
        let token = hs(&json!({"alg": "HS256", "kid": "public"}), &good(), TEXT);
        assert_eq!(alone.verify(&token, NOW), Err(TokenError::UnknownKey), "it is not even tried");
        let keys = KeySet::default().with_secret(&own()).with_jwks(&set).unwrap();
        let verifier = Verifier::new(keys);
        let fields = jwk.as_object().unwrap().values().filter_map(Value::as_str);
        for public in fields.map(str::to_owned).chain([jwk.to_string(), set.clone()]) {
            let raw = URL_SAFE_NO_PAD.decode(&public).ok().and_then(|raw| String::from_utf8(raw).ok());
            for secret in [Some(public), raw].into_iter().flatten() {
                for kid in [json!("public"), json!(own().id()), Value::Null] {
                    let token = hs(&json!({"alg": "HS256", "kid": kid}), &good(), &secret);
                    assert_eq!(verifier.verify(&token, NOW).unwrap_err().code(), "JwtSignatureError");
                }
            }
        }
    }
}

#[test]
fn after_a_rotation_old_and_new_tokens_are_good_until_the_old_key_goes() {
    let new = Secret::own(OTHER).unwrap();
    let (old_token, new_token) = (Issuer::new(&own()).issue(&ann()), Issuer::new(&new).issue(&ann()));
    let verifier = verifier();
    assert_eq!(verifier.verify(&new_token, NOW), Err(TokenError::UnknownKey));
    verifier.replace(KeySet::default().with_secret(&new).with_secret(&own()));
    assert!(verifier.verify(&old_token, NOW).is_ok() && verifier.verify(&new_token, NOW).is_ok());
    verifier.replace(KeySet::default().with_secret(&new));
    assert_eq!(verifier.verify(&old_token, NOW), Err(TokenError::UnknownKey));
    assert!(verifier.verify(&new_token, NOW).is_ok());
    verifier.replace(KeySet::default());
    assert_eq!(verifier.verify(&new_token, NOW), Err(TokenError::UnknownKey));
}

#[test]
fn a_shared_secret_is_good_under_whatever_id_others_sign_with_it() {
    let shared = [Secret::shared(OTHER).unwrap(), Secret::shared(TEXT).unwrap()];
    let verifier = Verifier::new(shared.iter().fold(KeySet::default(), KeySet::with_secret));
    for header in [json!({"alg": "HS256"}), json!({"alg": "HS256", "kid": "theirs"})] {
        assert!(verifier.verify(&hs(&header, &good(), TEXT), NOW).is_ok(), "{header}");
    }
}

#[test]
fn key_sets_that_cannot_be_used_are_refused_by_name() {
    let oct = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let load = |json: Value| KeySet::default().with_jwks(&json.to_string());
    let keys = |key: Value| load(json!({"keys": [key]}));
    assert!(matches!(load(json!([])), Err(BadKeys::NotJwks(_))));
    assert!(matches!(
        load(json!({"keys": [{"kty": "oct"}]})),
        Err(BadKeys::NotJwks(_)) | Err(BadKeys::Unsupported(_))
    ));
    let weak = keys(json!({"kty": "oct", "kid": "k", "k": oct("short")}));
    assert_eq!(weak.unwrap_err(), BadKeys::Weak("k".to_owned()));
    let confused = keys(json!({"kty": "oct", "kid": "k", "alg": "RS256", "k": oct(TEXT)}));
    assert_eq!(confused.unwrap_err(), BadKeys::Unsupported("k".to_owned()));
    let (_, mut ec) = pair(Algorithm::ES256, "e");
    ec["alg"] = json!("HS256");
    assert_eq!(keys(ec.clone()).unwrap_err(), BadKeys::Unsupported("e".to_owned()));
    ec["use"] = json!("enc");
    assert!(keys(ec).unwrap().is_empty(), "keys for encryption are passed over");
    let unknown = keys(json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "x"}));
    assert_eq!(unknown.unwrap_err(), BadKeys::Unsupported("number 1".to_owned()));
    let many = vec![json!({"kty": "oct", "k": oct(TEXT)}); KeySet::MAX_KEYS + 1];
    assert_eq!(load(json!({"keys": many})).unwrap_err(), BadKeys::TooMany(KeySet::MAX_KEYS + 1));
}

#[test]
fn nothing_prints_a_secret() {
    let keys = KeySet::default().with_secret(&own()).with_secret(&Secret::shared(TEXT).unwrap());
    let printed = format!("{:?} {keys:?} {:?} {:?}", own(), Issuer::new(&own()), Verifier::new(keys.clone()));
    assert!(!printed.contains("secret is the key"), "{printed}");
}

#[test]
fn refusals_are_worded_as_clients_know_them() {
    for (error, reason, status) in [
        (TokenError::Missing, "MalformedJWT: API key is missing", "API key is missing"),
        (
            TokenError::Malformed("why"),
            "MalformedJWT: The token provided is not a valid JWT: why",
            "The token provided is not a valid JWT",
        ),
        (
            TokenError::Signature,
            "JwtSignatureError: Failed to validate JWT signature",
            "Failed to validate JWT signature",
        ),
        (
            TokenError::Expired { secs_ago: 7 },
            "InvalidJWTToken: Token has expired 7 seconds ago",
            "Token has expired",
        ),
    ] {
        assert_eq!((error.join_reason().as_str(), error.handshake()), (reason, (401, status)));
    }
}
