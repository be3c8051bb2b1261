-- After each landing: the record of the flight number.
SELECT DISTINCT
    carrier, flight,
    arr_at AS event_timestamp,
    arr_at AS known_at,
    avg(arr_delay) OVER last_28d AS flight_arr_delay_28d
FROM flights
WHERE arr_at IS NOT NULL
WINDOW last_28d AS (
    PARTITION BY carrier, flight ORDER BY arr_at RANGE BETWEEN INTERVAL 28 DAY PRECEDING AND CURRENT ROW
)
