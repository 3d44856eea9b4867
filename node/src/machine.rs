//! What the servers of a cluster replicate: the members' addresses, around a state machine.
//!
//! Addresses are the cluster's own business, whatever it stores: a server that joins learns from
//! the log where the others are. So they are a layer around the state machine, and travel in the
//! same log and the same snapshots.
//!
//! # Bytes
//! A command's first byte says whose it is: 1, the state machine's, which gets the rest; 2, a
//! change of addresses, as JSON. A snapshot is the length of a JSON text (four bytes, the lowest
//! first), the text, and the state machine's own snapshot.

use std::collections::BTreeMap;

use raft_core::raft::{Bytes, ServerId};
use raft_core::state_machine::{RestoreError, StateMachine};
use serde::{Deserialize, Serialize};

/// The first byte of a command for the state machine.
const INNER: u8 = 1;

/// The first byte of a change of addresses.
const ADDRESSES: u8 = 2;

/// The version of a snapshot's first part.
const VERSION: u32 = 1;

/// The longest address, in bytes: a host name has at most 253, a port 5.
pub const ADDRESS_BYTES_MAX: usize = 260;

/// Where a server is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// By its peers: `host:port`.
    pub peer: String,
    /// By clients: `host:port`.
    pub http: String,
}

/// The members' addresses, by their numbers.
pub type Addresses = BTreeMap<u8, Address>;

/// A change of the members' addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressChange {
    /// The number of the server whose address it is, 1 to 127.
    pub server: u8,
    /// Its new address; none if it has left.
    pub address: Option<Address>,
    /// Whether an address that is known already stays: it was told by somebody who knows better.
    #[serde(default, skip_serializing_if = "is_false")]
    pub only_if_unknown: bool,
}

// It is called with a reference by serde.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !value
}

/// A state machine with the members' addresses around it.
#[derive(Clone, Debug, Default)]
pub struct Machine<M> {
    addresses: Addresses,
    inner: M,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    version: u32,
    addresses: Addresses,
}

impl<M> Machine<M> {
    /// With no addresses, around `inner`.
    pub fn new(inner: M) -> Machine<M> {
        Machine { addresses: Addresses::new(), inner }
    }

    /// The members' addresses.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The state machine inside.
    pub fn inner(&self) -> &M {
        &self.inner
    }
}

impl AddressChange {
    /// A member has this address from now on.
    pub fn new(server: ServerId, address: Address) -> AddressChange {
        AddressChange { server: server.number(), address: Some(address), only_if_unknown: false }
    }

    /// A member has this address, unless another one is known by then.
    pub fn introduction(server: ServerId, address: Address) -> AddressChange {
        AddressChange { only_if_unknown: true, ..AddressChange::new(server, address) }
    }

    /// Makes the change.
    pub fn apply(self, addresses: &mut Addresses) {
        let AddressChange { server, address, only_if_unknown } = self;
        match address {
            _ if only_if_unknown && addresses.contains_key(&server) => {}
            Some(address) => drop(addresses.insert(server, address)),
            None => drop(addresses.remove(&server)),
        }
    }

    /// As a command.
    ///
    /// # Errors
    /// The sentence says what is wrong with it.
    pub fn command(&self) -> Result<Bytes, String> {
        self.check()?;
        let mut bytes = vec![ADDRESSES];
        serde_json::to_writer(&mut bytes, self).map_err(|error| error.to_string())?;
        Ok(bytes.as_slice().into())
    }

    /// The change in a command, if it is one.
    pub fn of(command: &[u8]) -> Option<AddressChange> {
        let json = command.strip_prefix(&[ADDRESSES])?;
        let change: AddressChange = serde_json::from_slice(json).ok()?;
        change.check().is_ok().then_some(change)
    }

    fn check(&self) -> Result<(), String> {
        if ServerId::new(self.server).is_none() {
            return Err(no_number(self.server));
        }
        let Some(address) = &self.address else { return Ok(()) };
        check_address(&address.peer)?;
        check_address(&address.http)
    }
}

