//! A TCP port at which somebody answers, and says a word perhaps.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{network::Server, stream::Stream};

/// An open port.
pub struct Port {
    /// What is said to whoever connects.
    pub says: String,
}

impl Server for Port {
    fn serve(self: Arc<Self>, mut stream: Box<dyn Stream>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let mut ignored = [0; 1024];
            let said = stream.write_all(self.says.as_bytes()).await;
            while said.is_ok() && matches!(stream.read(&mut ignored).await, Ok(1..)) {}
        })
    }
}
