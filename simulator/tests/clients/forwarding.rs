//! Ports of pods, forwarded by kubectl.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use super::{
    console::{Console, Running},
    running::pods,
};

pub fn ports_are_forwarded(console: &Console) {
    pods(console);
    let mut forwarding = console.start("kubectl port-forward pod/server :7 :21");
    let [echo, greets] = local(&mut forwarding, "21").try_into().unwrap();
    let mut streams: Vec<TcpStream> = (0..3).map(|_| connect(echo)).collect();
    for (number, stream) in streams.iter_mut().enumerate() {
        let said = format!("{number}").repeat(100_000);
        stream.write_all(said.as_bytes()).unwrap();
        let mut heard = vec![0; said.len()];
        stream.read_exact(&mut heard).unwrap();
        assert_eq!(heard, said.as_bytes());
    }
    let mut greeting = [0; 12];
    connect(greets).read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"220 welcome\n");
    assert_eq!(forwarding.end(), "");

    let closed = nobody(console, "81");
    assert!(closed.contains("error forwarding port 81") && closed.contains("connect: connection refused"), "{closed}");
    let unknown = nobody(console, "82");
    assert!(unknown.contains("the simulator has no model of this: port 82 of pod `server`"), "{unknown}");

    console.run("kubectl port-forward pod/nowhere :80");
    console.run("kubectl port-forward pod/nobody :80");
}

fn connect(port: u16) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port)).unwrap()
}

/// The ports of this machine that are forwarded, up to the one that leads to `last`.
fn local(forwarding: &mut Running, last: &str) -> Vec<u16> {
    let told = forwarding.until(&format!("-> {last}"));
    let ports = told.lines().filter_map(|line| line.split("127.0.0.1:").nth(1)?.split(' ').next()?.parse().ok());
    ports.collect()
}

/// What is said of a port that nobody answers at.
fn nobody(console: &Console, port: &str) -> String {
    let mut forwarding = console.start(&format!("kubectl port-forward pod/server :{port}"));
    let mut heard = Vec::new();
    // It is reset or closed.
    drop(connect(local(&mut forwarding, port)[0]).read_to_end(&mut heard));
    assert_eq!(heard, b"");
    forwarding.ended()
}
