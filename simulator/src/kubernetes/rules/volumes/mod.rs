//! Volumes, claims of them, and those who provide them.

mod claims;
mod drivers;
mod storage_classes;
mod volume;

pub use claims::Claims;
pub use drivers::{ATTACHMENTS, DRIVERS, NODES};
pub use storage_classes::CLASSES;
pub use volume::VOLUMES;

/// How pods may have access to a volume.
const ACCESS: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
