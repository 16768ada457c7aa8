//! The plugin's memory: a list of free blocks in the order of their addresses, the first that fits is taken.
//!
//! A general allocator such as `dlmalloc` is 6 KB of the plugin and pays off with many blocks and threads. Here one
//! device lives in one or two pages. Neighbours are joined at once, and what is taken comes from a block's end, so
//! the short-lived stays above the long-lived and the list stays short; the tests measure that.
//!
//! Nothing is written into a block in use: its size comes back with it, as Rust's allocator interface has it. This
//! file has no `unsafe`: the words of the memory are behind [`Words`], so that tests run it over a vector.

/// The memory, word by word.
pub(super) trait Words {
    fn read(&self, at: usize) -> usize;
    fn write(&mut self, at: usize, word: usize);
    /// Asks for at least so many more bytes: where they begin, and how many they are.
    fn more(&mut self, bytes: usize) -> Option<(usize, usize)>;
}

/// A free block begins with the address of the next (0: none) and its own size, so no block is smaller than both.
const UNIT: usize = 8;
const SIZE: usize = 4;

/// The list begins at `first`; what is not in it is in use.
#[derive(Debug)]
pub(super) struct Heap<W> {
    pub(super) words: W,
    first: usize,
}

impl<W: Words> Heap<W> {
    pub(super) const fn new(words: W) -> Self {
        Self { words, first: 0 }
    }

    /// The address of a block for `size` bytes, a multiple of 8; 0 if there is no memory.
    pub(super) fn take(&mut self, size: usize) -> usize {
        let size = rounded(size);
        loop {
            let (mut before, mut at) = (0, self.first);
            while at != 0 {
                let found = self.words.read(at + SIZE);
                if found > size {
                    self.words.write(at + SIZE, found - size);
                    return at + found - size;
                }
                let next = self.words.read(at);
                if found == size {
                    self.link(before, next);
                    return at;
                }
                (before, at) = (at, next);
            }
            match self.words.more(size) {
                Some((at, size)) => self.give_back(at, size),
                None => return 0,
            }
        }
    }

    /// Takes back what [`Heap::take`] gave for the same `size`.
    pub(super) fn give_back(&mut self, at: usize, size: usize) {
        let mut size = rounded(size);
        let (mut before, mut next) = (0, self.first);
        while next != 0 && next < at {
            (before, next) = (next, self.words.read(next));
        }
        if at + size == next {
            size += self.words.read(next + SIZE);
            next = self.words.read(next);
        }
        let size_before = if before == 0 { 0 } else { self.words.read(before + SIZE) };
        if before != 0 && before + size_before == at {
            self.words.write(before, next);
            self.words.write(before + SIZE, size_before + size);
        } else {
            self.words.write(at, next);
            self.words.write(at + SIZE, size);
            self.link(before, at);
        }
    }

    fn link(&mut self, before: usize, next: usize) {
        if before == 0 {
            self.first = next;
        } else {
            self.words.write(before, next);
        }
    }
}

/// Requests beyond half of the address space come out as what nobody has.
fn rounded(size: usize) -> usize {
    size.max(1).checked_next_multiple_of(UNIT).unwrap_or(usize::MAX & !(UNIT - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use alloc::vec::Vec;

    const PAGE: usize = 4096;

    /// Pages of words, from address 8 on.
    struct Pages {
        words: Vec<usize>,
        most: usize,
    }

    impl Words for Pages {
        fn read(&self, at: usize) -> usize {
            assert_eq!(at % 4, 0);
            self.words[at / 4]
        }

        fn write(&mut self, at: usize, word: usize) {
            assert_eq!(at % 4, 0);
            self.words[at / 4] = word;
        }

        fn more(&mut self, bytes: usize) -> Option<(usize, usize)> {
            let (at, size) = (self.words.len() * 4, bytes.checked_next_multiple_of(PAGE)?);
            if at + size > self.most {
                return None;
            }
            self.words.resize((at + size) / 4, 0);
            Some((at, size))
        }
    }

    fn heap(most: usize) -> Heap<Pages> {
        Heap::new(Pages { words: alloc::vec![0; 2], most })
    }

    #[test]
    fn blocks_in_use_never_overlap_and_all_of_it_comes_back() {
        let mut rng = Rng::new([7; 32]);
        let mut heap = heap(1 << 20);
        let mut used: Vec<(usize, usize)> = Vec::new();
        for _ in 0..20_000 {
            if used.is_empty() || (used.len() < 60 && rng.u64().is_multiple_of(2)) {
                let size = rng.between(1, 700) as usize;
                let at = heap.take(size);
                assert!(at != 0 && at.is_multiple_of(8));
                assert!(used.iter().all(|&(a, s)| at + size <= a || a + s <= at));
                used.push((at, size));
            } else {
                let (at, size) = used.swap_remove(rng.u64() as usize % used.len());
                heap.give_back(at, size);
            }
        }
        // At most 60 blocks of 350 bytes on average: twice that is room enough for the gaps.
        assert!(heap.words.words.len() * 4 <= 2 * 60 * 350, "{}", heap.words.words.len() * 4);
        for (at, size) in used {
            heap.give_back(at, size);
        }
        // One block again, from the first byte to the last.
        assert_eq!((heap.first, heap.words.read(8)), (8, 0));
        assert_eq!(heap.words.read(8 + SIZE), heap.words.words.len() * 4 - 8);
    }

    #[test]
    fn no_memory_is_said_and_changes_nothing() {
        let mut heap = heap(2 * PAGE);
        let at = heap.take(100);
        assert_eq!(heap.take(3 * PAGE), 0);
        assert_eq!(heap.take(usize::MAX), 0);
        assert_ne!(heap.take(100), 0);
        assert_ne!(at, 0);
    }
}
