"""DynamoDB Accelerator: clusters to manage, and what its clients' connections (`cumulo.accelerator`) need of them."""
