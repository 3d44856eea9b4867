//! The page's memory: every size has a list of free blocks, and a block goes back to the list it came from.
//!
//! The simulator allocates little, but often: what clients ask and answer, and what the servers make of it, lives for a moment and is
//! of a few sizes. To take such a block is to take the first of its list, a few instructions. The standard library's allocator for
//! WebAssembly, dlmalloc, looks for the block that fits best and joins neighbours that are free: with it the module is 3 KB heavier,
//! and no faster.
//!
//! **Caveats.** A block is never split or joined, so that memory once used for one size isn't there for another: what is held is at
//! most the sum, over all sizes, of the most that was ever in use. And a block may be larger than asked for, by up to a
//! quarter. As everywhere in WebAssembly, memory is never given back to the browser.

#![allow(unsafe_code, reason = "an allocator hands out raw memory; nothing else here does")]

use std::alloc::Layout;
use std::ptr;

/// What every block is aligned to, and the smallest block.
const GRAIN: usize = 16;
/// Sizes up to this differ by [`GRAIN`]; above it, there are four to each power of two.
const FINE_MAX: usize = 128;
/// As many as there are up to 2 GiB, which is more than can be allocated at once.
const CLASSES: usize = FINE_MAX / GRAIN + 4 * 24;
/// What is asked of the browser at once, at least, in bytes.
const REGION: usize = 1 << 20;

/// The list to which blocks of `size` bytes belong.
#[inline]
fn class_of(size: usize) -> usize {
    if size <= FINE_MAX {
        return size.saturating_sub(1) / GRAIN;
    }
    let last = size - 1;
    let power = last.ilog2() as usize;
    let quarter = last >> (power - 2) & 3;
    FINE_MAX / GRAIN + 4 * (power - FINE_MAX.ilog2() as usize) + quarter
}

/// How large the blocks of a list are.
#[inline]
fn size_of(class: usize) -> usize {
    match class.checked_sub(FINE_MAX / GRAIN) {
        None => (class + 1) * GRAIN,
        Some(coarse) => (5 + coarse % 4) << (FINE_MAX.ilog2() as usize - 2 + coarse / 4),
    }
}

/// A free block: where the next one of its list is.
struct Free(*mut Free);

/// All memory that was asked for.
struct Memory {
    free: [*mut Free; CLASSES],
    /// What hasn't been used yet, up to `end`.
    fresh: usize,
    end: usize,
}

impl Memory {
    const fn new() -> Memory {
        Memory { free: [ptr::null_mut(); CLASSES], fresh: 0, end: 0 }
    }

    /// A block for `layout`, or null.
    #[inline]
    fn take(&mut self, layout: Layout) -> *mut u8 {
        let class = class_of(layout.size());
        let block = self.free[class];
        if block.is_null() || layout.align() > GRAIN {
            return self.carve(size_of(class), layout.align().max(GRAIN));
        }
        // SAFETY: only `give` puts blocks into a list, and nobody has had this one since.
        self.free[class] = unsafe { (*block).0 };
        block.cast()
    }

    /// Takes back what `take` gave for `layout`.
    ///
    /// # Safety
    /// It is a block from `take` for a layout of this size, and nobody uses it any more.
    #[inline]
    unsafe fn give(&mut self, block: *mut u8, layout: Layout) {
        let (class, block) = (class_of(layout.size()), block.cast::<Free>());
        // SAFETY: a block has room for this, is aligned, and is ours again.
        unsafe { block.write(Free(self.free[class])) };
        self.free[class] = block;
    }

    /// Memory that hasn't been used yet, or null where there is no more.
    #[cold]
    #[inline(never)]
    fn carve(&mut self, size: usize, align: usize) -> *mut u8 {
        let start_in = |fresh: usize| fresh.next_multiple_of(align);
        let fits = |start: usize, end: usize| start.checked_add(size).is_some_and(|after| after <= end);
        if self.fresh == 0 || !fits(start_in(self.fresh), self.end) {
            let Some(asked) = size.checked_add(align) else { return ptr::null_mut() };
            let Some((from, to)) = more(asked.max(REGION)) else { return ptr::null_mut() };
            // Usually it goes on where the last one ended.
            if from != self.end {
                self.fresh = from;
            }
            self.end = to;
        }
        let start = start_in(self.fresh);
        self.fresh = start + size;
        start as *mut u8
    }
}

