//! A network that can be cut: connections go through it to a server, until they do not.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Forwards connections to a server. Ends with the test's process.
pub struct Proxy {
    address: String,
    line: Arc<Mutex<Line>>,
}

struct Line {
    cut: bool,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// A proxy in front of the server at this address, such as `127.0.0.1:4000`.
    pub fn to(server: String) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let line = Arc::new(Mutex::new(Line { cut: false, open: Vec::new() }));
        let shared = Arc::clone(&line);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                connect(client, &server, &shared);
            }
        });
        Proxy { address, line }
    }

    /// Where clients connect to.
    pub fn endpoint(&self) -> String {
        format!("ws://{}/socket", self.address)
    }

    /// Breaks all connections, and every new one until the line is mended.
    pub fn cut(&self) {
        let mut line = self.line.lock().unwrap();
        line.cut = true;
        for stream in line.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Lets new connections through again.
    pub fn mend(&self) {
        self.line.lock().unwrap().cut = false;
    }
}

fn connect(client: TcpStream, server: &str, line: &Mutex<Line>) {
    let mut line = line.lock().unwrap();
    if line.cut {
        return;
    }
    let Ok(server) = TcpStream::connect(server) else { return };
    for (from, to) in [(&client, &server), (&server, &client)] {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        thread::spawn(move || forward(from, to));
    }
    line.open.extend([client, server]);
}

fn forward(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
