(* A clause around a sum. *)

open Effect
open Effect.Deep

type _ Effect.t += Emit : int -> unit Effect.t

let numbers n =
  for number = 0 to n do
    perform (Emit number)
  done

let main n =
  let total = ref 0 in
  let effc : type a. a Effect.t -> ((a, unit) continuation -> unit) option =
    function
    | Emit value ->
        Some
          (fun k ->
            total := !total + value;
            continue k ())
    | _ -> None
  in
  try_with numbers n { effc };
  !total

let () = Timed.main main
