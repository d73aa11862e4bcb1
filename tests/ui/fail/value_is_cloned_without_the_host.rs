use segue::core::host::World;

fn second<W: World>(value: &W::Value) -> W::Value {
    Clone::clone(value)
}

fn main() {}
