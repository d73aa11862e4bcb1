use segue::core::frame::Continuation;

fn second(k: &Continuation) -> Continuation {
    Clone::clone(k)
}

fn main() {
    let _ = second;
}
