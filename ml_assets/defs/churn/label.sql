-- 1: bought nothing in the 90 days after the window. Known when they are over.
SELECT
    customer_id,
    (count(*) FILTER (invoice_at >= getvariable('window_end')) = 0)::INT AS churned,
    getvariable('window_end') + INTERVAL 90 DAY AS known_at
FROM lines
WHERE quantity > 0
  AND invoice_at >= getvariable('window_end') - INTERVAL 180 DAY
  AND invoice_at < getvariable('window_end') + INTERVAL 90 DAY
GROUP BY customer_id
HAVING min(invoice_at) < getvariable('window_end')
