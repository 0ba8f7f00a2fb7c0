//! The files of a node, as far as there is anything to say of them: read, listed, counted, and copied.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use talos::api::{
    common,
    machine::{CopyRequest, DiskUsageInfo, DiskUsageRequest, FileInfo, ListRequest, ReadRequest, list_request::Type},
};

use super::{Asked, archive, streams::data};
use crate::talos::{
    config::Config,
    grpc::{Code, Messages, Status, several},
};

/// How large a folder itself is.
const FOLDER: i64 = 4096;

/// Bits of a mode, as Go has them.
const IS_FOLDER: u32 = 1 << 31;
const IS_LINK: u32 = 1 << 27;

/// The parts of a path.
type Path = Vec<String>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum File {
    Folder,
    Regular(Vec<u8>),
    Link(&'static str),
}

impl File {
    pub fn mode(&self) -> u32 {
        match self {
            Self::Folder => 0o755 | IS_FOLDER,
            Self::Regular(_) => 0o644,
            Self::Link(_) => 0o777 | IS_LINK,
        }
    }

    fn size(&self) -> i64 {
        match self {
            Self::Folder => FOLDER,
            Self::Regular(bytes) => i64::try_from(bytes.len()).unwrap_or(i64::MAX),
            Self::Link(to) => i64::try_from(to.len()).unwrap_or(i64::MAX),
        }
    }
}

/// Folders in which a node has nothing that the world knows of.
const FOLDERS: [&str; 12] = [
    "/boot",
    "/dev",
    "/opt",
    "/root",
    "/run",
    "/sys",
    "/system/secrets",
    "/tmp",
    "/usr/bin",
    "/usr/lib",
    "/var/lib",
    "/var/run",
];

const LINKS: [(&str, &str); 3] = [("/bin", "usr/bin"), ("/lib", "usr/lib"), ("/sbin", "usr/bin")];

/// All files, folder by folder.
pub struct Tree(BTreeMap<Path, File>);

fn parts(path: &str) -> Path {
    path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn joined(path: &[String]) -> String {
    format!("/{}", path.join("/"))
}

impl Tree {
    fn of(asked: &Asked<'_>) -> Self {
        let mut tree = Self(BTreeMap::from([(Path::new(), File::Folder)]));
        for (path, text) in texts(asked) {
            tree.put(&path, File::Regular(text.into_bytes()));
        }
        for path in FOLDERS {
            tree.put(path, File::Folder);
        }
        for (path, to) in LINKS {
            tree.put(path, File::Link(to));
        }
        tree
    }

    fn put(&mut self, path: &str, file: File) {
        let path = parts(path);
        for length in 1..path.len() {
            self.0.entry(path[..length].to_vec()).or_insert(File::Folder);
        }
        self.0.insert(path, file);
    }

    /// A file and whatever is below it, each folder before what is in it.
    fn below<'a>(&'a self, root: &'a [String]) -> impl Iterator<Item = (&'a Path, &'a File)> {
        self.0.range(root.to_vec()..).take_while(move |(path, _)| path.starts_with(root))
    }

    /// A file, by a path from somewhere: the file is where the path begins, or below.
    fn relative(&self, root: &[String], path: &[String]) -> String {
        match path.strip_prefix(root) {
            Some([]) if self.0.get(root) == Some(&File::Folder) => ".".to_owned(),
            Some([]) => path.last().cloned().unwrap_or_default(),
            rest => rest.unwrap_or(path).join("/"),
        }
    }
}

/// What stands in the files of a node.
fn texts(asked: &Asked<'_>) -> Vec<(String, String)> {
    let node = asked.node;
    let uptime = node.calendar.now().duration_since(asked.boot.began()).as_secs();
    let (version, hostname) = (node.version(), node.hostname());
    let address = node.state().address;
    let mut texts = vec![
        ("/etc/hostname", format!("{hostname}\n")),
        (
            "/etc/hosts",
            format!("127.0.0.1 localhost\n{address} {hostname}\n::1 localhost ip6-localhost ip6-loopback\n"),
        ),
        (
            "/etc/os-release",
            format!("NAME=\"Talos\"\nID=talos\nVERSION_ID={version}\nPRETTY_NAME=\"Talos ({version})\"\n"),
        ),
        ("/etc/resolv.conf", "nameserver 1.1.1.1\nnameserver 8.8.8.8\n".to_owned()),
        ("/proc/sys/kernel/hostname", format!("{hostname}\n")),
        ("/proc/sys/kernel/random/boot_id", format!("{}\n", asked.boot.id)),
        ("/proc/uptime", format!("{uptime}.00 {uptime}.00\n")),
        ("/proc/version", format!("Linux version 6.12.57-talos (Talos {version})\n")),
    ];
    let kept = node.state().kept.as_ref().map(|kept: &Config| kept.text.clone());
    texts.extend(kept.map(|text| ("/system/state/config.yaml", text)));
    let named = texts.into_iter().map(|(path, text)| (path.to_owned(), text));
    let logs = asked.boot.logs().into_iter().map(|service| {
        let text = asked.boot.log(&service).all().concat();
        (format!("/var/log/{service}.log"), text)
    });
    named.chain(logs).collect()
}

/// What isn't there may be there on a real node.
fn absent(asked: &Asked<'_>, code: Code, path: &str) -> Status {
    let asks = format!("{} read {path}: nodes have no model of this file", asked.node.machine.name);
    (asked.node.estate().unmodelled)(&asks);
    Status::new(code, format!("stat {path}: no such file or directory"))
}

pub fn read(asked: &Asked<'_>) -> Result<Messages, Status> {
    let path = asked.call.message::<ReadRequest>()?.path;
    if !path.starts_with('/') {
        return Err(Status::new(Code::InvalidArgument, format!("path is not absolute {path}")));
    }
    match Tree::of(asked).0.get(&parts(&path)) {
        Some(File::Regular(bytes)) => Ok(stream::iter(data(bytes).into_iter().map(Ok)).boxed()),
        Some(_) => Err(Status::plain("path must be a regular file")),
        None => Err(absent(asked, Code::NotFound, &path)),
    }
}

pub fn list(asked: &Asked<'_>) -> Result<Messages, Status> {
    let request: ListRequest = asked.call.message()?;
    let (tree, root) = (Tree::of(asked), parts(&request.root));
    if !tree.0.contains_key(&root) {
        return Err(absent(asked, Code::Unknown, &joined(&root)));
    }
    // A node counts the slashes of paths: the root has as many as what is in it.
    let slashes = |path: &[String]| path.len().max(1);
    let deepest = match (request.recurse, usize::try_from(request.recursion_depth)) {
        (false, _) => 0,
        (true, Ok(0) | Err(_)) => usize::MAX,
        (true, Ok(depth)) => depth,
    };
    let entered = |path: &[String]| path == root || slashes(path) - slashes(&root) < deepest;
    let wanted: Vec<Type> = request.types().collect();
    let fits = |file: &File| {
        let own = match file {
            File::Folder => Type::Directory,
            File::Regular(_) => Type::Regular,
            File::Link(_) => Type::Symlink,
        };
        wanted.is_empty() || wanted.contains(&own)
    };
    let shown = tree.below(&root).filter(|(path, file)| {
        let mut above = (root.len()..path.len()).map(|length| &path[..length]);
        above.all(entered) && fits(file)
    });
    let began = asked.boot.began().as_second();
    let infos = shown.map(|(path, file)| FileInfo {
        name: joined(path),
        relative_name: tree.relative(&root, path),
        size: file.size(),
        mode: file.mode(),
        modified: began,
        is_dir: *file == File::Folder,
        link: if let File::Link(to) = file { (*to).to_owned() } else { String::new() },
        ..FileInfo::default()
    });
    Ok(several(infos.collect()))
}

pub fn usage(asked: &Asked<'_>) -> Result<Messages, Status> {
    let request: DiskUsageRequest = asked.call.message()?;
    let tree = Tree::of(asked);
    let mut infos = Vec::new();
    for root in request.paths.iter().map(|path| parts(path)) {
        let name = joined(&root);
        if tree.0.contains_key(&root) {
            count(&tree, &root, &root, &request, &mut infos);
        } else {
            let error = absent(asked, Code::Unknown, &name).message;
            infos.push(DiskUsageInfo { name: name.clone(), relative_name: name, error, ..DiskUsageInfo::default() });
        }
    }
    Ok(several(infos))
}

/// How much there is of a file with all below it, which is told first, as far as that is wanted.
fn count(
    tree: &Tree,
    root: &[String],
    path: &[String],
    request: &DiskUsageRequest,
    infos: &mut Vec<DiskUsageInfo>,
) -> i64 {
    let file = &tree.0[path];
    let mut size = file.size();
    for (child, _) in tree.below(path).filter(|(child, _)| child.len() == path.len() + 1) {
        size += count(tree, root, child, request, infos);
    }
    let depth = i32::try_from(path.len().max(1) - root.len().max(1)).unwrap_or(i32::MAX);
    let too_deep = request.recursion_depth > 0 && depth >= request.recursion_depth;
    let (least, most) = (request.threshold, -request.threshold);
    let unwanted = (*file != File::Folder && !request.all) || (least > 0 && size < least) || (most > 0 && size > most);
    if !too_deep && !unwanted {
        let (name, relative_name) = (joined(path), tree.relative(root, path));
        infos.push(DiskUsageInfo { name, size, relative_name, ..DiskUsageInfo::default() });
    }
    size
}

/// What goes wrong with a copy is told behind it.
pub fn copy(asked: &Asked<'_>) -> Result<Messages, Status> {
    let path = asked.call.message::<CopyRequest>()?.root_path;
    if !path.starts_with('/') {
        return Err(Status::plain(format!("path is not absolute {path}")));
    }
    let (tree, root) = (Tree::of(asked), parts(&path));
    if !tree.0.contains_key(&root) {
        let error = absent(asked, Code::Unknown, &joined(&root)).message;
        let metadata = common::Metadata { error, ..common::Metadata::default() };
        return Ok(several(vec![common::Data { metadata: Some(metadata), bytes: Vec::new() }]));
    }
    let modified = asked.boot.began().as_second();
    // Of a folder, what is in it.
    let meant = tree.below(&root).filter(|(path, file)| **path != root || **file != File::Folder);
    let entries = meant.map(|(path, file)| (tree.relative(&root, path), file, modified));
    let archive = archive::whole(entries).map_err(|error| Status::plain(error.to_string()))?;
    Ok(stream::iter(data(&archive).into_iter().map(Ok)).boxed())
}
