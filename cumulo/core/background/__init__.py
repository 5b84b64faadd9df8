"""Work that no call waits for: durable tasks, reconcilers, services that stand ready."""
