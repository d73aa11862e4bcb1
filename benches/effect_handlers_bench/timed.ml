(* What each program in OCaml is measured with: the input and the seconds are arguments; printed are what it came to,
   and the nanoseconds of CPU time of its fastest round. *)

let least_rounds = 5

let main program =
  let n = int_of_string Sys.argv.(1) and seconds = float_of_string Sys.argv.(2) in
  let answer = program n in
  let fastest = ref infinity and rounds = ref 0 in
  let over = Sys.time () +. seconds in
  while !rounds < least_rounds || Sys.time () < over do
    let begun = Sys.time () in
    if program n <> answer then failwith "a round came to something else";
    fastest := min !fastest (Sys.time () -. begun);
    incr rounds
  done;
  Printf.printf "%d %.0f\n" answer (!fastest *. 1e9)
