//! A value for each server.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

use crate::raft::ServerId;

/// One value for each server that there can be.
#[derive(Clone, Debug)]
pub(super) struct ByServer<T>(Vec<T>);

impl<T: Clone> ByServer<T> {
    pub(super) fn new(each: T, count: usize) -> ByServer<T> {
        ByServer(alloc::vec![each; count])
    }
}

impl<T> ByServer<T> {
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }
}

impl<T> Index<ServerId> for ByServer<T> {
    type Output = T;

    #[inline]
    fn index(&self, server: ServerId) -> &T {
        &self.0[server.slot()]
    }
}

impl<T> IndexMut<ServerId> for ByServer<T> {
    #[inline]
    fn index_mut(&mut self, server: ServerId) -> &mut T {
        &mut self.0[server.slot()]
    }
}
