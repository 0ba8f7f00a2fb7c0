//! A snapshot of etcd, as its own tools read it: a file of bbolt with the objects of a cluster, and the sum of all that behind it.

use prost::Message;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::kubernetes::{cluster::Cluster, store::Key};

const PAGE: usize = 4096;

/// The lengths of what a page begins with, and of what is said there of each of its elements.
const HEAD: usize = 16;
const ELEMENT: usize = 16;

/// What pages are for.
const LEAF: u16 = 0x02;
const META: u16 = 0x04;
const FREE: u16 = 0x10;

/// An element that is a bucket.
const BUCKET: u32 = 1;

/// How a file says that it is one, and of which version.
const MAGIC: u32 = 0xed0c_daed;
const VERSION: u32 = 2;

/// Where an API server keeps everything.
const REGISTRY: &str = "/registry/";

/// The length of a sum.
const SUM: usize = 32;

/// An object, as etcd keeps it.
#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(int64, tag = "2")]
    created: i64,
    #[prost(int64, tag = "3")]
    modified: i64,
    #[prost(int64, tag = "4")]
    version: i64,
    #[prost(bytes = "vec", tag = "5")]
    value: Vec<u8>,
}

/// What was found in a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    objects: Vec<(Key, Value)>,
    /// The sum behind it is its own.
    pub whole: bool,
}

impl Saved {
    /// Puts everything into a cluster that has just begun.
    pub fn restore(self, cluster: &Cluster) {
        for (key, object) in self.objects {
            let before = cluster.store.get(&key);
            // Nobody else has the cluster yet.
            drop(cluster.store.put(&key, before.as_ref(), object));
        }
    }
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// The snapshot of a cluster.
pub fn of(cluster: &Cluster) -> Vec<u8> {
    let meta: Pairs = vec![
        (b"consistent_index".to_vec(), cluster.store.revision().to_be_bytes().to_vec()),
        (b"storageVersion".to_vec(), b"3.6.0".to_vec()),
    ];
    let mut file = file(&[("key", objects(cluster)), ("meta", meta)]);
    let sum = Sha256::digest(&file);
    file.extend_from_slice(&sum);
    file
}

/// All objects, in the order of their last changes.
fn objects(cluster: &Cluster) -> Pairs {
    let mut objects: Vec<KeyValue> = Vec::new();
    for change in cluster.store.everything() {
        let Some(object) = &change.after else { continue };
        let path: Vec<&str> = [&change.key.resource, change.key.namespace.as_str(), &change.key.name]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let modified = object["metadata"]["resourceVersion"].as_str().and_then(|version| version.parse().ok());
        let modified = modified.unwrap_or_default();
        objects.push(KeyValue {
            key: format!("{REGISTRY}{}", path.join("/")).into_bytes(),
            created: modified,
            modified,
            version: 1,
            value: object.to_string().into_bytes(),
        });
    }
    objects.sort_by(|a, b| (a.modified, &a.key).cmp(&(b.modified, &b.key)));
    let revision =
        |(sub, object): (u64, &KeyValue)| [&object.modified.to_be_bytes()[..], b"_", &sub.to_be_bytes()].concat();
    (0..).zip(&objects).map(|numbered| (revision(numbered), numbered.1.encode_to_vec())).collect()
}

/// A file with these buckets, which are sorted, as are the keys in each.
fn file(buckets: &[(&str, Pairs)]) -> Vec<u8> {
    let (mut pages, mut root) = (Vec::new(), Vec::new());
    // After the two pages about the file, that of free pages, and the one of the buckets.
    let mut next = 4_u64;
    for (name, pairs) in buckets {
        let page = leaf(next, 0, pairs);
        let bucket = [next.to_le_bytes(), 0_u64.to_le_bytes()].concat();
        root.push((name.as_bytes().to_vec(), bucket));
        next += (page.len() / PAGE) as u64;
        pages.extend(page);
    }
    let mut file = Vec::new();
    for number in 0..2 {
        file.extend(about(number, next));
    }
    file.extend(filled(head(2, FREE, 0, 0)));
    file.extend(leaf(3, BUCKET, &root));
    file.extend(pages);
    file
}

fn head(number: u64, flags: u16, count: usize, overflow: usize) -> Vec<u8> {
    let count = u16::try_from(count).expect("a world has fewer than 65536 objects");
    let overflow = u32::try_from(overflow).expect("a snapshot has fewer than 2^32 pages");
    let mut head = number.to_le_bytes().to_vec();
    head.extend(flags.to_le_bytes());
    head.extend(count.to_le_bytes());
    head.extend(overflow.to_le_bytes());
    head
}

fn filled(mut page: Vec<u8>) -> Vec<u8> {
    page.resize(page.len().next_multiple_of(PAGE), 0);
    page
}

/// A page about the file.
fn about(number: u64, pages: u64) -> Vec<u8> {
    let mut meta = Vec::new();
    for word in [MAGIC, VERSION, PAGE as u32, 0] {
        meta.extend(word.to_le_bytes());
    }
    // The page of the buckets and its sequence, that of free pages, how many pages there are, the transaction.
    for word in [3, 0, 2, pages, number] {
        meta.extend(word.to_le_bytes());
    }
    meta.extend(sum(&meta).to_le_bytes());
    let mut page = head(number, META, 0, 0);
    page.extend(meta);
    filled(page)
}

/// FNV-1a.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

fn leaf(number: u64, flags: u32, pairs: &Pairs) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("objects are smaller than 4 GiB");
    let size = HEAD + pairs.iter().map(|(key, value)| ELEMENT + key.len() + value.len()).sum::<usize>();
    let mut page = head(number, LEAF, pairs.len(), size.div_ceil(PAGE) - 1);
    let mut before = 0;
    for (index, (key, value)) in pairs.iter().enumerate() {
        let position = (pairs.len() - index) * ELEMENT + before;
        for word in [flags, u32::try_from(position).expect("a page is smaller than 4 GiB"), length(key), length(value)]
        {
            page.extend(word.to_le_bytes());
        }
        before += key.len() + value.len();
    }
    for (key, value) in pairs {
        page.extend_from_slice(key);
        page.extend_from_slice(value);
    }
    filled(page)
}

