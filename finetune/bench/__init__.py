"""What `./wordkeep bench guards`, `bench train` and `bench-engine` measure."""
