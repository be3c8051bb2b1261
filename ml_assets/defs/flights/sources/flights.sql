-- Adds the instants (UTC) that the airline's local clock times stand for.
-- sched_arr_time is the clock at the DESTINATION; the four airports that `airports` lacks
-- (BQN, PSE, SJU, STT) all keep Atlantic Standard Time.
WITH scheduled AS (
    SELECT
        delivered.*,
        time_hour + to_minutes(minute) AS sched_dep_at,
        coalesce(airports.tzone, 'America/Puerto_Rico') AS dest_zone
    FROM delivered
    LEFT JOIN airports ON airports.faa = delivered.dest
),
clocks AS (
    SELECT
        *,
        timezone(dest_zone, sched_dep_at) AS dep_clock,
        date_trunc('day', timezone(dest_zone, sched_dep_at))
            + to_minutes((sched_arr_time // 100) * 60 + sched_arr_time % 100) AS arr_clock
    FROM scheduled
),
arrivals AS (
    SELECT
        *,
        -- An arrival clock that reads earlier than the departure means the next day.
        timezone(dest_zone, CASE WHEN arr_clock < dep_clock THEN arr_clock + INTERVAL 1 DAY ELSE arr_clock END)
            AS sched_arr_at
    FROM clocks
)
SELECT
    * EXCLUDE (dest_zone, dep_clock, arr_clock),
    sched_dep_at + to_minutes(dep_delay::BIGINT) AS dep_at,
    sched_arr_at + to_minutes(arr_delay::BIGINT) AS arr_at
FROM arrivals
