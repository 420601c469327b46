//! What went wrong, as the exceptions that `pfcluster.errors` defines. Nothing else raises them.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pfcluster_cli::host::HostError;
use pyo3::prelude::*;

mod exceptions {
    // The macro's types have no documentation of their own: their home is python/pfcluster/errors.py.
    #![allow(missing_docs)]

    use pyo3::import_exception;

    import_exception!(pfcluster.errors, EditError);
    import_exception!(pfcluster.errors, GenerateError);
    import_exception!(pfcluster.errors, HostError);
    import_exception!(pfcluster.errors, InputError);
    import_exception!(pfcluster.errors, InternalError);
    import_exception!(pfcluster.errors, InvalidConfigurationError);
    import_exception!(pfcluster.errors, MemberError);
    import_exception!(pfcluster.errors, NotAMemberError);
    import_exception!(pfcluster.errors, UnreadableStateError);
}

pub(crate) use exceptions::{
    EditError, GenerateError, InvalidConfigurationError, MemberError, NotAMemberError, UnreadableStateError,
};

/// An argument that makes no sense.
pub(crate) fn input(message: impl Into<String>, help: impl Into<String>) -> PyErr {
    exceptions::InputError::new_err((message.into(), help.into()))
}

/// What the host would not do.
pub(crate) fn host(error: &HostError) -> PyErr {
    exceptions::HostError::new_err((error.to_string(), error.help().to_owned(), error.kind()))
}

thread_local! {
    /// Where this thread panicked last.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Notes where a panic was instead of printing it: [`guarded`] makes an exception of it.
pub(crate) fn keep_panics_quiet() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        // A thread that ends has no place to note it, and nobody who reads it.
        let _ = PLACE.try_with(|slot| slot.replace(place));
    }));
}

/// What `work` returns. A panic, which is a fault of pfcluster's own, becomes an `InternalError`.
pub(crate) fn guarded<T>(work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let said = payload.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message");
        let place = PLACE.with(RefCell::take).unwrap_or_else(|| "an unknown place".to_owned());
        let help = "this is a fault of pfcluster: please report it, with what was asked";
        Err(exceptions::InternalError::new_err((format!("{said} (at {place})"), help)))
    })
}

/// Panics, so that the tests can see what becomes of it.
#[pyfunction]
pub(crate) fn _panic(message: &str) -> PyResult<()> {
    guarded(|| panic!("{message}"))
}
