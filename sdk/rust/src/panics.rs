//! A panic's last words go to the host's log, where somebody reads them.

/// Installs the hook in a component. Natively the test runner's own hook stays; without `std` there is no hook, but
/// the handler below.
pub(crate) fn install() {
    #[cfg(all(target_family = "wasm", feature = "std"))]
    {
        use alloc::boxed::Box;
        use alloc::string::ToString;

        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            std::panic::set_hook(Box::new(|info| crate::log::error(&info.to_string())));
        });
    }
}

#[cfg(all(target_family = "wasm", not(feature = "std")))]
#[panic_handler]
fn last_words(info: &core::panic::PanicInfo<'_>) -> ! {
    crate::log::error(&alloc::string::ToString::to_string(info));
    core::arch::wasm32::unreachable()
}
