//! Snapshots: taking one, sending one in pieces, installing one (Raft §7).
//!
//! Several pieces are on their way at the same time: as many as have been confirmed so far and one
//! more, within the window that bounds appends. An answer says how much has come without a gap.
//! Only an answer that brings news lets further pieces go, so that messages that are doubled on the
//! way aren't doubled again. With each heartbeat the leader asks for an answer. If an answer to a
//! later round doesn't confirm some bytes, the leader sends again from the gap on. Loss,
//! duplication and reordering cost time, never correctness. A piece of a newer snapshot, or of
//! another leader's, starts over.
//!
//! While a member that answers is sent a snapshot, or lags, the leader keeps the log that follows,
//! as far as memory allows. Otherwise the snapshot could be out of date when it arrives, and
//! another one would have to follow.
//!
//! Pieces that are parts of one buffer are never copied: the receiver ends up with that same
//! buffer. This is so if messages stay in memory. The bytes are read once on each side, for the
//! checksum.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::ops::ControlFlow::Continue;

use super::io::{HardState, Output, Refusal, Standing};
use super::membership::MembershipLog;
use super::message::{
    InstallSnapshot, InstallSnapshotResponse, Message, Piece, Snapshot, SnapshotMeta, SnapshotProgress,
};
use super::observation::Observation;
use super::progress::{Progress, ProgressState};
use super::role::{Leader, Leadership};
use super::rules::Rule;
use super::server::Server;
use super::types::{LogIndex, ServerId, ServerSet};

/// The largest snapshot that is taken, in bytes: a hostile size must not exhaust a member's memory.
/// A larger state machine has to keep most of its data elsewhere, and put into the snapshot what is
/// needed to find it there.
pub const SNAPSHOT_SIZE_MAX: u64 = 1 << 30;

/// How many bytes of log are kept for members that lag, if the bound that asks for a snapshot isn't
/// in bytes.
const KEPT_BYTES_MAX: u64 = 32 << 20;

/// A snapshot of which some pieces have arrived.
#[derive(Clone, Debug)]
pub(super) struct IncomingSnapshot {
    meta: SnapshotMeta,
    checksum: u64,
    size: u64,
    received: Received,
    /// Pieces that overtook others, each with its offset, in the order of the offsets.
    ahead: Vec<(u64, Piece)>,
}

/// A snapshot's bytes, as far as they have come.
#[derive(Clone, Debug)]
enum Received {
    /// The pieces so far are next to each other in the sender's buffer.
    Shared(Piece),
    /// They came in several buffers.
    Copied(Vec<u8>),
}

impl IncomingSnapshot {
    fn begin(m: &InstallSnapshot) -> IncomingSnapshot {
        IncomingSnapshot {
            meta: m.meta.clone(),
            checksum: m.checksum,
            size: m.size,
            received: Received::Copied(Vec::new()),
            ahead: Vec::new(),
        }
    }

    /// See [`Raft::hash_essence`](super::Raft::hash_essence).
    pub(super) fn hash_essence(&self, state: &mut impl Hasher) {
        let IncomingSnapshot { meta, checksum, size, received, ahead } = self;
        (meta, checksum, size, received.bytes(), ahead).hash(state);
    }

    fn is_of(&self, m: &InstallSnapshot) -> bool {
        self.meta == m.meta && self.checksum == m.checksum && self.size == m.size
    }

    /// Takes a piece, and then the pieces that had overtaken it; at most `ahead_max` of those are
    /// kept.
    fn take(&mut self, m: &InstallSnapshot, ahead_max: usize) {
        let next = self.received.len();
        if m.piece.bytes().is_empty() || m.offset < next {
            return;
        }
        if m.offset > next {
            let place = self.ahead.partition_point(|(from, _)| *from < m.offset);
            let known = self.ahead.get(place).is_some_and(|(from, _)| *from == m.offset);
            if self.ahead.len() < ahead_max && !known {
                self.ahead.insert(place, (m.offset, m.piece.clone()));
            }
            return;
        }
        self.received.add(&m.piece);
        let mut taken = 0;
        for (from, piece) in &self.ahead {
            let next = self.received.len();
            if *from > next {
                break;
            }
            if *from == next {
                self.received.add(piece);
            }
            taken += 1;
        }
        self.ahead.drain(..taken);
    }
}

