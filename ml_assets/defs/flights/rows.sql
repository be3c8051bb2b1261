-- One row per scheduled flight, scored two hours before it is due to leave.
SELECT
    carrier, flight, origin, dest, sched_dep_at,
    tailnum,
    sched_dep_at - INTERVAL 2 HOUR AS event_timestamp,
    carrier AS carrier_code,
    origin AS origin_code,
    dest AS dest_code,
    distance AS distance_miles,
    hour + minute / 60 AS dep_hour,
    extract('hour' FROM sched_arr_at) + extract('minute' FROM sched_arr_at) / 60 AS arr_hour_utc,
    epoch(sched_arr_at - sched_dep_at) / 60 AS scheduled_minutes,
    dayofweek(timezone('America/New_York', sched_dep_at)) AS day_of_week
FROM flights
WHERE sched_dep_at >= getvariable('window_start') AND sched_dep_at < getvariable('window_end')
