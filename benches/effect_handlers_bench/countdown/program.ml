(* Two clauses around a variable. *)

open Effect
open Effect.Deep

type _ Effect.t += Get : int Effect.t | Put : int -> unit Effect.t

let rec countdown () =
  match perform Get with
  | 0 -> 0
  | n ->
      perform (Put (n - 1));
      countdown ()

let main n =
  let cell = ref n in
  let effc : type a. a Effect.t -> ((a, int) continuation -> int) option =
    function
    | Get -> Some (fun (k : (int, int) continuation) -> continue k !cell)
    | Put value ->
        Some
          (fun k ->
            cell := value;
            continue k ())
    | _ -> None
  in
  try_with countdown () { effc }

let () = Timed.main main
