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

#[derive(Default)]
struct Line {
    cut: bool,
    open: Vec<TcpStream>,
    /// How many connections were made, cut ones too.
    made: usize,
    /// The last bytes of every client that has ended.
    ends: Vec<Vec<u8>>,
}

/// As many of a client's last bytes are kept as a closing frame has.
const END: usize = 2 + 4 + 125;

impl Proxy {
    /// A proxy in front of the server at this address, such as `127.0.0.1:4000`.
    pub fn to(server: String) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let line = Arc::new(Mutex::new(Line::default()));
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

    /// How many connections were made so far.
    pub fn made(&self) -> usize {
        self.line.lock().unwrap().made
    }

    /// The closing codes of the clients that have ended; `None` of one that ended without a word.
    pub fn goodbyes(&self) -> Vec<Option<u16>> {
        self.line.lock().unwrap().ends.iter().map(|end| closing_code(end)).collect()
    }

    /// Lets new connections through again.
    pub fn mend(&self) {
        self.line.lock().unwrap().cut = false;
    }
}

fn connect(client: TcpStream, server: &str, shared: &Arc<Mutex<Line>>) {
    let mut line = shared.lock().unwrap();
    line.made += 1;
    if line.cut {
        return;
    }
    let Ok(server) = TcpStream::connect(server) else { return };
    let copy = |stream: &TcpStream| stream.try_clone().unwrap();
    let (from, to, ended) = (copy(&client), copy(&server), Arc::clone(shared));
    thread::spawn(move || {
        let end = forward(from, to);
        ended.lock().unwrap().ends.push(end);
    });
    let (from, to) = (copy(&server), copy(&client));
    thread::spawn(move || forward(from, to));
    line.open.extend([client, server]);
}

/// Returns the last bytes.
fn forward(mut from: TcpStream, mut to: TcpStream) -> Vec<u8> {
    let (mut buffer, mut end) = ([0; 16 * 1024], Vec::new());
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        end.extend_from_slice(&buffer[..read]);
        end.drain(..end.len().saturating_sub(END));
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    end
}

/// The code of the closing frame that a client's last bytes are.
fn closing_code(end: &[u8]) -> Option<u16> {
    /// A whole message of the closing kind, RFC 6455, section 5.2.
    const CLOSE: u8 = 0x88;
    const MASKED: u8 = 0x80;
    let frames = (0..end.len()).map(|start| &end[start..]);
    frames.filter(|frame| frame.first() == Some(&CLOSE)).find_map(|frame| {
        let &[_, length, a, b, _, _, first, second, ..] = frame else { return None };
        let is_whole = frame.len() == 6 + usize::from(length.checked_sub(MASKED)?);
        is_whole.then(|| u16::from_be_bytes([first ^ a, second ^ b]))
    })
}
