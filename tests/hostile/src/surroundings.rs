//! Attacks on the machine around: files, environment, network, time and randomness. Each tells in its failure what it got.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket},
};

use crate::{channel::Receipt, settings::Settings, told, types::Failure};

/// Runs the attack if it is of this group.
pub(crate) fn attack(settings: &Settings) -> Option<Result<Receipt, Failure>> {
    let told_what = match settings.attack.as_str() {
        "fs-read" => result(fs::read_to_string("/etc/passwd")),
        "fs-read-relative" => result(fs::read_to_string("Cargo.toml")),
        "fs-list" => result(fs::read_dir("/").map(Iterator::count)),
        "fs-write" => result(fs::write("/tmp/hostile", "here")),
        "env" => format!("{:?}", std::env::vars().collect::<Vec<_>>()),
        "arguments" => format!("{:?}", std::env::args().collect::<Vec<_>>()),
        "stdin" => {
            let mut text = String::new();
            result(std::io::stdin().read_to_string(&mut text))
        }
        "tcp-connect" => result(TcpStream::connect(or(&settings.url, "127.0.0.1:80")).map(drop)),
        "tcp-send" => result(tcp_send(or(&settings.url, "127.0.0.1:80"))),
        "tcp-listen" => result(TcpListener::bind("127.0.0.1:0").map(drop)),
        "udp" => result(UdpSocket::bind("0.0.0.0:0").map(drop)),
        "dns" => result(or(&settings.url, "localhost:80").to_socket_addrs().map(Iterator::collect::<Vec<_>>)),
        "clock" => format!("{:?}", std::time::SystemTime::now()),
        "process" => result(std::process::Command::new("/bin/sh").arg("-c").arg("true").status()),
        "thread" => result(std::thread::Builder::new().spawn(|| ()).map(drop)),
        _ => return None,
    };
    Some(Err(told("saw", told_what)))
}

/// "refused: …" or "got: …", which is what tests look at.
fn result<T: std::fmt::Debug, E: std::fmt::Display>(result: Result<T, E>) -> String {
    match result {
        Ok(value) => format!("got: {value:?}"),
        Err(error) => format!("refused: {error}"),
    }
}

fn or<'a>(text: &'a str, usual: &'a str) -> &'a str {
    if text.is_empty() { usual } else { text }
}

fn tcp_send(address: &str) -> std::io::Result<()> {
    TcpStream::connect(address)?.write_all(b"GET / HTTP/1.0\r\n\r\n")
}
