use segue::core::host::World;

fn both<W: World>(error: W::Error) -> (W::Error, W::Error) {
    (error, error)
}

fn main() {}
