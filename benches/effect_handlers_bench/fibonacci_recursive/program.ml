(* A function that calls itself. *)

let rec fibonacci n = if n < 2 then n else fibonacci (n - 1) + fibonacci (n - 2)
let () = Timed.main fibonacci
