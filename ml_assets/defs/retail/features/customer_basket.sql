-- What the customer's orders look like, as of the end of the window.
WITH orders AS (
    SELECT
        customer_id, invoice, min(invoice_at) AS ordered_at, count(*) AS lines, sum(quantity) AS items,
        count(DISTINCT stock_code) AS products, any_value(country ORDER BY country) AS country
    FROM lines
    WHERE quantity > 0 AND invoice_at >= getvariable('window_start') - INTERVAL 365 DAY
    GROUP BY ALL
),
products AS (
    SELECT customer_id, count(DISTINCT stock_code) AS products, median(price) AS median_price
    FROM lines
    WHERE quantity > 0 AND invoice_at >= getvariable('window_start') - INTERVAL 365 DAY
    GROUP BY customer_id
)
SELECT
    customer_id,
    getvariable('window_last') AS event_timestamp,
    getvariable('window_last') AS known_at,
    any_value(products.products) AS products_365d,
    any_value(median_price) AS median_price,
    avg(items) AS items_per_order,
    avg(lines) AS lines_per_order,
    arg_max(lines, (ordered_at, invoice)) AS lines_of_last_order,
    arg_max(orders.country, (ordered_at, invoice)) AS country
FROM orders
JOIN products USING (customer_id)
GROUP BY customer_id
