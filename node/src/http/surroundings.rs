//! Looks at what lies around a server, for [`trouble`](super::trouble): the connections to its
//! peers, its folder, its certificate, and what its disk has lost.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::App;
use super::trouble::{LOOK, Subject};
use crate::driver::Status;
use crate::peers::{PeerReport, Refusal};

/// The file in a data folder by which the folder is known again.
const LOCK: &str = "lock";

/// Looks until the server's driver ends.
pub(super) async fn look(app: &App) {
    let own = identity(&app.folder).await;
    let status = app.handle.watch();
    let mut before = Vec::new();
    while status.has_changed().is_ok() {
        let (now, peers) = (app.handle.status(), app.peers.report());
        let is_there = own.is_none() || identity(&app.folder).await == own;
        let found = vec![
            (Subject::Refused, refused(&now, &peers)),
            (Subject::Unknown, unknown(&now, &peers)),
            (Subject::Certificate, certificate(app)),
            (Subject::Folder, (!is_there).then(|| lost_folder(&app.folder))),
            (Subject::Lost, lacking(&now)),
        ];
        for (subject, sentence) in &found {
            // Gone at once, and believed at the second look.
            let is_believed = before.contains(&(*subject, sentence.clone()));
            app.troubles.set(*subject, sentence.clone().filter(|_| is_believed));
        }
        before = found;
        sleep(LOOK).await;
    }
}

/// Which file the lock in a folder is; none if it isn't there.
async fn identity(folder: &Path) -> Option<(u64, u64)> {
    let lock = folder.join(LOCK);
    let look = move || std::fs::metadata(lock).ok().map(|found| (found.dev(), found.ino()));
    spawn_blocking(look).await.ok().flatten()
}

fn lost_folder(folder: &Path) -> String {
    format!(
        "the data folder {} is gone from under this server, deleted or replaced: it goes on with files that nobody \
         finds when it starts again. Take it out of the cluster while it runs, and add it anew (raftarium members \
         remove, and add with --join); if a majority has lost its folders, stop none of them before the data are in \
         another cluster",
        folder.display()
    )
}

/// Whether this server should be connected with a peer: it is a member, as far as the members are
/// known.
fn is_meant(status: &Status, peer: &PeerReport) -> bool {
    let members = status.configuration.members();
    members.is_empty() || members.contains(peer.id)
}

/// That peers aren't connected, for reasons that don't pass by themselves. A disk that isn't
/// believed is told of elsewhere: as the reason why the server may not vote.
fn refused(status: &Status, peers: &[PeerReport]) -> Option<String> {
    let mut by_reason: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for peer in peers.iter().filter(|peer| peer.address.is_some() && !peer.connected && is_meant(status, peer)) {
        if let (Some(problem), Some(remedy)) = (&peer.problem, peer.remedy)
            && peer.refusal != Some(Refusal::Disk)
        {
            by_reason.entry((problem, remedy)).or_default().push(peer.id.to_string());
        }
    }
    let one = |((problem, remedy), servers): (_, Vec<String>)| {
        let verb = if servers.len() == 1 { "isn't" } else { "aren't" };
        format!("{} {verb} connected: {problem}; {remedy}", servers.join(", "))
    };
    let all: Vec<_> = by_reason.into_iter().map(one).collect();
    (!all.is_empty()).then(|| all.join("; and "))
}

/// That peers reach this server, and it doesn't know where they are.
fn unknown(status: &Status, peers: &[PeerReport]) -> Option<String> {
    let unknown = peers.iter().filter(|peer| peer.heard && peer.address.is_none() && is_meant(status, peer));
    let (names, options): (Vec<_>, Vec<_>) =
        unknown.map(|peer| (peer.id.to_string(), format!("--member {}=PEER/HTTP", peer.id.number()))).unzip();
    (!names.is_empty()).then(|| {
        format!(
            "this server is reached by {}, and can't answer: it doesn't know the address. Start it with those of all \
             members ({}); another server has them (raftarium members)",
            names.join(", "),
            options.join(" ")
        )
    })
}

/// Why clients and the other servers don't believe this one's certificate.
fn certificate(app: &App) -> Option<String> {
    let own = app.addresses().get(&app.server.number()).map(|own| own.http.clone());
    let why = app.https.as_ref()?.doubt(own.as_deref())?;
    Some(format!("clients and the other servers don't believe this server: {why}"))
}

/// What the disk has lost of the log and hasn't got back.
fn lacking(status: &Status) -> Option<String> {
    let loss = status.loss.filter(|loss| loss.repaired.is_none())?;
    Some(format!(
        "this server's disk has lost entries {} to {} of the log: it can't lead before a leader with a whole log has \
         repaired it. If no server has a whole log, put back one server's folder that is whole, or restore all from \
         copies of one stop",
        loss.first, loss.last.index
    ))
}