impl Received {
    fn bytes(&self) -> &[u8] {
        match self {
            Received::Shared(piece) => piece.bytes(),
            Received::Copied(bytes) => bytes,
        }
    }

    fn len(&self) -> u64 {
        self.bytes().len() as u64
    }

    /// Takes the next bytes.
    fn add(&mut self, piece: &Piece) {
        match self {
            Received::Copied(bytes) if bytes.is_empty() => *self = Received::Shared(piece.clone()),
            Received::Copied(bytes) => bytes.extend_from_slice(piece.bytes()),
            Received::Shared(before) => {
                if !before.join(piece) {
                    let mut bytes = before.bytes().to_vec();
                    bytes.extend_from_slice(piece.bytes());
                    *self = Received::Copied(bytes);
                }
            }
        }
    }

    fn into_buffer(self) -> Arc<[u8]> {
        match self {
            Received::Shared(piece) => piece.into_buffer(),
            Received::Copied(bytes) => bytes.into(),
        }
    }
}

impl Server {
    // ---------------------------------------------------------------- taking

    /// Whether the log has outgrown its bound; a snapshot is asked for once.
    pub(super) fn wants_snapshot(&mut self) -> bool {
        if self.snapshot_asked {
            return false;
        }
        let since = self.snapshot_index().max(self.snapshot_tried);
        let (entries, bytes) = (self.config.snapshot_after_entries, self.config.snapshot_after_bytes);
        let many = entries > 0 && self.applied.distance_from(since) >= entries;
        // This counts the entries applied since the last snapshot, not all that are held: the log
        // kept for members may be larger than the bound by itself.
        let large = bytes > 0 && self.applied_bytes >= bytes && self.applied > since;
        self.snapshot_asked = many || large;
        self.snapshot_asked
    }

    /// The state machine's owner has taken a snapshot. Members that answer need the log after
    /// `needed`, as far as a leader knows.
    pub(super) fn on_snapshot_taken(
        &mut self,
        index: LogIndex,
        data: Arc<[u8]>,
        needed: Option<LogIndex>,
        out: &mut Output,
    ) {
        self.snapshot_asked = false;
        let (size, limit) = (data.len() as u64, self.snapshot_size_max());
        let id = self.log.id_at(index).filter(|_| index <= self.applied && index > self.snapshot_index());
        let refusal = match id {
            None => Err(Refusal::SnapshotUseless),
            Some(_) if size > limit => Err(Refusal::SnapshotTooLarge { size, limit }),
            Some(last) => Ok(last),
        };
        let last = match refusal {
            Ok(last) => last,
            Err(reason) => {
                out.snapshot_refused = Some(reason);
                out.observe(|| Observation::RequestRefused { reason });
                if let Refusal::SnapshotTooLarge { .. } = reason {
                    // The next snapshot can't be any better before something new can be put into
                    // it.
                    (self.snapshot_tried, self.applied_bytes) = (self.applied, 0);
                }
                return;
            }
        };
        self.applied_bytes = self.log.bytes_in(index, self.applied);
        let (configuration_index, configuration) = self.membership.entry_at(index);
        let snapshot = Arc::new(Snapshot::new(SnapshotMeta { last, configuration, configuration_index }, data));
        self.snapshot = Some(Arc::clone(&snapshot));
        out.observe(|| Observation::Compacted { last });
        self.write_snapshot(snapshot);
        if let Some(base) = self.log.id_at(self.keep_after(index, needed)) {
            self.log.compact_to(base);
            self.membership.compact_to(base.index);
        }
    }

