-- After each departure of an aircraft, and at the start of each window: what it is, and how late it last left.
WITH departures AS (
    SELECT tailnum, dep_at, max(dep_delay) AS dep_delay
    FROM flights
    WHERE dep_at IS NOT NULL AND tailnum IS NOT NULL
    GROUP BY tailnum, dep_at
),
moments AS (
    SELECT tailnum, dep_at AS event_timestamp, dep_delay FROM departures
    UNION ALL
    SELECT planes.tailnum, getvariable('window_start'), arg_max(dep_delay, dep_at)
    FROM planes
    LEFT JOIN departures
        ON departures.tailnum = planes.tailnum
        AND dep_at < getvariable('window_start')
        AND dep_at >= getvariable('window_start') - INTERVAL 7 DAY
    GROUP BY planes.tailnum
)
SELECT
    tailnum,
    event_timestamp,
    event_timestamp AS known_at,
    moments.dep_delay AS aircraft_last_dep_delay,
    date_part('year', getvariable('window_start')) - planes.year AS aircraft_age_years,
    planes.seats AS aircraft_seats,
    planes.manufacturer AS aircraft_manufacturer
FROM moments
LEFT JOIN planes USING (tailnum)
QUALIFY row_number() OVER (PARTITION BY tailnum, event_timestamp ORDER BY moments.dep_delay DESC NULLS LAST) = 1
