//! Memory for the end. When there is none left, Rust ends the process at the next small allocation, and unwinding needs
//! many: an entry of the traceback for each frame, room to be dropped in. Address space is kept that nothing is written
//! to. Most of it is given back at the first `MemoryError` of a run, or at the first small allocation that fails, of
//! which the run is told at its next look around; the rest when the result is made. The next run takes it again.
#![expect(unsafe_code, reason = "an allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What is larger is refused, and the reserve stays for what cannot be: the machine asks before it grows by much.
const SMALL: usize = 1 << 20;

/// Address space that nothing is written to; so large that the system has it back as soon as it is given back.
struct Block {
    held: AtomicPtr<u8>,
    layout: Layout,
}

/// For unwinding.
static UNWINDING: Block = Block::of(32 << 20);
/// For the result, when unwinding has used up what it had.
static RESULT: Block = Block::of(4 << 20);

thread_local! {
    /// This thread lives on the reserve, and its run does not know.
    static SHORT: Cell<bool> = const { Cell::new(false) };
}

impl Block {
    const fn of(bytes: usize) -> Self {
        match Layout::from_size_align(bytes, 4096) {
            Ok(layout) => Self { held: AtomicPtr::new(ptr::null_mut()), layout },
            Err(_) => panic!("a block has a layout"),
        }
    }

    fn is_held(&self) -> bool {
        !self.held.load(Ordering::Relaxed).is_null()
    }

    /// Where there is so little left, the run does without.
    fn take(&self) {
        // SAFETY: the layout has a size.
        let block = unsafe { System.alloc(self.layout) };
        if self.held.compare_exchange(ptr::null_mut(), block, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            self.free(block);
        }
    }

    /// Whether it was there.
    fn release(&self) -> bool {
        let block = self.held.swap(ptr::null_mut(), Ordering::AcqRel);
        self.free(block);
        !block.is_null()
    }

    fn free(&self, block: *mut u8) {
        if !block.is_null() {
            // SAFETY: it was allocated with this layout, and whoever took it out of its place is its only owner.
            unsafe { System.dealloc(block, self.layout) };
        }
    }
}

/// Takes the reserve, if it is not there.
pub fn hold() {
    if !(UNWINDING.is_held() && RESULT.is_held()) {
        take();
    }
}

#[cold]
fn take() {
    SHORT.set(false);
    for block in [&RESULT, &UNWINDING] {
        if !block.is_held() {
            block.take();
        }
    }
}

/// Gives the most of it back to those who need memory now; whether it was there.
#[cold]
pub fn release() -> bool {
    UNWINDING.release()
}

/// Gives the rest back, when there is only the rest.
pub fn release_rest() {
    if !UNWINDING.is_held() {
        RESULT.release();
    }
}

/// Whether an allocation of this thread needed the reserve; asked once, it is told once.
pub fn take_short() -> bool {
    SHORT.replace(false)
}

/// The system's allocator, and the reserve behind it.
struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

impl Allocator {
    #[cold]
    fn without(size: usize, again: impl FnOnce() -> *mut u8) -> *mut u8 {
        if size > SMALL || !release() {
            return ptr::null_mut();
        }
        SHORT.set(true);
        again()
    }
}

// SAFETY: every block comes from the system's allocator, and goes back to it with the layout that the caller promises to
// be its own. Nothing here panics, and nothing allocates: the thread's flag is a constant without a destructor.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let allocate = || unsafe { System.alloc(layout) };
        let block = allocate();
        if block.is_null() { Self::without(layout.size(), allocate) } else { block }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let allocate = || unsafe { System.alloc_zeroed(layout) };
        let block = allocate();
        if block.is_null() { Self::without(layout.size(), allocate) } else { block }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise; after a failure the block is as it was.
        let grow = || unsafe { System.realloc(block, layout, size) };
        let grown = grow();
        if grown.is_null() { Self::without(size, grow) } else { grown }
    }
}
