-- The landed names; `InvoiceDate` was the shop's clock and is UTC by now (`timezone` of the source).
SELECT
    Invoice AS invoice,
    StockCode AS stock_code,
    Description AS description,
    Quantity AS quantity,
    InvoiceDate AS invoice_at,
    Price AS price,
    "Customer ID" AS customer_id,
    Country AS country
FROM delivered
