(* A clause that goes on after it has resumed. *)

open Effect
open Effect.Deep

type _ Effect.t += Operator : int -> unit Effect.t

let operator x y = abs (x - (503 * y) + 37) mod 1009

let loop n seed =
  for number = n downto 1 do
    perform (Operator number)
  done;
  seed

let folded n seed =
  let effc : type a. a Effect.t -> ((a, int) continuation -> int) option =
    function Operator number -> Some (fun k -> operator number (continue k ())) | _ -> None
  in
  try_with (loop n) seed { effc }

let main n =
  let seed = ref 0 in
  for _ = 1 to 1000 do
    seed := folded n !seed
  done;
  !seed

let () = Timed.main main
