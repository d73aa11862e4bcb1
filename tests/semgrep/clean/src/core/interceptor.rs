// What `interceptor-registry-holds-no-execution-state` must let pass.

pub struct Interceptor<W: World> {
    // ok: interceptor-registry-holds-no-execution-state
    id: InterceptorId,
    function: W::Value,
}

/// What a segment skips: positional, and copied to the segments that it opens.
pub struct Guards {
    // ok: interceptor-registry-holds-no-execution-state
    skipped: Vec<InterceptorId>,
}
