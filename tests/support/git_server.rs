//! A server of SSH as far as its key: it proves who it is, as it is told to, and hangs up.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use cozyscript::ssh::{
    encoding::{Reader, Writer},
    public::Public,
};
use curve25519_dalek::MontgomeryPoint;
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA512, RsaKeyPair},
};
use rsa::{pkcs1::EncodeRsaPrivateKey as _, traits::PublicKeyParts as _};
use sha2::{Digest as _, Sha256};

const VERSION: &str = "SSH-2.0-test";

/// A secret that no attacker guesses here.
const SECRET: [u8; 32] = [7; 32];

/// A key of a server.
pub enum HostKey {
    Ed25519(Ed25519KeyPair),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Rsa(RsaKeyPair, Public),
}

impl HostKey {
    pub fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap())
    }

    pub fn p256() -> Self {
        Self::P256(p256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap())
    }

    pub fn p384() -> Self {
        Self::P384(p384::ecdsa::SigningKey::from_slice(&[9; 48]).unwrap())
    }

    /// From a key in PKCS #8.
    pub fn rsa(der: &[u8]) -> Self {
        let key: rsa::RsaPrivateKey = rsa::pkcs8::DecodePrivateKey::from_pkcs8_der(der).unwrap();
        let public = Public::of_rsa(&key.e().to_bytes_be(), &key.n().to_bytes_be());
        Self::Rsa(RsaKeyPair::from_der(key.to_pkcs1_der().unwrap().as_bytes()).unwrap(), public)
    }

    pub fn public(&self) -> Public {
        match self {
            Self::Ed25519(key) => Public::of_ed25519(key.public_key().as_ref()),
            Self::P256(key) => Public::of_ecdsa("nistp256", key.verifying_key().to_encoded_point(false).as_bytes()),
            Self::P384(key) => Public::of_ecdsa("nistp384", key.verifying_key().to_encoded_point(false).as_bytes()),
            Self::Rsa(_, public) => public.clone(),
        }
    }

    /// What it signs with.
    fn algorithm(&self) -> &'static str {
        match self {
            Self::Ed25519(_) => "ssh-ed25519",
            Self::P256(_) => "ecdsa-sha2-nistp256",
            Self::P384(_) => "ecdsa-sha2-nistp384",
            Self::Rsa(..) => "rsa-sha2-512",
        }
    }

    fn sign(&self, hash: &[u8]) -> Vec<u8> {
        use p256::ecdsa::signature::Signer as _;
        let numbers = |r: &[u8], s: &[u8]| Writer::default().number(r).number(s).0;
        let signature = match self {
            Self::Ed25519(key) => key.sign(hash).as_ref().to_vec(),
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(hash);
                let (r, s) = signature.split_bytes();
                numbers(&r, &s)
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(hash);
                let (r, s) = signature.split_bytes();
                numbers(&r, &s)
            }
            Self::Rsa(key, _) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA512, &SystemRandom::new(), hash, &mut signature).unwrap();
                signature
            }
        };
        Writer::default().text(self.algorithm()).text(signature).0
    }
}

/// How a server is.
pub struct Manner {
    /// The ways to agree on a secret that it knows.
    pub exchanges: &'static [&'static str],
    pub keys: Vec<HostKey>,
    /// It shows a key that it doesn't have.
    pub lies: bool,
}

/// A running server; its thread ends with the test's program.
pub struct GitServer {
    pub address: SocketAddr,
    /// Of whom it was asked, the last.
    pub asked_by: Arc<Mutex<String>>,
}

impl GitServer {
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked_by = Arc::new(Mutex::new(String::new()));
        let told = asked_by.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                // Who only wants the key hangs up in the middle.
                let _ = answer(stream.unwrap(), &manner, &told);
            }
        });
        Self { address, asked_by }
    }
}

fn answer(mut stream: TcpStream, manner: &Manner, asked_by: &Mutex<String>) -> io::Result<()> {
    // What stands before the version is no part of it.
    stream.write_all(format!("welcome\r\n{VERSION}\r\n").as_bytes())?;
    let version = line(&mut stream)?;
    asked_by.lock().unwrap().clone_from(&version);
    let names = |names: Vec<&str>| names.join(",");
    let keys = names(manner.keys.iter().map(HostKey::algorithm).collect());
    let (ciphers, checksums) = ("aes128-ctr,aes256-ctr", "hmac-sha2-256");
    let mut ours = Writer::default().bytes(&[20; 17]).text(manner.exchanges.join(",")).text(&keys);
    for names in [ciphers, ciphers, checksums, checksums, "none", "none", "", ""] {
        ours = ours.text(names);
    }
    let ours = ours.bytes(&[0; 5]).0;
    send(&mut stream, &ours)?;
    let theirs = receive(&mut stream)?;
    let mut reader = Reader(&theirs[17..]);
    let (exchanges, wanted) = (reader.names().unwrap(), reader.names().unwrap());
    let exchange = exchanges.iter().find(|name| manner.exchanges.contains(name)).ok_or(io::ErrorKind::Other)?;
    let key = wanted.iter().find_map(|name| manner.keys.iter().find(|key| key.algorithm() == *name));
    let key = key.ok_or(io::ErrorKind::Other)?;
    let init = receive(&mut stream)?;
    let their_point = Reader(&init[1..]).text().unwrap();
    let (point, shared) = agree(exchange, their_point);
    let shown = if manner.lies { HostKey::ed25519().public().blob } else { key.public().blob };
    let hashed = Writer::default().text(version).text(VERSION).text(&theirs).text(&ours).text(&shown);
    let hashed = hashed.text(their_point).text(&point).number(&shared);
    let signature = match manner.lies {
        true => key.sign(b"something else"),
        false => key.sign(&Sha256::digest(hashed.0)),
    };
    send(&mut stream, &Writer::default().bytes(&[31]).text(&shown).text(&point).text(signature).0)?;
    send(&mut stream, &[21])?;
    let _ = receive(&mut stream)?;
    stream.shutdown(Shutdown::Both)
}

fn agree(exchange: &str, theirs: &[u8]) -> (Vec<u8>, Vec<u8>) {
    if exchange.starts_with("curve25519") {
        let point = MontgomeryPoint::mul_base_clamped(SECRET).to_bytes().to_vec();
        let shared = MontgomeryPoint(theirs.try_into().unwrap()).mul_clamped(SECRET).to_bytes();
        return (point, shared.to_vec());
    }
    let secret = p256::SecretKey::from_slice(&SECRET).unwrap();
    let theirs = p256::PublicKey::from_sec1_bytes(theirs).unwrap();
    let shared = (theirs.to_projective() * *secret.to_nonzero_scalar()).to_affine().to_encoded_point(false);
    (secret.public_key().to_encoded_point(false).as_bytes().to_vec(), shared.x().unwrap().to_vec())
}

fn line(stream: &mut TcpStream) -> io::Result<String> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

fn send(stream: &mut TcpStream, payload: &[u8]) -> io::Result<()> {
    let padding = 4 + (8 - (payload.len() + 9) % 8) % 8;
    let length = u32::try_from(payload.len() + padding + 1).unwrap();
    let packet = Writer::default().bytes(&length.to_be_bytes()).bytes(&[padding as u8]).bytes(payload);
    stream.write_all(&packet.bytes(&vec![0; padding]).0)
}

fn receive(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut packet = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut packet)?;
    let end = packet.len() - usize::from(packet[0]);
    Ok(packet[1..end].to_vec())
}
