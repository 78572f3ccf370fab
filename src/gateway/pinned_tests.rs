//! A real handshake on loopback, with a certificate made for this test alone.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use flowgate_checks::model::{BodyClass, Outcome, Scheme};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, Stream};

use super::*;
use crate::gateway::client::ProbeClient;
use crate::gateway::requests::Request;
use crate::gateway::target::LoopbackTarget;
use crate::sys::redact::Redactor;

/// Self-signed, for nobody's name, valid for a century.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBhzCCAS2gAwIBAgIUQYSrD2vqY6Tvk0o4Opx/Ma1dedIwCgYIKoZIzj0EAwIw\n\
GDEWMBQGA1UEAwwNZmxvd2dhdGUtdGVzdDAgFw0yNjExMjQxMzQ2MDhaGA8yMTI2\n\
MTAzMTEzNDYwOFowGDEWMBQGA1UEAwwNZmxvd2dhdGUtdGVzdDBZMBMGByqGSM49\n\
AgEGCCqGSM49AwEHA0IABI2/nEVD3X099TYf9nv4zpE3kRuBnDK0qzys+OErhjIo\n\
R3G5NwA4k7w287T52gmtnpS1uRYTQyhK2+TpUCOIub2jUzBRMB0GA1UdDgQWBBR5\n\
A75XGQ0+4zmp7D/i6z0GU0DC/TAfBgNVHSMEGDAWgBR5A75XGQ0+4zmp7D/i6z0G\n\
U0DC/TAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDhl32YAg97\n\
ZTq/TCGpzwFQEFptHD1+hiZ/WOl9vvxwzQIgfyeEYUMO0IheSvJQbwYolLU9RbZG\n\
+1hxnr9YEtyquVY=\n\
-----END CERTIFICATE-----\n\
";

/// Its key, which opens nothing.
const KEY: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWfuA8rV6oNrxQEYW\n\
T1AqD0hmDwhdSHB85mKn894SJTuhRANCAASNv5xFQ919PfU2H/Z7+M6RN5EbgZwy\n\
tKs8rPjhK4YyKEdxuTcAOJO8NvO0+doJrZ6UtbkWE0MoStvk6VAjiLm9\n\
-----END PRIVATE KEY-----\n\
";

/// A TLS server that answers every request with a liveness body; gives its port.
fn serve_tls() -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut tcp in listener.incoming().flatten() {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = Stream::new(&mut connection, &mut tcp);
            let mut piece = [0; 2048];
            if stream.read(&mut piece).is_ok() {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n\"I'm alive!\"");
            }
            connection.send_close_notify();
            let _ = connection.complete_io(&mut tcp);
        }
    });
    port
}

fn ask(port: u16, scheme: Scheme, pem: Option<&str>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = ProbeClient::new(Duration::from_secs(5), pem.map(str::as_bytes)).unwrap();
    let target = LoopbackTarget::new("127.0.0.1", port, scheme).unwrap();
    runtime
        .block_on(client.ask(target, &Request::root(), &Redactor::default()))
        .answer
        .outcome
}

#[test]
fn only_the_named_certificate_is_accepted() {
    let port = serve_tls();
    assert!(matches!(
        ask(port, Scheme::Https, Some(CERTIFICATE)),
        Outcome::Http {
            status: 200,
            body: BodyClass::LitellmAlive,
            ..
        }
    ));
    for other in [None, Some(""), Some("no certificate")] {
        assert_eq!(ask(port, Scheme::Https, other), Outcome::TlsRefused);
    }
}

#[test]
fn a_tls_port_that_is_asked_in_plain_http_has_the_wrong_scheme() {
    let port = serve_tls();
    assert_eq!(
        ask(port, Scheme::Http, Some(CERTIFICATE)),
        Outcome::WrongScheme
    );
}
