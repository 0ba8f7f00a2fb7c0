//! The etcd of a cluster: who is a member of it, and whether enough of them run.

use std::{net::IpAddr, sync::Arc};

use crate::{
    faults::At,
    kubernetes::{access::identities::Identities, cluster::Cluster},
};

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: u64,
    /// The machine that it runs on.
    pub machine: String,
    pub hostname: String,
    pub address: IpAddr,
    pub runs: bool,
    /// It has no vote yet: it is a member, and never ran.
    pub learns: bool,
}

/// What a node keeps of it on its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Data {
    pub ring: u64,
    pub member: u64,
}

/// The members that hold one state together, and that state: the objects of a cluster.
pub struct Ring {
    pub id: u64,
    /// By which nodes of one cluster find each other.
    pub cluster_id: String,
    pub name: String,
    pub members: Vec<Member>,
    pub leader: u64,
    pub term: u64,
    pub cluster: Arc<Cluster>,
    /// Whom its API server knows beside those who show certificates.
    pub identities: Identities,
    /// What goes wrong there.
    pub faults: At,
}

impl Ring {
    /// Enough members run for anything to be decided.
    pub fn has_quorum(&self) -> bool {
        let voters = || self.members.iter().filter(|member| !member.learns);
        voters().filter(|member| member.runs).count() > voters().count() / 2
    }

    pub fn member(&self, id: u64) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// The member runs, or doesn't any more; who leads follows from it.
    pub fn runs(&mut self, id: u64, runs: bool) {
        if let Some(member) = self.members.iter_mut().find(|member| member.id == id) {
            (member.runs, member.learns) = (runs, member.learns && !runs);
        }
        self.elect();
    }

    pub fn add(&mut self, member: Member) {
        // Whoever lived there before and lost what it knew is gone.
        self.members.retain(|known| known.address != member.address);
        self.members.push(member);
        self.elect();
    }

    /// The member is none any more. False, if it was none.
    pub fn remove(&mut self, id: u64) -> bool {
        let before = self.members.len();
        self.members.retain(|member| member.id != id);
        self.elect();
        self.members.len() < before
    }

    /// Somebody else leads than now, if there is anybody.
    pub fn hand_over(&mut self) -> Option<&Member> {
        let other = self.members.iter().find(|member| member.runs && member.id != self.leader)?.id;
        (self.leader, self.term) = (other, self.term + 1);
        self.member(other)
    }

    fn elect(&mut self) {
        if !self.has_quorum() {
            self.leader = 0;
        } else if !self.member(self.leader).is_some_and(|leader| leader.runs) {
            let first = self.members.iter().find(|member| member.runs);
            (self.leader, self.term) = (first.map_or(0, |member| member.id), self.term + 1);
        }
    }
}