/// At least so many bytes, from where to where.
#[cfg(target_arch = "wasm32")]
fn more(bytes: usize) -> Option<(usize, usize)> {
    const PAGE: usize = 1 << 16;
    let pages = bytes.div_ceil(PAGE);
    let before = core::arch::wasm32::memory_grow(0, pages);
    // The last page of all is left alone: its end is no address.
    let after = before.checked_add(pages)?.checked_mul(PAGE)?;
    Some((before * PAGE, after))
}

#[cfg(target_arch = "wasm32")]
mod global {
    use super::{Memory, class_of};
    use std::alloc::{GlobalAlloc, Layout};
    use std::cell::UnsafeCell;

    struct Allocator(UnsafeCell<Memory>);

    #[cfg(target_feature = "atomics")]
    compile_error!("this allocator is for one thread");

    // SAFETY: there is one thread.
    unsafe impl Sync for Allocator {}

    #[global_allocator]
    static ALLOCATOR: Allocator = Allocator(UnsafeCell::new(Memory::new()));

    // SAFETY: a block from `take` is large enough, aligned, and nobody else's until it is given back. Nothing in `Memory` allocates or
    // panics, so that no two of these references to it are ever alive.
    unsafe impl GlobalAlloc for Allocator {
        #[inline]
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            unsafe { (*self.0.get()).take(layout) }
        }

        #[inline]
        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            unsafe { (*self.0.get()).give(block, layout) }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            if class_of(size) == class_of(layout.size()) {
                return block;
            }
            unsafe {
                let other = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                if !other.is_null() {
                    other.copy_from_nonoverlapping(block, layout.size().min(size));
                    self.dealloc(block, layout);
                }
                other
            }
        }
    }
}

/// For the tests.
#[cfg(not(target_arch = "wasm32"))]
fn more(bytes: usize) -> Option<(usize, usize)> {
    let from = Vec::leak(Vec::<u8>::with_capacity(bytes)).as_mut_ptr() as usize;
    Some((from, from + bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_block_is_large_enough_and_no_more_than_a_quarter_larger() {
        for size in (1..5_000).chain((12..30).flat_map(|power| (1 << power) - 2..(1 << power) + 3)) {
            let block = size_of(class_of(size));
            assert!(block >= size && block.is_multiple_of(GRAIN), "{size} bytes in {block}");
            assert!(block - size < GRAIN.max(size / 4 + 1), "{size} bytes in {block}");
            assert_eq!(class_of(block), class_of(size));
        }
        assert_eq!(class_of(0), 0);
        assert!(class_of((1 << 31) - 1) == CLASSES - 1);
    }

    #[test]
    fn blocks_in_use_never_overlap_and_are_aligned() {
        let mut memory = Memory::new();
        let mut used: BTreeMap<usize, Layout> = BTreeMap::new();
        let mut dice = 7_u64;
        let mut roll = |sides: u64| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % sides
        };
        for _ in 0..20_000 {
            if roll(3) > 0 {
                let size = if roll(50) == 0 { roll(300_000) } else { roll(400) } as usize;
                let layout = Layout::from_size_align(size, 1 << roll(7)).unwrap();
                let start = memory.take(layout) as usize;
                assert!(start.is_multiple_of(layout.align()) && start.is_multiple_of(GRAIN));
                let before = used.range(..=start).next_back();
                assert!(before.is_none_or(|(from, other)| from + size_of(class_of(other.size())) <= start));
                let after = used.range(start..).next();
                assert!(after.is_none_or(|(from, _)| start + size_of(class_of(size)) <= *from));
                // It can be written, and so can what lies around it.
                unsafe { ptr::write_bytes(start as *mut u8, 0xa5, size) };
                used.insert(start, layout);
            } else if let Some((&start, &layout)) = used.range(roll(u64::MAX >> 33) as usize..).next() {
                used.remove(&start);
                unsafe { memory.give(start as *mut u8, layout) };
            }
        }
    }

    #[test]
    fn what_is_given_back_is_used_again() {
        let mut memory = Memory::new();
        let layout = Layout::from_size_align(40, 8).unwrap();
        let first = memory.take(layout);
        let second = memory.take(layout);
        assert_ne!(first, second);
        unsafe { memory.give(first, layout) };
        assert_eq!(memory.take(Layout::from_size_align(48, 16).unwrap()), first);
        let other = memory.take(Layout::from_size_align(49, 8).unwrap());
        assert!(other != first && other != second);
    }
}
