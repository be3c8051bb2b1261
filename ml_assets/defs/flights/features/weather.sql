-- The hourly reading at the origin, as it was known two hours before departure.
SELECT
    origin,
    time_hour AS event_timestamp,
    known_at,
    temp AS temp_f, dewp AS dew_point_f, humid AS humidity_pct, wind_dir AS wind_dir_deg,
    wind_speed AS wind_speed_mph, wind_gust AS wind_gust_mph, precip AS precip_in,
    pressure AS pressure_mbar, visib AS visibility_miles
FROM weather
