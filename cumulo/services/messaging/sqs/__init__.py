"""Amazon Simple Queue Service: standard and FIFO queues."""
