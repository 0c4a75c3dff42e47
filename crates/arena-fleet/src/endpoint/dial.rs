//! Byte streams to an endpoint: TCP and TLS, or whatever a test has.

use super::url::Endpoint;
use async_trait::async_trait;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, crypto::aws_lc_rs};
use rustls_platform_verifier::BuilderVerifierExt as _;
use std::io;
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Bytes in both directions.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes byte streams to an endpoint. The caller bounds the time.
#[async_trait]
pub trait Dial: Send + Sync {
    /// A stream on which a handshake can be begun.
    async fn dial(&self, endpoint: &Endpoint) -> io::Result<Box<dyn Stream>>;
}

/// TCP, and TLS where the endpoint is secure: certificates are those that the system trusts.
#[derive(Default)]
pub struct Network {
    tls: OnceLock<Arc<ClientConfig>>,
}

impl Network {
    /// TLS is set up with the first secure connection.
    pub fn new() -> Network {
        Network::default()
    }

    fn tls(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = self.tls.get() {
            return Ok(Arc::clone(config));
        }
        // The provider is named, because a process that has two of them has no default.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_platform_verifier())
            .map_err(io::Error::other)?
            .with_no_client_auth();
        Ok(Arc::clone(self.tls.get_or_init(|| Arc::new(config))))
    }
}

#[async_trait]
impl Dial for Network {
    async fn dial(&self, endpoint: &Endpoint) -> io::Result<Box<dyn Stream>> {
        let tcp = TcpStream::connect((endpoint.host(), endpoint.port())).await?;
        // Messages are small and wait for nothing.
        tcp.set_nodelay(true)?;
        if !endpoint.is_secure() {
            return Ok(Box::new(tcp));
        }
        let name = ServerName::try_from(endpoint.host().to_owned()).map_err(io::Error::other)?;
        let tls = TlsConnector::from(self.tls()?).connect(name, tcp).await?;
        Ok(Box::new(tls))
    }
}
