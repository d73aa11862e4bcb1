//! Tells the binding which interpreter it is built for: `cfg(Py_GIL_DISABLED)` and the versions.

fn main() {
    #[cfg(feature = "python")]
    pyo3_build_config::use_pyo3_cfgs();
    println!("cargo::rerun-if-changed=build.rs");
}
