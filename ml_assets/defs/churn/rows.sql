-- One row per customer who bought in the last 180 days, scored at the end of the window.
SELECT DISTINCT customer_id, getvariable('window_last') AS event_timestamp
FROM lines
WHERE quantity > 0
  AND invoice_at >= getvariable('window_end') - INTERVAL 180 DAY AND invoice_at < getvariable('window_end')
