//! The allocator of a component without `std`.

use alloc::alloc::{Layout, alloc, handle_alloc_error, realloc};
use core::ptr;

use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

#[allow(unsafe_code, reason = "a component has one thread, which is all that this allocator asks")]
#[global_allocator]
static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator> =
    unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };

#[allow(unsafe_code, reason = "compiled code compares memory by the C library, which `std` would have linked")]
#[link(name = "c")]
unsafe extern "C" {}

/// Where the host puts what it hands over. The C library's own would take from another allocator than frees it.
#[allow(unsafe_code, reason = "what the component model asks of every component that takes lists")]
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_length: usize, alignment: usize, length: usize) -> *mut u8 {
    if length == 0 {
        return ptr::without_provenance_mut(alignment);
    }
    // SAFETY: the host hands over what it got from here, and alignments that the component model knows.
    let (memory, layout) = unsafe {
        if old_length == 0 {
            let layout = Layout::from_size_align_unchecked(length, alignment);
            (alloc(layout), layout)
        } else {
            let layout = Layout::from_size_align_unchecked(old_length, alignment);
            (realloc(old, layout, length), layout)
        }
    };
    if memory.is_null() {
        handle_alloc_error(layout);
    }
    memory
}
