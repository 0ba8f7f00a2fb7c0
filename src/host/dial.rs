//! The dial: the only seam between a rehearsal and the real world.

use std::{future::Future, io, net::IpAddr};

use futures::{
    StreamExt,
    future::{self, BoxFuture},
    stream::FuturesUnordered,
};
use tokio::io::{AsyncRead, AsyncWrite};

/// A connection as a plain stream of bytes; TLS is spoken above it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Gives a byte stream to an authority.
pub trait Dial: Send + Sync {
    /// Connects to `host` (a name or an address) at `port`.
    fn dial(&self, host: &str, port: u16) -> BoxFuture<'static, io::Result<Box<dyn Stream>>>;

    /// The addresses behind a name, the best first. None where names are dialled as they are.
    ///
    /// An unknown name is an error of the kind [`io::ErrorKind::NotFound`].
    fn look_up(&self, _name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(future::ready(Ok(Vec::new())))
    }
}

/// The first of these addresses that can be connected to.
///
/// Each address has its turn when one before it has failed, or when `patience` with it is at an end; the families of
/// addresses take turns, for often one of them leads nowhere.
///
/// # Errors
/// If there is no address that can be: what was said first by one to which there is a route.
pub async fn first_that_answers<T, C, P>(
    addresses: Vec<IpAddr>,
    connect: impl Fn(IpAddr) -> C,
    patience: impl Fn() -> P,
) -> io::Result<(IpAddr, T)>
where
    C: Future<Output = io::Result<T>>,
    P: Future<Output = ()>,
{
    let mut waiting = families_in_turn(addresses).into_iter();
    let mut connecting = FuturesUnordered::new();
    let mut failure: Option<io::Error> = None;
    loop {
        if let Some(address) = waiting.next() {
            let attempt = connect(address);
            connecting.push(async move { (address, attempt.await) });
        }
        let turn = async {
            match waiting.len() {
                0 => future::pending().await,
                _ => patience().await,
            }
        };
        tokio::select! {
            biased;
            ended = connecting.next() => match ended {
                Some((address, Ok(stream))) => return Ok((address, stream)),
                Some((_, Err(error))) if failure.as_ref().is_none_or(leads_nowhere) => failure = Some(error),
                Some((_, Err(_))) => {}
                None => return Err(failure.unwrap_or_else(|| io::ErrorKind::NotFound.into())),
            },
            () = turn => {}
        }
    }
}

fn leads_nowhere(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::AddrNotAvailable
    )
}

fn families_in_turn(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let six_first = addresses.first().is_some_and(IpAddr::is_ipv6);
    let (mut first, mut second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == six_first);
    let mut turns = Vec::new();
    first.reverse();
    second.reverse();
    while !first.is_empty() || !second.is_empty() {
        turns.extend(first.pop());
        turns.extend(second.pop());
    }
    turns
}
