"""What owners say of rights, as operations: ACLs, policies, public access blocks, sessions."""