    /// The log is kept after this entry, if a snapshot covers everything up to `index`. Members
    /// slightly behind are served from the log. So are members that answer and are further behind,
    /// as far as memory allows.
    fn keep_after(&self, index: LogIndex, needed: Option<LogIndex>) -> LogIndex {
        let for_all = LogIndex(index.0.saturating_sub(self.config.entries_kept));
        let limit = match self.config.snapshot_after_bytes {
            0 => KEPT_BYTES_MAX,
            bytes => bytes,
        };
        // A member is sent the log if that is shorter than the snapshot, however little would be
        // kept otherwise.
        let snapshot = self.snapshot.as_ref().map_or(0, |snapshot| snapshot.data().len() as u64);
        let for_known = limit.max(snapshot).saturating_mul(2);
        let mut keep_after = needed.map_or(for_all, |needed| for_all.min(needed));
        keep_after = keep_after.max(self.log.base().index);
        let dropped = self.log.bytes_in(self.log.base().index, keep_after);
        let mut kept = self.log.bytes() - dropped - self.log.bytes_in(index, self.log.last().index);
        while keep_after < index {
            // The log kept only in case a member needs it has a smaller bound than the log kept for
            // members that are known to need it.
            let known = needed.is_some_and(|needed| needed <= keep_after);
            let bound = if known { for_known } else { limit / 2 };
            if kept <= bound {
                break;
            }
            keep_after = keep_after.next();
            kept -= self.log.get(keep_after).map_or(0, |entry| entry.payload.size());
        }
        keep_after
    }

    fn snapshot_size_max(&self) -> u64 {
        self.config.snapshot_size_max.min(SNAPSHOT_SIZE_MAX)
    }

    /// The index of the latest snapshot's last entry.
    fn snapshot_index(&self) -> LogIndex {
        self.snapshot.as_ref().map_or(LogIndex::ZERO, |snapshot| snapshot.meta.last.index)
    }

    // ---------------------------------------------------------------- installing

    pub(super) fn on_install_snapshot(&mut self, from: ServerId, m: &InstallSnapshot, out: &mut Output) {
        let last = m.meta.last;
        if m.size > self.snapshot_size_max() {
            // The leader must learn all the same that it is heard.
            out.observe(|| Observation::ImpossibleMessage { from, what: "a snapshot larger than any that is taken" });
            return self.answer_snapshot(from, m, SnapshotProgress::Received(0), out);
        }
        if last.index <= self.commit && self.rule(Rule::IgnoreOldSnapshots) {
            let commit = self.commit;
            out.observe(|| Observation::SnapshotIgnored { last, commit });
            if self.incoming.as_ref().is_some_and(|incoming| incoming.meta.last.index <= commit) {
                self.incoming = None;
            }
            let matched = self.commit.min(self.disk.log());
            return self.answer_snapshot(from, m, SnapshotProgress::Installed(matched), out);
        }
        let mut incoming = match self.incoming.take() {
            Some(incoming) if incoming.is_of(m) => incoming,
            Some(newer) if newer.meta.last.index > last.index => {
                // A late piece of a snapshot that the same leader has given up. Another leader has
                // another term, which ends all earlier transfers.
                self.incoming = Some(newer);
                return;
            }
            _ => IncomingSnapshot::begin(m),
        };
        incoming.take(m, self.config.window_appends_max);
        let received = incoming.received.len();
        if received < m.size {
            self.incoming = Some(incoming);
            return self.answer_snapshot(from, m, SnapshotProgress::Received(received), out);
        }
        let snapshot = Snapshot::new(incoming.meta, incoming.received.into_buffer());
        if snapshot.checksum() != m.checksum {
            out.observe(|| Observation::ImpossibleMessage { from, what: "a snapshot whose checksum is wrong" });
            return self.answer_snapshot(from, m, SnapshotProgress::Received(0), out);
        }
        self.install(Arc::new(snapshot), out);
        self.answer_snapshot(from, m, SnapshotProgress::Installed(last.index), out);
    }

    fn answer_snapshot(&mut self, to: ServerId, m: &InstallSnapshot, progress: SnapshotProgress, out: &mut Output) {
        let may_vote = self.may_vote();
        let answer = InstallSnapshotResponse { term: m.term, round: m.round, last: m.meta.last, progress, may_vote };
        let answer = Message::InstallSnapshotResponse(answer);
        match progress {
            SnapshotProgress::Installed(index) => self.promise_log(index, to, || answer, out),
            _ => self.send(to, answer, out),
        }
    }

