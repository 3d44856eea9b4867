//! Which disks are believed: a server that comes back with another one than it had has forgotten
//! what it promised, whatever it is told to do.

use std::path::Path;

use http::Method;
use raftarium_node::machine::Addresses;
use raftarium_node::server::NewFolder;
use serde_json::json;
use tempfile::TempDir;

use super::client::{PATIENCE, Running, free_addresses, options, start};

/// Three servers, each of which may run or not.
struct Trio {
    folder: TempDir,
    members: Addresses,
    running: [Option<Running>; 3],
}

impl Trio {
    fn new() -> Trio {
        let folder = tempfile::tempdir().unwrap();
        Trio { folder, members: free_addresses(3), running: [None, None, None] }
    }

    /// All three, of which S1 leads.
    async fn led_by_first() -> Trio {
        let mut trio = Trio::new();
        for number in 1..=3 {
            trio.start(number, NewFolder::Found).await;
        }
        for number in 1..=3 {
            trio.ready(number).await;
        }
        if trio[1].get("/status").await.json()["leader"]["server"] != 1 {
            trio.ask(2, Method::POST, "/members/1/transfer", "").await;
        }
        trio[1].wait_until("it leads", |status| status["role"] == "leader").await;
        trio
    }

    async fn start(&mut self, number: u8, founding: NewFolder) {
        let mut options = options(self.folder.path(), number, &self.members);
        options.founding = Some(founding);
        self.running[usize::from(number) - 1] = Some(start(options).await);
    }

    async fn stop(&mut self, number: u8) {
        self.running[usize::from(number) - 1].take().unwrap().stop().await;
    }

    async fn stop_all(mut self) {
        for server in self.running.iter_mut().filter_map(Option::take) {
            server.stop().await;
        }
    }

    /// Waits until a server has ended by itself, and returns why.
    async fn gives_up(&mut self, number: u8) -> String {
        self.running[usize::from(number) - 1].take().unwrap().ended().await.unwrap_err().to_string()
    }

    async fn ready(&self, number: u8) {
        self[number].wait_until("it is ready", |status| status["is_ready"] == true).await;
    }

    /// Asks for something that must be done.
    async fn ask(&self, number: u8, method: Method, path: &str, body: &str) {
        let answer = self[number].ask(method, path, &[], body.as_bytes()).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }

    async fn put(&self, number: u8, key: &str) {
        self.ask(number, Method::PUT, &format!("/kv/{key}"), "v").await;
    }

    async fn has(&self, number: u8, keys: &[&str]) {
        for key in keys {
            let found = self[number].get(&format!("/kv/{key}")).await;
            assert_eq!((found.status, found.text().as_str()), (200, "v"), "{key} at S{number}");
        }
    }

    fn folder_of(&self, number: u8) -> std::path::PathBuf {
        self.folder.path().join(number.to_string())
    }

    fn lose_disk(&self, number: u8) {
        std::fs::remove_dir_all(self.folder_of(number)).unwrap();
    }

    /// Gives a server that isn't a voter's equal any more a new, empty disk, as the advice says.
    async fn renew(&mut self, number: u8, by: u8) {
        self.remove(number, by).await;
        self.start(number, NewFolder::Join).await;
        self.add(number, by).await;
    }

