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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::connect;
    use arena_core::fleet::FaultClass;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    async fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    #[tokio::test]
    async fn a_connection_over_tcp_is_made() {
        let (listener, port) = listener().await;
        let endpoint = Endpoint::parse(&format!("http://127.0.0.1:{port}"), Some("key")).unwrap();
        let network = Network::new();
        let serve = async {
            let (stream, _) = listener.accept().await.unwrap();
            tokio_tungstenite::accept_async(stream).await.unwrap()
        };
        let (connected, _served) = tokio::join!(connect(&endpoint, &network), serve);
        assert!(connected.is_ok());
    }

    #[tokio::test]
    async fn nobody_there_is_a_fault_of_the_network() {
        let (listener, port) = listener().await;
        drop(listener);
        let endpoint = Endpoint::parse(&format!("http://127.0.0.1:{port}"), None).unwrap();
        let fault = connect(&endpoint, &Network::new()).await.err().unwrap();
        assert_eq!((fault.class, fault.code.as_str()), (FaultClass::Network, "connection_refused"));
    }

    /// The provider of TLS is named, so it works whatever else the process has; and what is no TLS is told apart.
    #[tokio::test]
    async fn an_endpoint_without_tls_is_not_taken_for_a_secure_one() {
        let (listener, port) = listener().await;
        let endpoint = Endpoint::parse(&format!("https://localhost:{port}"), None).unwrap();
        let network = Network::new();
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut hello = [0; 5];
            stream.read_exact(&mut hello).await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            hello
        };
        let (connected, hello) = tokio::join!(connect(&endpoint, &network), serve);
        assert_eq!(hello[..2], [22, 3], "a hello of TLS");
        assert_eq!(connected.err().unwrap().code, "tls_failed");
    }
}