    fn install(&mut self, snapshot: Arc<Snapshot>, out: &mut Output) {
        let meta = snapshot.meta.clone();
        let kept = self.log.contains(meta.last);
        out.observe(|| Observation::SnapshotInstalled { last: meta.last, kept });
        self.snapshot = Some(Arc::clone(&snapshot));
        // Raft §7: the entries after the snapshot's last entry stay if the log has that entry;
        // otherwise nothing stays.
        if kept {
            self.log.compact_to(meta.last);
            self.membership.compact_to(meta.last.index);
            self.write_snapshot(Arc::clone(&snapshot));
        } else {
            let before = *self.membership.current();
            self.log = super::Log::after(meta.last);
            self.membership = MembershipLog::new(meta.configuration_index, meta.configuration);
            self.write_snapshot_alone(Arc::clone(&snapshot));
            self.admissions.clear();
            self.on_membership(before, meta.configuration_index, out);
        }
        (self.snapshot_asked, self.applied_bytes) = (false, 0);
        self.commit = LogIndex::ZERO;
        self.raise_commit(meta.last.index, ServerSet::EMPTY, out);
        self.applied = meta.last.index;
        out.restore = Some(snapshot);
    }

    /// A server that started with an empty disk sees in the memberships whether its name has a vote
    /// already.
    pub(super) fn learn_standing(&mut self, index: LogIndex, out: &mut Output) {
        if self.hard_state.standing != Standing::Joining {
            return;
        }
        let (me, configuration) = (self.config.id, *self.membership.current());
        if self.rule(Rule::BarAmnesiacVoters) {
            if !configuration.is_voter(me) {
                return;
            }
            out.observe(|| Observation::Barred { index });
            self.set_hard_state(HardState { standing: Standing::Barred, ..self.hard_state });
        } else if configuration.members().contains(me) {
            self.set_hard_state(HardState { standing: Standing::Member, ..self.hard_state });
        }
    }
}

impl Leader {
    // ---------------------------------------------------------------- sending

    /// The members that answer need the log after this entry, as far as a leader knows.
    pub(super) fn needed_by_members(&self, server: &Server) -> Option<LogIndex> {
        let patience = server.config.election_timeout_max;
        let answering = self.progress.iter().flatten().filter(|progress| progress.heard + patience > server.now);
        answering.map(Progress::needs_after).min()
    }

    /// The entries that `member` needs are gone: sends it the snapshot instead.
    pub(super) fn begin_snapshot(&mut self, server: &Server, member: ServerId, out: &mut Output) {
        let Some(snapshot) = server.snapshot.clone() else {
            return;
        };
        let (last, size) = (snapshot.meta.last, snapshot.data().len() as u64);
        let round = self.rounds.latest();
        let Some(progress) = self.progress_mut(member) else {
            return;
        };
        progress.become_snapshot(snapshot, round);
        out.observe(|| Observation::SnapshotSent { peer: member, last, size });
        if size == 0 {
            // There are no bytes: an empty piece says so.
            return self.ask_for_pieces(server, member, out);
        }
        self.send_pieces(server, member, out);
    }

    /// Sends the next pieces for `member`, as far as its window allows.
    fn send_pieces(&mut self, server: &Server, member: ServerId, out: &mut Output) {
        let piece_max = server.config.snapshot_piece_max;
        let bytes_max =
            server.config.window_bytes_max.min(piece_max.saturating_mul(server.config.window_appends_max as u64));
        while let Some(progress) = self.progress_mut(member)
            && let ProgressState::Snapshot(transfer) = &mut progress.state
            && transfer.may_send(piece_max, bytes_max)
        {
            let from = transfer.sent;
            let to = from.saturating_add(piece_max).min(transfer.snapshot.data().len() as u64);
            transfer.sent = to;
            self.send_piece(server, member, from, to, out);
        }
    }

    /// Asks `member` how much it has, with an empty piece, because the member may be down.
    pub(super) fn ask_for_pieces(&mut self, server: &Server, member: ServerId, out: &mut Output) {
        if let Some(progress) = self.progress(member)
            && let ProgressState::Snapshot(transfer) = &progress.state
        {
            let offset = transfer.offset;
            self.send_piece(server, member, offset, offset, out);
        }
    }

