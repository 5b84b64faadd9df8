"""Operations: services that look after other services."""
