-- After each landing: the carrier's record on the route; `made_up` is flown minus scheduled time.
SELECT DISTINCT
    carrier, origin, dest,
    arr_at AS event_timestamp,
    arr_at AS known_at,
    avg(arr_delay) OVER last_7d AS route_arr_delay_7d,
    avg(arr_delay) OVER last_28d AS route_arr_delay_28d,
    avg(arr_delay - dep_delay) OVER last_28d AS route_made_up_28d,
    count(*) OVER last_28d AS route_flights_28d
FROM flights
WHERE arr_at IS NOT NULL
WINDOW
    last_7d AS (
        PARTITION BY carrier, origin, dest ORDER BY arr_at RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW
    ),
    last_28d AS (
        PARTITION BY carrier, origin, dest ORDER BY arr_at RANGE BETWEEN INTERVAL 28 DAY PRECEDING AND CURRENT ROW
    )