    fn send_piece(&mut self, server: &Server, member: ServerId, from: u64, to: u64, out: &mut Output) {
        let (term, now) = (server.hard_state.term, server.now);
        let round = self.rounds.latest();
        let Some(progress) = self.progress_mut(member) else {
            return;
        };
        progress.sent = now;
        let ProgressState::Snapshot(transfer) = &progress.state else {
            return;
        };
        let data = transfer.snapshot.data();
        let message = InstallSnapshot {
            term,
            round,
            meta: transfer.snapshot.meta.clone(),
            size: data.len() as u64,
            checksum: transfer.snapshot.checksum(),
            offset: from,
            piece: Piece::of(data, from, to),
        };
        server.send(member, Message::InstallSnapshot(Box::new(message)), out);
    }

    pub(super) fn on_install_snapshot_response(
        &mut self,
        server: &mut Server,
        from: ServerId,
        m: &InstallSnapshotResponse,
        out: &mut Output,
    ) -> Leadership {
        let earlier = m.progress == SnapshotProgress::StaleTerm;
        if earlier || !self.note_heard(server, from, m.round, None) {
            return Continue(());
        }
        self.note_standing(server, from, m.may_vote, m.round, out)?;
        match m.progress {
            SnapshotProgress::StaleTerm => {}
            SnapshotProgress::Installed(index) => self.on_matched(server, from, index, index, m.round, out)?,
            SnapshotProgress::Received(bytes) => {
                let latest = self.rounds.latest();
                let Some(progress) = self.progress_mut(from) else {
                    return Continue(());
                };
                if let ProgressState::Snapshot(transfer) = &mut progress.state
                    && transfer.snapshot.meta.last == m.last
                    && transfer.confirm(bytes, m.round, latest)
                {
                    self.send_pieces(server, from, out);
                }
            }
        }
        self.release_confirmed_reads(server, out);
        Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(buffer: &[u8], ends: &[u64]) -> Vec<Piece> {
        let buffer: Arc<[u8]> = buffer.into();
        let begins = core::iter::once(&0).chain(ends);
        begins.zip(ends).map(|(from, to)| Piece::of(&buffer, *from, *to)).collect()
    }

    fn receive(pieces: &[Piece]) -> Received {
        let mut received = Received::Copied(Vec::new());
        for piece in pieces {
            received.add(piece);
        }
        received
    }

    #[test]
    fn pieces_of_one_buffer_come_together_without_a_copy() {
        let all = pieces(b"abcdefgh", &[3, 4, 8]);
        assert_eq!(receive(&all[..2]).bytes(), b"abcd");
        let whole = receive(&all).into_buffer();
        assert_eq!(&whole[..], b"abcdefgh");
        assert!(core::ptr::eq(&whole[0], &all[0].bytes()[0]), "it is the sender's own");
        // A part of a buffer mustn't keep the rest in memory.
        let part = receive(&all[..2]).into_buffer();
        assert_eq!(&part[..], b"abcd");
        assert!(!core::ptr::eq(&part[0], &all[0].bytes()[0]));
    }

    #[test]
    fn pieces_from_wherever_are_put_together_in_their_order() {
        let (one, other) = (pieces(b"abcdef", &[2, 4, 6]), pieces(b"ABCDEF", &[2, 4, 6]));
        // Each piece from either buffer.
        for choice in 0..8 {
            let chosen: Vec<Piece> = (0..3)
                .map(|place| if choice >> place & 1 == 0 { one[place].clone() } else { other[place].clone() })
                .collect();
            for count in 0..=3 {
                let expected: Vec<u8> = chosen[..count].iter().flat_map(Piece::bytes).copied().collect();
                let received = receive(&chosen[..count]);
                assert_eq!((received.bytes(), received.len()), (&expected[..], 2 * count as u64));
                assert_eq!(received.into_buffer()[..], expected[..]);
            }
        }
        // An empty piece, then one with bytes, and the same part of a buffer twice.
        let twice = [Piece::of(&Arc::from([]), 0, 0), one[1].clone(), one[1].clone(), one[2].clone()];
        assert_eq!(&receive(&twice).into_buffer()[..], b"cdcdef");
        // And a piece that doesn't follow in the buffer, but was sent as if it did.
        let apart = [one[0].clone(), one[2].clone()];
        assert_eq!(&receive(&apart).into_buffer()[..], b"abef");
    }
}
