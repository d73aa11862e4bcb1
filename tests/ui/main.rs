//! What must not compile: the machine's laws that are held by types. Laws: semantics 3 (one owner, one use);
//! architecture, rule 4 (no `Clone` bound, no Python in the core).
//!
//! Each file in `fail` has the compiler's words beside it; after a new compiler, look at them and bless them with
//! `TRYBUILD=overwrite cargo test --no-default-features --test ui`.

#[test]
#[cfg_attr(miri, ignore = "starts compilers")]
fn what_breaks_a_law_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/fail/continuation_is_used_twice.rs");
    cases.compile_fail("tests/ui/fail/continuation_is_cloned.rs");
    cases.compile_fail("tests/ui/fail/value_is_cloned_without_the_host.rs");
    cases.compile_fail("tests/ui/fail/error_is_copied_without_the_host.rs");
    if cfg!(not(feature = "python")) {
        cases.compile_fail("tests/ui/fail/core_names_pyo3.rs");
    }
}
