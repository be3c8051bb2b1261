-- After each landing: how late the carrier has been.
SELECT DISTINCT
    carrier,
    arr_at AS event_timestamp,
    arr_at AS known_at,
    avg(arr_delay) OVER last_6h AS carrier_arr_delay_6h,
    avg(arr_delay) OVER last_7d AS carrier_arr_delay_7d,
    stddev(arr_delay) OVER last_7d AS carrier_arr_delay_std_7d
FROM flights
WHERE arr_at IS NOT NULL
WINDOW
    last_6h AS (PARTITION BY carrier ORDER BY arr_at RANGE BETWEEN INTERVAL 6 HOUR PRECEDING AND CURRENT ROW),
    last_7d AS (PARTITION BY carrier ORDER BY arr_at RANGE BETWEEN INTERVAL 7 DAY PRECEDING AND CURRENT ROW)
