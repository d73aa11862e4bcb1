// What `interceptor-registry-holds-no-execution-state` must flag.

pub struct InterceptorState<W: World> {
    entries: Vec<Entry<W>>,
    // ruleid: interceptor-registry-holds-no-execution-state
    eval_depth: u32,
    // ruleid: interceptor-registry-holds-no-execution-state
    skip_stack: Vec<InterceptorId>,
    // ruleid: interceptor-registry-holds-no-execution-state
    active: bool,
}

pub struct Interceptor<W: World> {
    function: W::Value,
    // ruleid: interceptor-registry-holds-no-execution-state
    running: bool,
}