/// Reads a snapshot that was taken in a world.
///
/// # Errors
/// Why it is none.
pub fn read(snapshot: &[u8]) -> Result<Saved, &'static str> {
    // A database that somebody took from a disk has no sum behind it.
    let (file, sum) = snapshot.split_at(snapshot.len() - snapshot.len() % PAGE);
    let whole = sum.len() == SUM && sum == Sha256::digest(file).as_slice();
    let objects = buckets(file).and_then(|pairs| pairs.into_iter().map(object).collect::<Option<_>>());
    Ok(Saved { objects: objects.ok_or("invalid database")?, whole })
}

/// What is in the bucket of objects.
fn buckets(file: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    if word(file, HEAD)? != MAGIC || word(file, HEAD + 4)? != VERSION {
        return None;
    }
    let root = elements(file, page(file, HEAD + 16)?)?;
    let (_, bucket) = root.into_iter().find(|(name, _)| *name == b"key")?;
    elements(file, page(bucket, 0)?)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The place of a page whose number is written somewhere.
fn page(bytes: &[u8], at: usize) -> Option<usize> {
    let number = u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?);
    usize::try_from(number).ok()?.checked_mul(PAGE)
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// The keys and values on a page. One that leads to others is none of ours.
fn elements(file: &[u8], at: usize) -> Option<Vec<(&[u8], &[u8])>> {
    let page = file.get(at..)?;
    let count = usize::from(half(page, 10)?);
    let elements = (0..count).map(|index| {
        let start = HEAD + index * ELEMENT;
        let length = |field: usize| word(page, start + 4 * field).map(|length| length as usize);
        let key = start + length(1)?;
        let value = key + length(2)?;
        Some((page.get(key..value)?, page.get(value..value + length(3)?)?))
    });
    (half(page, 8)? == LEAF).then(|| elements.collect()).flatten()
}

fn object((_, kept): (&[u8], &[u8])) -> Option<(Key, Value)> {
    let kept = KeyValue::decode(kept).ok()?;
    let path = std::str::from_utf8(&kept.key).ok()?.strip_prefix(REGISTRY)?;
    let parts: Vec<&str> = path.split('/').collect();
    let (resource, namespace, name) = match parts[..] {
        [resource, name] => (resource, "", name),
        [resource, namespace, name] => (resource, namespace, name),
        _ => return None,
    };
    let key = Key { resource: resource.into(), namespace: namespace.to_owned(), name: name.to_owned() };
    Some((key, serde_json::from_slice(&kept.value).ok()?))
}
