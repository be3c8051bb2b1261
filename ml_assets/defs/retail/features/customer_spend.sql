-- What the customer spent (GBP), as of the end of the window, less what was returned.
WITH valued AS (
    SELECT
        customer_id, invoice, quantity * price AS gbp,
        epoch(getvariable('window_end') - invoice_at) / 86400 AS age_days
    FROM lines
    WHERE invoice_at >= getvariable('window_start') - INTERVAL 365 DAY
)
SELECT
    customer_id,
    getvariable('window_last') AS event_timestamp,
    getvariable('window_last') AS known_at,
    sum(gbp) AS net_spend_365d,
    coalesce(sum(gbp) FILTER (age_days <= 180), 0) AS net_spend_180d,
    coalesce(sum(gbp) FILTER (age_days <= 90), 0) AS net_spend_90d,
    coalesce(sum(gbp) FILTER (age_days <= 30), 0) AS net_spend_30d,
    coalesce(sum(gbp) FILTER (age_days BETWEEN 275 AND 365), 0) AS net_spend_season_a_year_ago,
    sum(gbp) FILTER (gbp > 0) / count(DISTINCT invoice) FILTER (gbp > 0) AS mean_order,
    coalesce(-sum(gbp) FILTER (gbp < 0), 0) AS returned_365d
FROM valued
GROUP BY customer_id
