//! Writing a cluster's file anew, if it is lost, damaged, or another cluster's: the servers'
//! folders say whose they are, and where the members were reached.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::advice::{command, names};
use super::file::{self, LocalServer, Locked, NAME, State};
use crate::Unusable;
use crate::output::named;
use crate::text::{NAME_MAX, escaped};

/// Where a member was reached, as a server's folder has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Address {
    peer: String,
    http: String,
}

/// `raftarium cluster rebuild`.
pub fn rebuild(folder: &Path) -> Result<String, Unusable> {
    let servers = file::server_folders(folder);
    if servers.is_empty() {
        return Err(super::no_cluster(folder));
    }
    let locked = Locked::take(folder)?;
    let path = folder.join(NAME);
    if matches!(file::read(folder), Ok(Some(_))) {
        return Err(Unusable(format!("{} is whole, and of the cluster whose data are here: it stays", named(&path))));
    }
    file::may_be_replaced(folder)?;
    let cluster = owner(folder, &servers)?;
    let mut state = match file::read_copy(folder).filter(|copy| copy.cluster == cluster) {
        Some(copy) => copy,
        None => from_folders(folder, cluster)?,
    };
    // Whatever it is, it may be somebody's.
    let aside = folder.join(format!("{NAME}.replaced"));
    if let Err(error) = fs::rename(&path, &aside)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(Unusable(format!("{} can't be put aside: {error}", named(&path))));
    }
    state.find_running(folder);
    locked.write(&mut state)?;
    let all = names(state.servers.iter().map(|server| server.server));
    Ok(format!(
        "{} is written anew: cluster {} with {all}. See how they are with {}, and start what doesn't run with {}",
        named(&path),
        escaped(&state.cluster, NAME_MAX),
        command("cluster status", folder),
        command("cluster start", folder)
    ))
}

/// The cluster that the data in these servers' folders belong to.
fn owner(folder: &Path, servers: &[u8]) -> Result<String, Unusable> {
    let mut owners: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for number in servers {
        if let Some(owner) = file::owner_of(&file::data_of(folder, *number)) {
            owners.entry(owner).or_default().push(*number);
        }
    }
    if owners.len() > 1 {
        let each = owners.iter().map(|(owner, servers)| {
            format!("those of {} to {}", names(servers.iter().copied()), escaped(owner, NAME_MAX))
        });
        return Err(Unusable(format!(
            "the data in {} belong to several clusters, {}: take away what belongs elsewhere",
            named(folder),
            each.collect::<Vec<_>>().join(", ")
        )));
    }
    owners.into_keys().next().ok_or_else(|| {
        Unusable(format!("no folder in {0} says whose it is ({0}/N/data/folder.json): put one back", named(folder)))
    })
}

/// A cluster as its servers' folders tell of it. A member that has no folder here isn't of it.
fn from_folders(folder: &Path, cluster: String) -> Result<State, Unusable> {
    let is_here = |number: &u8| folder.join(number.to_string()).is_dir();
    let here: BTreeSet<u8> = (1..=u8::MAX).filter(is_here).collect();
    let mut known: BTreeMap<u8, Address> = BTreeMap::new();
    for number in &here {
        let said = file::small(&file::data_of(folder, *number).join("addresses.json")).unwrap_or_default();
        let said: BTreeMap<u8, Address> = serde_json::from_slice(&said).unwrap_or_default();
        for (member, address) in said {
            // A server knows best where it is itself.
            if member == *number || !known.contains_key(&member) {
                known.insert(member, address);
            }
        }
    }
    let server = |number: u8| {
        let Address { peer, http } = known.get(&number).cloned().ok_or_else(|| {
            Unusable(format!(
                "no folder in {0} says where S{number} was reached ({0}/N/data/addresses.json): put {0}/{NAME} back from \
                 a backup",
                named(folder)
            ))
        })?;
        let (process, ending, elsewhere) = (None, None, None);
        Ok(LocalServer { server: number, peer, http, has_begun: true, process, ending, elsewhere })
    };
    let servers = here.into_iter().map(server).collect::<Result<Vec<_>, Unusable>>()?;
    State::of(cluster, servers)
        .map_err(|why| Unusable(format!("the folders in {} tell of no cluster that runs here: {why}", named(folder))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(folder: &Path, number: u8, cluster: &str, addresses: &str) {
        let data = file::data_of(folder, number);
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("folder.json"), format!(r#"{{"format":1,"cluster":"{cluster}","server":{number}}}"#))
            .unwrap();
        fs::write(data.join("addresses.json"), addresses).unwrap();
    }

    #[test]
    fn a_server_knows_best_where_it_is_itself() {
        let folder = tempfile::tempdir().unwrap();
        let both = |second: u16| {
            format!(
                r#"{{"1":{{"peer":"127.0.0.1:1","http":"127.0.0.1:2"}},
                    "2":{{"peer":"127.0.0.1:3","http":"127.0.0.1:{second}"}},
                    "7":{{"peer":"127.0.0.1:7","http":"127.0.0.1:8"}}}}"#
            )
        };
        data(folder.path(), 1, "local-x", &both(4));
        data(folder.path(), 2, "local-x", &both(5));
        assert!(rebuild(folder.path()).unwrap().contains("cluster local-x with S1, S2"));
        let state = file::read(folder.path()).unwrap().unwrap();
        assert_eq!(
            (state.server(1).unwrap().http.as_str(), state.server(2).unwrap().http.as_str()),
            ("127.0.0.1:2", "127.0.0.1:5")
        );
        assert!(state.servers.iter().all(|server| server.has_begun && server.process.is_none()));
        let Unusable(why) = rebuild(folder.path()).unwrap_err();
        assert!(why.contains("is whole"), "{why}");
    }

    #[test]
    fn what_the_folders_do_not_tell_is_not_guessed() {
        let folder = tempfile::tempdir().unwrap();
        data(folder.path(), 1, "local-x", "{");
        let Unusable(why) = rebuild(folder.path()).unwrap_err();
        assert!(why.contains("where S1 was reached"), "{why}");
        data(folder.path(), 2, "local-y", "{}");
        let Unusable(why) = rebuild(folder.path()).unwrap_err();
        assert!(why.contains("those of S1 to local-x, those of S2 to local-y"), "{why}");
        assert!(!folder.path().join(NAME).exists());
        // What a later version has written isn't replaced.
        fs::write(folder.path().join(NAME), r#"{"format": 2}"#).unwrap();
        let Unusable(why) = rebuild(folder.path()).unwrap_err();
        assert!(why.contains("has format 2"), "{why}");
    }
}
