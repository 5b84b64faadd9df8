"""Operations on items: single ones, batches, transactions."""
