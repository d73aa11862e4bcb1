(* An exception: what never resumes is no effect in OCaml. *)

exception Done of int

let numbers = List.init 1001 (fun place -> 1000 - place)

let rec product = function
  | [] -> 0
  | 0 :: _ -> raise (Done 0)
  | number :: rest -> number * product rest

let early () = match product numbers with value -> value | exception Done value -> value

let main n =
  let total = ref 0 in
  for _ = 1 to n do
    total := !total + early ()
  done;
  !total

let () = Timed.main main
