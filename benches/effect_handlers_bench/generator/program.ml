(* The clause hands its continuation to the consumer, who resumes it when it wants more. *)

open Effect
open Effect.Deep

type tree = Empty | Node of tree * int * tree
type _ Effect.t += Yield : int -> unit Effect.t
type drawn = Over | Drawn of int * (unit, drawn) continuation

let rec tree height =
  if height = 0 then Empty
  else
    let side = tree (height - 1) in
    Node (side, height, side)

let rec walk = function
  | Empty -> ()
  | Node (left, value, right) ->
      walk left;
      perform (Yield value);
      walk right

let draw root =
  let effc : type a. a Effect.t -> ((a, drawn) continuation -> drawn) option =
    function Yield value -> Some (fun k -> Drawn (value, k)) | _ -> None
  in
  match_with walk root { retc = (fun () -> Over); exnc = raise; effc }

let rec add total = function Over -> total | Drawn (value, rest) -> add (total + value) (continue rest ())
let main n = add 0 (draw (tree n))
let () = Timed.main main