fn no_number(server: u8) -> String {
    format!("{server} is no server's number: they are 1 to {}", ServerId::MAX)
}

/// Checks that a text looks like `host:port`.
///
/// # Errors
/// The sentence says what is wrong with it.
pub fn check_address(address: &str) -> Result<(), String> {
    let quoted = || format!("{:?}", address.chars().take(80).collect::<String>());
    if address.len() > ADDRESS_BYTES_MAX {
        return Err(format!(
            "the address {}… has {} bytes, and {ADDRESS_BYTES_MAX} is the most",
            quoted(),
            address.len()
        ));
    }
    let (host, port) = address.rsplit_once(':').unwrap_or_default();
    let port = port.parse::<u16>().ok();
    if host.is_empty()
        || address.chars().any(|c| c.is_control() || c.is_whitespace() || c == '/')
        || port.is_none_or(|port| port == 0)
    {
        return Err(format!("{} is no address: write host:port, as in 127.0.0.1:7101", quoted()));
    }
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    if ip.is_ok_and(|ip| ip.is_unspecified() || ip.is_multicast()) {
        return Err(format!("{} is no address that others can reach: write that of one machine", quoted()));
    }
    Ok(())
}

/// A command of the state machine inside, as a command of [`Machine`].
pub fn wrap(inner: &[u8]) -> Bytes {
    let mut bytes = Vec::with_capacity(1 + inner.len());
    bytes.push(INNER);
    bytes.extend_from_slice(inner);
    bytes.as_slice().into()
}

/// The command of the state machine inside, if it is one.
pub fn unwrap(command: &[u8]) -> Option<&[u8]> {
    command.strip_prefix(&[INNER])
}

/// The answer to a command of the state machine inside is that machine's own; to all others, it is
/// empty.
impl<M: StateMachine + Clone> StateMachine for Machine<M> {
    fn apply(&mut self, index: u64, command: &[u8]) -> Vec<u8> {
        if let Some(inner) = unwrap(command) {
            return self.inner.apply(index, inner);
        }
        // What is committed, and senseless, does nothing, on every server alike.
        if let Some(change) = AddressChange::of(command) {
            change.apply(&mut self.addresses);
        }
        Vec::new()
    }

    fn snapshot(&self) -> Vec<u8> {
        let head = Head { version: VERSION, addresses: self.addresses.clone() };
        // Numbers, strings and sorted maps can always be written, and always in one way.
        let json = serde_json::to_vec(&head).unwrap_or_else(|error| panic!("addresses can't be written: {error}"));
        let mut bytes = (json.len() as u32).to_le_bytes().to_vec();
        bytes.extend(json);
        bytes.extend(self.inner.snapshot());
        bytes
    }

