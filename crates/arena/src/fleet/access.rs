//! Where bots connect, and with what.

use super::FleetError;
use super::keys::Mint;
use crate::auth::Auth;
use crate::config::Config;
use arena_fleet::bot::{RestSeats, Seats, TokenFor};
use arena_fleet::endpoint::{Endpoint, Network};
use arena_fleet::{Access, TokenSource};
use arena_realtime::token::{Issuer, Secret};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// What the settings say; `own` is where the server of these settings listens. `project`: a URL without a path is that of
/// a Supabase project.
pub(crate) fn of(config: &Config, own: SocketAddr, project: bool) -> Result<Access, FleetError> {
    let fleet = &config.fleet;
    let here = fleet.endpoint.is_empty();
    let endpoint = match here {
        true => Endpoint::parse(&format!("http://{}", reachable(own)?), None),
        false if project => Endpoint::of_supabase(&fleet.endpoint, None),
        false => Endpoint::parse(&fleet.endpoint, None),
    };
    let endpoint = endpoint.map_err(FleetError::Endpoint)?;
    let mint = mint(config, here)?;
    let key = match &mint {
        _ if !fleet.apikey.is_empty() => TokenSource::fixed(fleet.apikey.expose()),
        Some(mint) => mint.service(),
        None => return Err(FleetError::NoKey(endpoint.to_string())),
    };
    let tokens: TokenFor = match mint {
        Some(mint) => Arc::new(move |me| mint.of_bot(&me.id)),
        None => {
            let key = key.clone();
            Arc::new(move |_| key.clone())
        }
    };
    let seats = match endpoint.is_ours() {
        true => {
            let seats = RestSeats::at(&endpoint, Arc::clone(&tokens));
            let seats = seats.map_err(|error| FleetError::Client(error.into()))?;
            Some(Arc::new(seats) as Arc<dyn Seats>)
        }
        false => None,
    };
    let dial = Arc::new(Network::new());
    Ok(Access { endpoint: endpoint.keyed(key.clone()), dial, observer: key, tokens, seats })
}

/// Signs tokens, where the secret of the endpoint is known.
fn mint(config: &Config, here: bool) -> Result<Option<Mint>, FleetError> {
    let secret = &config.fleet.jwt_secret;
    if !secret.is_empty() {
        let secret = Secret::shared(secret.expose()).map_err(FleetError::Secret)?;
        return Ok(Some(Mint::new(Issuer::new(&secret))));
    }
    if !here {
        return Ok(None);
    }
    Ok(Some(Mint::new(Auth::open(config)?.issuer)))
}

/// The address at which a server that listens there is reached from this machine.
fn reachable(own: SocketAddr) -> Result<SocketAddr, FleetError> {
    if own.port() == 0 {
        return Err(FleetError::NoPort);
    }
    let ip = match own.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    Ok(SocketAddr::new(ip, own.port()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HiddenText;
    use arena_fleet::{BrainKind, Identity};
    use arena_realtime::token::{KeySet, Role, Verifier, unix_now};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn config(endpoint: &str, apikey: &str, jwt_secret: &str) -> Config {
        let mut config = Config::default();
        config.fleet.endpoint = endpoint.to_owned();
        config.fleet.apikey = HiddenText::new(apikey.to_owned());
        config.fleet.jwt_secret = HiddenText::new(jwt_secret.to_owned());
        config
    }

    fn of(config: &Config) -> Result<Access, FleetError> {
        super::of(config, "127.0.0.1:7700".parse().unwrap(), false)
    }

    fn token_of_ada(access: &Access) -> String {
        let me = Identity {
            id: "bot-ada".to_owned(),
            name: "Ada".to_owned(),
            persona: "host".to_owned(),
            brain: BrainKind::Scripted,
            world: None,
        };
        (access.tokens)(&me).current().text.to_string()
    }

    #[test]
    fn with_a_key_alone_all_go_by_it() {
        let access = of(&config("https://ref.supabase.co", "the-key", "")).unwrap();
        assert_eq!(access.endpoint.to_string(), "wss://ref.supabase.co/realtime/v1/websocket");
        assert_eq!(
            (&*access.observer.current().text, token_of_ada(&access).as_str()),
            ("the-key", "the-key")
        );
        assert!(access.seats.is_none(), "there are no worlds");
    }

    #[test]
    fn with_a_secret_bots_have_names_and_a_key_still_opens_connections() {
        let verifier = Verifier::new(KeySet::default().with_secret(&Secret::shared(SECRET).unwrap()));
        let read = |token: &str| verifier.verify(token, unix_now()).unwrap();
        let access = of(&config("wss://arena.example", "", SECRET)).unwrap();
        assert_eq!(read(&access.observer.current().text).role, Role::ServiceRole);
        assert_eq!(read(&token_of_ada(&access)).sub.as_deref(), Some("bot-ada"));
        assert!(access.seats.is_some());
        let both = of(&config("wss://arena.example", "the-key", SECRET)).unwrap();
        assert_eq!(&*both.observer.current().text, "the-key");
        assert_eq!(read(&token_of_ada(&both)).sub.as_deref(), Some("bot-ada"));
    }

    #[test]
    fn without_either_it_says_what_to_give() {
        let error = of(&config("wss://arena.example", "", "")).err().unwrap().to_string();
        for word in ["wss://arena.example", "--apikey", "SUPABASE_SERVICE_ROLE_KEY", "fleet.jwt_secret"] {
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn this_server_is_reached_where_it_listens() {
        for (listens, reached) in
            [("0.0.0.0:7", "127.0.0.1:7"), ("[::]:7", "[::1]:7"), ("10.0.0.1:7", "10.0.0.1:7")]
        {
            assert_eq!(reachable(listens.parse().unwrap()).unwrap().to_string(), reached);
        }
        assert!(matches!(reachable("127.0.0.1:0".parse().unwrap()), Err(FleetError::NoPort)));
    }

    #[test]
    fn a_project_that_hosts_itself_is_found_by_its_url() {
        let config = config("http://127.0.0.1:54321", "k", "");
        let own = "127.0.0.1:7700".parse().unwrap();
        let of = |project| super::of(&config, own, project).unwrap().endpoint.to_string();
        assert_eq!(of(true), "ws://127.0.0.1:54321/realtime/v1/websocket");
        assert_eq!(of(false), "ws://127.0.0.1:54321/socket/websocket");
    }
}
