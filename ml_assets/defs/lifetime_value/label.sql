-- What the customer spends (GBP) in the 90 days after the window, less what comes back in them; never below nothing,
-- since what was bought before may come back, too. Known when the 90 days are over.
SELECT
    customer_id,
    greatest(coalesce(sum(quantity * price) FILTER (invoice_at >= getvariable('window_end')), 0), 0) AS spend_90d_ahead,
    getvariable('window_end') + INTERVAL 90 DAY AS known_at
FROM lines
WHERE invoice_at >= getvariable('window_end') - INTERVAL 180 DAY
  AND invoice_at < getvariable('window_end') + INTERVAL 90 DAY
GROUP BY customer_id
HAVING min(invoice_at) FILTER (quantity > 0) < getvariable('window_end')
