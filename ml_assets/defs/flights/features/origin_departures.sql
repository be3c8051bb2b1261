-- After each departure: how late the airport has been running.
SELECT DISTINCT
    origin,
    dep_at AS event_timestamp,
    dep_at AS known_at,
    avg(dep_delay) OVER last_1h AS origin_dep_delay_1h,
    avg(dep_delay) OVER last_3h AS origin_dep_delay_3h,
    avg(dep_delay) OVER last_24h AS origin_dep_delay_24h,
    avg((dep_delay > 15)::INT) OVER last_3h AS origin_late_share_3h,
    count(*) OVER last_3h AS origin_departures_3h
FROM flights
WHERE dep_at IS NOT NULL
WINDOW
    last_1h AS (PARTITION BY origin ORDER BY dep_at RANGE BETWEEN INTERVAL 1 HOUR PRECEDING AND CURRENT ROW),
    last_3h AS (PARTITION BY origin ORDER BY dep_at RANGE BETWEEN INTERVAL 3 HOUR PRECEDING AND CURRENT ROW),
    last_24h AS (PARTITION BY origin ORDER BY dep_at RANGE BETWEEN INTERVAL 24 HOUR PRECEDING AND CURRENT ROW)
