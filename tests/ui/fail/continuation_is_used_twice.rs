use segue::core::frame::Continuation;

fn twice(k: Continuation) -> (Continuation, Continuation) {
    (k, k)
}

fn main() {
    let _ = twice;
}
