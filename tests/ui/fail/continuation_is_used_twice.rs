use segue::core::frame::Continuation;

fn resume(_: Continuation) {}

fn twice(k: Continuation) {
    resume(k);
    resume(k);
}

fn main() {
    let _ = twice;
}
