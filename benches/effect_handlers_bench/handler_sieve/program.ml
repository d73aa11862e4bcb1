(* Clauses that perform again, outside, what they do not divide. *)

open Effect
open Effect.Deep

type _ Effect.t += Prime : int -> bool Effect.t

let answering prime program =
  let effc : type a. a Effect.t -> ((a, int) continuation -> int) option =
    function Prime number -> Some (fun (k : (bool, int) continuation) -> continue k (prime number)) | _ -> None
  in
  try_with program () { effc }

let rec primes number over total =
  if number >= over then total
  else if perform (Prime number) then
    answering
      (fun other -> other mod number <> 0 && perform (Prime other))
      (fun () -> primes (number + 1) over (total + number))
  else primes (number + 1) over total

let main n = answering (fun _ -> true) (fun () -> primes 2 n 0)
let () = Timed.main main
