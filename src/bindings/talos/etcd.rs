//! What etcd on a node says of itself and of its members.

use talos::api::machine::{EtcdMember, EtcdMemberListRequest, EtcdMemberStatus};

use super::reach::{Node, machine, only};
use crate::script::{fault::Fault, values::tree::Tree};

/// The members, asked of all control planes or of this node's own alone.
///
/// # Errors
/// Why nobody says, such as that etcd has no quorum.
pub async fn members(node: &Node, own: bool) -> Result<Vec<EtcdMember>, Fault> {
    let request = EtcdMemberListRequest { query_local: own };
    let answer = node.ask(|channel| async move { machine(channel).etcd_member_list(request).await }).await?;
    Ok(only(answer.messages)?.members)
}

/// # Errors
/// Why nobody says.
pub async fn status(node: &Node) -> Result<EtcdMemberStatus, Fault> {
    let answer = node.ask(|channel| async move { machine(channel).etcd_status(()).await }).await?;
    Ok(only(answer.messages)?.member_status.unwrap_or_default())
}

/// The member that has that name or id, or is at that address.
pub fn named<'m>(members: &'m [EtcdMember], name: &str) -> Option<&'m EtcdMember> {
    members
        .iter()
        .find(|member| member.hostname == name || hex(member.id) == name || addresses(member).any(|at| at == name))
}

/// True if a node is no member, by the list of whoever has one: its own is gone with its membership.
pub async fn has_left(node: &Node, others: &[Node]) -> bool {
    for asked in std::iter::once(node).chain(others) {
        if let Ok(members) = self::members(asked, false).await {
            return named(&members, &node.to_string()).is_none();
        }
    }
    false
}

/// Where a member is.
pub fn addresses(member: &EtcdMember) -> impl Iterator<Item = String> {
    member.peer_urls.iter().filter_map(|url| {
        let host = url::Url::parse(url).ok()?.host_str()?.to_owned();
        Some(host.trim_start_matches('[').trim_end_matches(']').to_owned())
    })
}

/// Ids of members as etcd writes them.
pub fn hex(id: u64) -> String {
    format!("{id:016x}")
}

pub fn tree(member: &EtcdMember) -> Tree {
    let texts = |texts: &[String]| texts.iter().map(|text| Tree::Text(text.into())).collect::<Tree>();
    let fields = [
        ("id", Tree::Text(hex(member.id).into())),
        ("hostname", Tree::Text(member.hostname.as_str().into())),
        ("peer_urls", texts(&member.peer_urls)),
        ("client_urls", texts(&member.client_urls)),
        ("learner", Tree::Bool(member.is_learner)),
    ];
    fields.into_iter().map(|(name, value)| (name.into(), value)).collect()
}
