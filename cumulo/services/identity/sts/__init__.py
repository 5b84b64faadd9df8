"""AWS Security Token Service: who is calling, and credentials for a while."""
