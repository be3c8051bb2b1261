-- After each landing: how late flights to the destination have been.
SELECT DISTINCT
    dest,
    arr_at AS event_timestamp,
    arr_at AS known_at,
    avg(arr_delay) OVER last_6h AS dest_arr_delay_6h,
    avg(arr_delay) OVER last_7d AS dest_arr_delay_7d
FROM flights
WHERE arr_at IS NOT NULL
WINDOW
    last_6h AS (PARTITION BY dest ORDER BY arr_at RANGE BETWEEN INTERVAL 6 HOUR PRECEDING AND CURRENT ROW),
    last_7d AS (PARTITION BY dest ORDER BY arr_at RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW)
