use std::{
    io::{self, ErrorKind},
    sync::{Arc, Mutex},
    time::Duration,
};

use cozyscript::{
    host::{
        dial::{Dial, Stream},
        tunnel::Tunnel,
    },
    script::fault::{Fault, Kind},
};
use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::support::runtime;

/// A dial in memory: it keeps the far ends, and what was asked for.
#[derive(Default)]
struct Memory {
    far: Mutex<Vec<DuplexStream>>,
    asked: Mutex<Vec<(String, u16)>>,
    refusal: Option<Fault>,
}

impl Dial for Memory {
    fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Stream>>> {
        self.asked.lock().unwrap().push((host.to_owned(), port));
        let (near, far) = tokio::io::duplex(64);
        self.far.lock().unwrap().push(far);
        let refusal = self.refusal.clone();
        Box::pin(async move {
            match refusal {
                Some(fault) => Err(io::Error::new(ErrorKind::ConnectionRefused, fault)),
                None => Ok(Box::new(near) as Box<dyn Stream>),
            }
        })
    }
}

#[test]
fn a_tunnel_leads_to_its_own_end_whatever_is_asked_of_it() {
    let memory = Arc::new(Memory::default());
    let tunnel = Tunnel::new("svc/web:80 in shop", "web.shop.svc", 8080, memory.clone());
    runtime().block_on(async {
        let mut near = tunnel.dial("elsewhere", 1).await.unwrap();
        let mut far = memory.far.lock().unwrap().remove(0);
        near.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        far.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
    });
    assert_eq!(*memory.asked.lock().unwrap(), [("web.shop.svc".to_owned(), 8080)]);
    assert_eq!(tunnel.to_string(), "svc/web:80 in shop");
}

#[test]
fn a_closed_tunnel_wakes_its_readers_and_gives_no_more_streams() {
    let tunnel = Tunnel::new("pod/web-0:80", "web-0", 80, Arc::new(Memory::default()));
    let (read, again) = runtime().block_on(async {
        let mut stream = tunnel.connect().await.unwrap();
        let reader = tokio::spawn(async move { stream.read_u8().await });
        tokio::time::sleep(Duration::from_millis(10)).await;
        tunnel.close();
        (reader.await.unwrap(), tunnel.connect().await.err())
    });
    assert_eq!(read.unwrap_err().kind(), ErrorKind::ConnectionAborted);
    assert_eq!(again.unwrap().to_string(), "the tunnel was closed");
}

#[test]
fn the_fault_behind_a_refused_connection_is_not_lost() {
    let fault = Fault::new(Kind::Denied, "`lab` does not allow to create `pods/portforward`");
    let memory = Memory { refusal: Some(fault.clone()), ..Memory::default() };
    let tunnel = Tunnel::new("pod/web-0:80", "web-0", 80, Arc::new(memory));
    let refused = runtime().block_on(tunnel.connect()).err().unwrap();
    assert_eq!(Fault::behind(&refused), Some(&fault));
    assert_eq!(Fault::behind(&io::Error::other(refused)), Some(&fault));
}
