//! The Python module `pfcluster._native`: thin over pfcluster-core, no logic of its own.

use pyo3::prelude::*;

/// pfcluster's core, for Python.
#[pymodule]
mod _native {
    use pyo3::prelude::*;

    /// Adds what is known when the module is loaded.
    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("NEWEST_PACKETFENCE", pfcluster_core::version::PfVersion::NEWEST.to_string())
    }
}