    fn restore(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        let ends = || RestoreError::new("the snapshot ends before its addresses do");
        let (length, rest) = snapshot.split_at_checked(4).ok_or_else(ends)?;
        let length = u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let (json, inner) = rest.split_at_checked(length).ok_or_else(ends)?;
        let head: Head = serde_json::from_slice(json).map_err(RestoreError::new)?;
        if head.version != VERSION {
            let why = format!("the snapshot has version {}, and this program reads version {VERSION}", head.version);
            return Err(RestoreError::new(why));
        }
        for (server, address) in &head.addresses {
            let server = ServerId::new(*server).ok_or_else(|| RestoreError::new(no_number(*server)))?;
            AddressChange::new(server, address.clone()).check().map_err(RestoreError::new)?;
        }
        self.inner.restore(inner)?;
        self.addresses = head.addresses;
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        self.inner.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use raft_core::kv::{Settings, Store};

    fn address(port: u16) -> Address {
        Address { peer: format!("127.0.0.1:{port}"), http: format!("localhost:{}", port + 1) }
    }

    fn server(number: u8) -> ServerId {
        ServerId::new(number).unwrap()
    }

    fn machine() -> Machine<Store> {
        let mut machine = Machine::new(Store::new(Settings::default()));
        let change = AddressChange::new(server(3), address(7000));
        machine.apply(2, &change.command().unwrap());
        machine
    }

    #[test]
    fn addresses_come_and_go_through_the_log_and_are_in_the_snapshot() {
        let mut machine = machine();
        assert_eq!(machine.addresses(), &Addresses::from([(3, address(7000))]));
        let mut restored = Machine::new(Store::new(Settings::default()));
        restored.restore(&machine.snapshot()).unwrap();
        assert_eq!(restored.addresses(), machine.addresses());
        assert_eq!(restored.snapshot(), machine.snapshot());
        let gone = AddressChange { address: None, ..AddressChange::new(server(3), address(7000)) };
        machine.apply(3, &gone.command().unwrap());
        assert!(machine.addresses().is_empty());
    }

    /// A leader introduces those whom it finds missing, and the entry of a move may be before that.
    #[test]
    fn an_introduction_changes_no_address_that_is_known() {
        let mut machine = machine();
        for (number, known) in [(3, 7000), (4, 8000)] {
            let introduction = AddressChange::introduction(server(number), address(8000));
            let command = introduction.command().unwrap();
            assert_eq!(AddressChange::of(&command), Some(introduction));
            machine.apply(3, &command);
            assert_eq!(machine.addresses()[&number], address(known));
        }
        machine.apply(4, &AddressChange::new(server(3), address(9000)).command().unwrap());
        assert_eq!(machine.addresses()[&3], address(9000));
    }

    /// Entries of earlier versions are in logs, and later ones must say the same by them.
    #[test]
    fn a_change_has_one_form() {
        let command = AddressChange::new(server(3), address(7000)).command().unwrap();
        let text = r#"{"server":3,"address":{"peer":"127.0.0.1:7000","http":"localhost:7001"}}"#;
        assert_eq!(&command[1..], text.as_bytes());
    }

    #[test]
    fn what_makes_no_sense_is_refused_or_does_nothing() {
        let mut machine = machine();
        let before = machine.snapshot();
        for command in [&b""[..], b"\x02", b"\x02{}", b"\x02{\"server\":0,\"address\":null}", b"\x09"] {
            assert_eq!(machine.apply(9, command), b"");
            assert_eq!(machine.snapshot(), before);
        }
        for (address, why) in [
            ("", "\"\" is no address: write host:port, as in 127.0.0.1:7101"),
            (":1", "\":1\" is no address: write host:port, as in 127.0.0.1:7101"),
            ("a:65536", "\"a:65536\" is no address: write host:port, as in 127.0.0.1:7101"),
            ("a:0", "\"a:0\" is no address: write host:port, as in 127.0.0.1:7101"),
            ("0.0.0.0:1", "\"0.0.0.0:1\" is no address that others can reach: write that of one machine"),
            ("[::]:1", "\"[::]:1\" is no address that others can reach: write that of one machine"),
            ("a b:1", "\"a b:1\" is no address: write host:port, as in 127.0.0.1:7101"),
        ] {
            assert_eq!(check_address(address).unwrap_err(), why);
        }
        assert_eq!(check_address("[::1]:7101"), Ok(()));
        let long = format!("{}:1", "a".repeat(ADDRESS_BYTES_MAX));
        assert!(check_address(&long).unwrap_err().ends_with("has 262 bytes, and 260 is the most"));
    }

    #[test]
    fn bytes_that_are_no_snapshot_are_named() {
        let bytes = machine().snapshot();
        let mut other = Machine::new(Store::new(Settings::default()));
        for cut in 0..bytes.len() {
            assert!(other.restore(&bytes[..cut]).is_err(), "cut to {cut} bytes");
        }
        assert!(other.addresses().is_empty());
        let mut later = bytes.clone();
        let at = later.windows(11).position(|window| window == b"\"version\":1").unwrap() + 10;
        later[at] = b'2';
        let why = other.restore(&later).unwrap_err().to_string();
        assert_eq!(why, "the snapshot has version 2, and this program reads version 1");
    }
}