    /// Takes a member out, and waits until that is done.
    async fn remove(&self, number: u8, by: u8) {
        self.ask(by, Method::DELETE, &format!("/members/{number}"), "").await;
        let is_changing = async || self[by].get("/members").await.json()["is_changing"] == true;
        let settled = async {
            while is_changing().await {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.unwrap();
    }

    async fn add(&self, number: u8, by: u8) {
        let own = &self.members[&number];
        let member = json!({ "server": number, "peer": own.peer, "http": own.http }).to_string();
        self.ask(by, Method::POST, "/members", &member).await;
        self.ask(by, Method::POST, &format!("/members/{number}/promote"), "").await;
        self.ready(number).await;
    }
}

impl std::ops::Index<u8> for Trio {
    type Output = Running;

    fn index(&self, number: u8) -> &Running {
        self.running[usize::from(number) - 1].as_ref().unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The server that holds what was acknowledged is down, the other one that did has lost its disk,
/// and the third was away: the last two must not be a majority.
#[tokio::test]
async fn a_founder_that_lost_its_disk_does_not_found_again_with_one_that_was_away() {
    let mut trio = Trio::led_by_first().await;
    trio.put(1, "k1").await;
    trio.stop(3).await;
    for key in ["k2", "k3", "k4", "k5"] {
        trio.put(1, key).await;
    }
    trio.stop(2).await;
    trio.lose_disk(2);
    trio.stop(1).await;

    trio.start(3, NewFolder::Found).await;
    trio.start(2, NewFolder::Found).await;
    let why = trio.gives_up(2).await;
    assert!(why.contains("S2 can't found the cluster: S3 knows it by another disk"), "{why}");
    for step in ["members remove 2", "--join", "members add 2", "members promote 2"] {
        assert!(why.contains(step), "{step}: {why}");
    }
    assert_ne!(trio[3].get("/status").await.json()["role"], "leader");

    trio.start(1, NewFolder::Found).await;
    trio.ready(1).await;
    trio.has(3, &["k1", "k2", "k3", "k4", "k5"]).await;
    // What it was told to do works.
    trio.lose_disk(2);
    trio.renew(2, 3).await;
    trio.has(2, &["k1", "k2", "k3", "k4", "k5"]).await;
    trio.stop_all().await;
}

#[tokio::test]
async fn two_founders_that_lost_their_disks_do_not_found_another_cluster_beside_the_third() {
    let mut trio = Trio::led_by_first().await;
    trio.put(1, "k").await;
    for number in [2, 3] {
        trio.stop(number).await;
        trio.lose_disk(number);
    }
    let before = trio[1].get("/status").await.json();
    for number in [2, 3] {
        trio.start(number, NewFolder::Found).await;
    }
    for number in [2, 3] {
        let why = trio.gives_up(number).await;
        assert!(why.contains(&format!("S{number} can't found the cluster: S1 knows it by another disk")), "{why}");
    }
    let after = trio[1].get("/status").await.json();
    assert_eq!((&after["log"], &after["commit_index"]), (&before["log"], &before["commit_index"]));
    assert_ne!(after["leader"]["server"], 2);
    assert_ne!(after["leader"]["server"], 3);
    trio.stop_all().await;
}

/// Nobody can tell two new servers, and a third that comes later, from three of which one has lost
/// its disk. So a cluster begins with all of its founders.
#[tokio::test]
async fn a_cluster_is_founded_when_its_last_founder_comes() {
    let mut trio = Trio::new();
    trio.start(1, NewFolder::Found).await;
    trio.start(2, NewFolder::Found).await;
    for number in [1, 2] {
        let ready = trio[number].get("/readyz").await;
        assert_eq!(ready.status, 503);
        assert!(ready.text().contains("the cluster isn't founded yet"), "{}", ready.text());
    }
    // One that starts again meanwhile is no other one.
    trio.stop(1).await;
    trio.start(1, NewFolder::Found).await;
    trio.start(3, NewFolder::Found).await;
    for number in 1..=3 {
        trio.ready(number).await;
    }
    trio.put(2, "k").await;
    trio.stop_all().await;
}

/// A disk that replaces another one is known to all from then on, and the one before it is not any
/// more.
#[tokio::test]
async fn an_old_copy_of_a_disk_that_was_replaced_is_not_believed() {
    let mut trio = Trio::led_by_first().await;
    trio.put(1, "k1").await;
    trio.stop(2).await;
    let old = trio.folder.path().join("old");
    std::fs::rename(trio.folder_of(2), &old).unwrap();
    trio.renew(2, 1).await;
    trio.stop(3).await;
    trio.put(2, "k2").await;
    trio.start(3, NewFolder::Found).await;
    trio.ready(3).await;

    trio.stop(2).await;
    trio.lose_disk(2);
    std::fs::rename(&old, trio.folder_of(2)).unwrap();
    trio.start(2, NewFolder::Found).await;
    let status = trio[2].wait_until("it is told", |status| status.get("no_vote_because").is_some()).await;
    assert_eq!((&status["may_vote"], &status["is_ready"]), (&json!(false), &json!(false)));
    let ready = trio[2].get("/readyz").await.text();
    for words in ["it was put back from an older copy", "empty its folder, start it with --join"] {
        assert!(ready.contains(words), "{ready}");
    }
    // To remove and add it with this folder is no help, and says so at once.
    trio.remove(2, 1).await;
    let own = &trio.members[&2];
    let member = json!({ "server": 2, "peer": own.peer, "http": own.http }).to_string();
    trio.ask(1, Method::POST, "/members", &member).await;
    let refused = trio[3].ask(Method::POST, "/members/2/promote", &[], b"").await;
    assert_eq!(refused.problem(), "membership-refused");
    assert!(refused.detail().contains("empty its folder, start it with --join"), "{}", refused.detail());
    // What it says does help.
    trio.stop(2).await;
    trio.lose_disk(2);
    trio.renew(2, 1).await;
    trio.has(2, &["k1", "k2"]).await;
    trio.stop_all().await;
}

#[tokio::test]
async fn servers_that_are_all_put_back_from_copies_of_one_moment_know_each_other() {
    let mut trio = Trio::led_by_first().await;
    trio.put(1, "k1").await;
    trio.stop(3).await;
    trio.lose_disk(3);
    trio.renew(3, 1).await;
    trio.put(1, "k2").await;
    let copy_of = |trio: &Trio, number: u8| trio.folder.path().join(format!("copy-{number}"));
    for number in 1..=3 {
        trio.stop(number).await;
        copy(&trio.folder_of(number), &copy_of(&trio, number));
    }
    for number in 1..=3 {
        trio.start(number, NewFolder::Found).await;
    }
    trio.put(1, "k3").await;
    for number in 1..=3 {
        trio.stop(number).await;
        trio.lose_disk(number);
        std::fs::rename(copy_of(&trio, number), trio.folder_of(number)).unwrap();
    }
    for number in 1..=3 {
        trio.start(number, NewFolder::Found).await;
    }
    for number in 1..=3 {
        trio.ready(number).await;
        trio.has(number, &["k1", "k2"]).await;
    }
    assert_eq!(trio[1].get("/kv/k3").await.status, 404);
    trio.stop_all().await;
}

/// Members are told to be removed before they are added again.
#[tokio::test]
async fn a_voter_that_joins_anew_is_told_to_be_removed_first() {
    let mut trio = Trio::led_by_first().await;
    trio.stop(2).await;
    trio.lose_disk(2);
    trio.start(2, NewFolder::Join).await;
    assert_eq!(trio[2].get("/status").await.json()["may_vote"], false);
    let own = &trio.members[&2];
    let member = json!({ "server": 2, "peer": own.peer, "http": own.http }).to_string();
    for (path, body) in [("/members", member.as_str()), ("/members/2/promote", "")] {
        let refused = trio[1].ask(Method::POST, path, &[], body.as_bytes()).await;
        assert_eq!(refused.problem(), "membership-refused");
        assert!(refused.detail().contains("members remove 2"), "{}", refused.detail());
    }
    trio.remove(2, 1).await;
    trio.add(2, 1).await;
    trio.stop_all().await;
}

/// A typing error must not end a cluster: without S2, S1 would need S3, which is down or has lost
/// its disk.
#[tokio::test]
async fn a_server_that_the_others_need_is_not_removed() {
    let mut trio = Trio::led_by_first().await;
    trio.put(1, "k1").await;
    let refused = async |trio: &Trio, server: u8, why: &str| {
        let answer = trio[2].ask(Method::DELETE, &format!("/members/{server}"), &[], b"").await;
        assert_eq!(answer.problem(), "membership-refused", "{}", answer.text());
        assert!(answer.detail().contains(why) && answer.detail().contains("remove S3 first"), "{}", answer.detail());
    };
    trio.stop(3).await;
    trio.lose_disk(3);
    trio.put(1, "k2").await;
    refused(&trio, 2, "without S2 the voters are S1 and S3, and S3 doesn't answer").await;
    // Whoever leads is needed as much.
    refused(&trio, 1, "without S1 the voters are S2 and S3, and S3 doesn't answer").await;
    trio.start(3, NewFolder::Join).await;
    let follows = |status: &serde_json::Value| status["leader"]["server"] == 1;
    trio[3].wait_until("it has heard the leader", follows).await;
    refused(&trio, 2, "and S3 may not vote").await;
    let wrong = trio[1].ask(Method::DELETE, "/members/2?unsee=true", &[], b"").await;
    assert_eq!(wrong.problem(), "bad-request");
    trio.put(1, "k3").await;
    trio.has(2, &["k1", "k2", "k3"]).await;

    // The right one can be, and then all is well again.
    trio.remove(3, 2).await;
    trio.stop(3).await;
    trio.lose_disk(3);
    trio.start(3, NewFolder::Join).await;
    trio.add(3, 1).await;
    trio.has(3, &["k1", "k2", "k3"]).await;
    // Whoever insists is obeyed, by way of a follower too.
    trio.stop(3).await;
    let insists = trio[2].ask(Method::DELETE, "/members/2?unseen=true", &[], b"").await;
    assert_ne!(insists.problem(), "membership-refused", "{}", insists.text());
    assert_eq!(trio[1].get("/members").await.json()["is_changing"], true);
    trio.start(3, NewFolder::Found).await;
    trio.ready(3).await;
    trio.stop_all().await;
}
