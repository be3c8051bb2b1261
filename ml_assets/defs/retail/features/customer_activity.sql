-- When the customer bought, as of the end of the window: how long ago, how often, and how that compares with the
-- customer's own pace. A day with several invoices counts once.
WITH days AS (
    SELECT
        customer_id,
        date_trunc('day', timezone('Europe/London', invoice_at)) AS day,
        min(epoch(getvariable('window_end') - invoice_at)) / 86400 AS age_days
    FROM lines
    WHERE quantity > 0 AND invoice_at >= getvariable('window_start') - INTERVAL 365 DAY
    GROUP BY ALL
),
gaps AS (
    SELECT *, lag(age_days) OVER past - age_days AS gap_days, row_number() OVER (PARTITION BY customer_id ORDER BY age_days) AS newest
    FROM days
    WINDOW past AS (PARTITION BY customer_id ORDER BY age_days DESC)
)
SELECT
    customer_id,
    getvariable('window_last') AS event_timestamp,
    getvariable('window_last') AS known_at,
    min(age_days) AS days_since_purchase,
    max(age_days) FILTER (newest = 2) AS days_since_second_last,
    max(age_days) AS days_since_first,
    count(*) AS purchase_days_365d,
    count(*) FILTER (age_days <= 90) AS purchase_days_90d,
    count(*) FILTER (age_days <= 180) AS purchase_days_180d,
    avg(gap_days) AS mean_gap_days,
    min(age_days) / avg(gap_days) AS recency_in_gaps
FROM gaps
GROUP BY customer_id
