//! A panic's last words go to the host's log, where somebody reads them.

/// Installs the hook in a component. Natively the test runner's own hook stays.
pub(crate) fn install() {
    #[cfg(target_family = "wasm")]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            std::panic::set_hook(Box::new(|info| crate::log::error(&info.to_string())))
        });
    }
}
