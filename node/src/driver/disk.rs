//! The thread that has a server's disk: one sync serves all writes that wait.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use raft_core::raft::{Receipt, Write};
use tokio::sync::mpsc::UnboundedSender;

use crate::storage::{Storage, StorageError};

/// How long to wait before a full disk is tried again.
const FULL_RETRY: Duration = Duration::from_millis(250);

/// The most parts that one call stores, so that the first writes don't wait for ever for their
/// sync.
const PARTS_MAX: usize = 4_096;

/// What the disk's thread tells the driver.
#[derive(Debug)]
pub(super) enum Report {
    /// This write, and all before it, are durable.
    Durable(Receipt),
    /// The disk is full; what waits is tried again and again.
    Full,
    /// There is room again.
    Room,
    /// It can't go on. The thread has ended.
    Failed(StorageError),
}

/// A storage and its thread.
#[derive(Debug)]
pub(super) struct Disk {
    writes: Option<Sender<Write>>,
    thread: Option<JoinHandle<()>>,
}

impl Disk {
    pub(super) fn start(storage: Box<dyn Storage>, reports: UnboundedSender<Report>) -> std::io::Result<Disk> {
        let (writes, waiting) = channel();
        let thread = thread::Builder::new().name("disk".into()).spawn(move || serve(storage, &waiting, &reports))?;
        Ok(Disk { writes: Some(writes), thread: Some(thread) })
    }

    /// Hands over a write. If the thread has ended, its last report says why.
    pub(super) fn write(&self, write: Write) {
        if let Some(writes) = &self.writes {
            let _ = writes.send(write);
        }
    }
}

/// Stores what was handed over, then ends the thread and closes the storage.
impl Drop for Disk {
    fn drop(&mut self) {
        self.writes = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut storage: Box<dyn Storage>, waiting: &Receiver<Write>, reports: &UnboundedSender<Report>) {
    let mut batch = Vec::new();
    while let Ok(first) = waiting.recv() {
        let mut parts = first.parts();
        batch.push(first);
        while parts < PARTS_MAX
            && let Ok(next) = waiting.try_recv()
        {
            parts += next.parts();
            batch.push(next);
        }
        let mut was_full = false;
        loop {
            match storage.store(&batch) {
                Ok(()) => break,
                Err(StorageError::Full) => {
                    if !was_full && reports.send(Report::Full).is_err() {
                        return;
                    }
                    was_full = true;
                    thread::sleep(FULL_RETRY);
                    // Nobody waits for it any more.
                    if reports.is_closed() {
                        return;
                    }
                }
                Err(error) => {
                    let _ = reports.send(Report::Failed(error));
                    return;
                }
            }
        }
        if was_full {
            let _ = reports.send(Report::Room);
        }
        if let Some(last) = batch.last()
            && reports.send(Report::Durable(last.receipt)).is_err()
        {
            return;
        }
        batch.clear();
    }
}

#[cfg(test)]
mod tests {
    use raft_core::raft::EntryId;

    use super::*;
    use crate::storage::Loaded;

    /// Says how many writes it is to store, and waits until it may.
    struct Gate {
        asked: Sender<usize>,
        opened: Receiver<()>,
    }

    impl Storage for Gate {
        fn load(&mut self) -> Result<Loaded, StorageError> {
            Ok(Loaded::default())
        }

        fn store(&mut self, writes: &[Write]) -> Result<(), StorageError> {
            self.asked.send(writes.len()).expect("the test waits for it");
            self.opened.recv().expect("the test opens it");
            Ok(())
        }
    }

    #[test]
    fn one_sync_serves_all_that_wait_and_the_last_of_them_is_reported() {
        let ((asked, is_asked), (open, opened)) = (channel(), channel());
        let (report, mut reports) = tokio::sync::mpsc::unbounded_channel();
        let disk = Disk::start(Box::new(Gate { asked, opened }), report).unwrap();
        let receipt = |sequence| Receipt { sequence, last: EntryId::ZERO };
        let write = |sequence| {
            disk.write(Write { hard_state: None, snapshot: None, log: None, receipt: receipt(sequence) });
        };
        let mut reported = || match reports.blocking_recv().expect("a report") {
            Report::Durable(receipt) => receipt.sequence,
            other => panic!("{other:?}"),
        };
        write(1);
        assert_eq!(is_asked.recv().unwrap(), 1);
        // These come while the disk is busy.
        (2..=4).for_each(write);
        open.send(()).unwrap();
        assert_eq!(is_asked.recv().unwrap(), 3);
        assert_eq!(reported(), 1);
        open.send(()).unwrap();
        assert_eq!(reported(), 4);
    }
}
