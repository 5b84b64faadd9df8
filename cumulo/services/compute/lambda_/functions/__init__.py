"""What is done to functions, versions and aliases: they are made, changed, published, shown, tagged and deleted."""
