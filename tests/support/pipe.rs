//! A way to a server on loopback that can be slow, fall silent, be cut, and be closed, while those at its ends notice nothing
//! but that.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

/// How often a held connection looks whether it may go on.
const LOOK: Duration = Duration::from_millis(20);

/// Leads to one server while this lives.
pub struct Pipe {
    pub address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    /// Connections older than this say nothing any more.
    silent_before: AtomicUsize,
    connections: AtomicUsize,
    closed: AtomicBool,
    /// Bytes in a second from the server to the client; none is as many as there are.
    speed: AtomicUsize,
    cut: watch::Sender<usize>,
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

impl Pipe {
    pub fn to(server: SocketAddr) -> Self {
        let listener = super::runtime().block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            silent_before: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            speed: AtomicUsize::new(0),
            cut: watch::Sender::new(0),
        });
        let shared = state.clone();
        let task = super::runtime().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if shared.closed.load(Ordering::Relaxed) {
                    continue;
                }
                let state = shared.clone();
                let number = state.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(server).await else { return };
                    let mut cut = state.cut.subscribe();
                    let (client, to_client) = client.into_split();
                    let (server, to_server) = server.into_split();
                    // Either end may go away; the other sees that.
                    tokio::select! {
                        _ = lead(client, to_server, &state, number, 0) => {}
                        _ = lead(server, to_client, &state, number, 1) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        Self { address, state, task }
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::Relaxed)
    }

    /// The connections of now stay open and carry nothing any more; new ones are fine.
    pub fn fall_silent(&self) {
        self.state.silent_before.store(self.connections(), Ordering::Relaxed);
    }

    /// Ends the connections of now.
    pub fn cut(&self) {
        self.state.cut.send_modify(|cuts| *cuts += 1);
    }

    /// New connections are ended at once, or no longer are.
    pub fn close(&self, closed: bool) {
        self.state.closed.store(closed, Ordering::Relaxed);
    }

    /// What the server says comes this slowly.
    pub fn slow_down(&self, bytes_in_a_second: usize) {
        self.state.speed.store(bytes_in_a_second, Ordering::Relaxed);
    }
}

async fn lead(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: &State,
    number: usize,
    way: usize,
) -> io::Result<()> {
    let mut piece = vec![0; 8192];
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(());
        }
        while number < state.silent_before.load(Ordering::Relaxed) {
            tokio::time::sleep(LOOK).await;
        }
        let speed = state.speed.load(Ordering::Relaxed) * way;
        if speed > 0 {
            tokio::time::sleep(Duration::from_secs_f64(length as f64 / speed as f64)).await;
        }
        to.write_all(&piece[..length]).await?;
    }
}
