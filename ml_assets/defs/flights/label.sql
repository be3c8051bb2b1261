-- Known when the aircraft is at the gate; cancelled and diverted flights never get a label.
SELECT carrier, flight, origin, dest, sched_dep_at, arr_delay, arr_at AS known_at
FROM flights
WHERE arr_delay IS NOT NULL
  AND sched_dep_at >= getvariable('window_start') AND sched_dep_at < getvariable('window_end')
