(* Three handlers; the one in the middle drops its continuation. *)

open Effect
open Effect.Deep

type _ Effect.t += Read : int Effect.t | Emit : int -> unit Effect.t | Stop : unit Effect.t

let newline = 10
let dollar = 36

let rec parse dollars =
  let character = perform Read in
  if character = dollar then parse (dollars + 1)
  else if character = newline then (
    perform (Emit dollars);
    parse 0)
  else perform Stop

let feed lines program =
  let line = ref 0 and left = ref 0 in
  let effc : type a. a Effect.t -> ((a, unit) continuation -> unit) option =
    function
    | Read ->
        Some
          (fun k ->
            if !line > lines then perform Stop
            else if !left = 0 then (
              incr line;
              left := !line;
              continue k newline)
            else (
              decr left;
              continue k dollar))
    | _ -> None
  in
  try_with program 0 { effc }

let catch program =
  let effc : type a. a Effect.t -> ((a, unit) continuation -> unit) option =
    function Stop -> Some (fun _ -> ()) | _ -> None
  in
  try_with program () { effc }

let sum program =
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
  try_with program () { effc };
  !total

let main n = sum (fun () -> catch (fun () -> feed n parse))
let () = Timed.main main
