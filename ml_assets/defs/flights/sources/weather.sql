-- One reading (1,048 mph) is a typing error; an hour's reading is known once the hour is over.
SELECT
    * REPLACE (CASE WHEN wind_speed < 200 THEN wind_speed END AS wind_speed),
    time_hour + INTERVAL 1 HOUR AS known_at
FROM delivered
