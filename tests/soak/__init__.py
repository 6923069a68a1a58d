"""The long version of the tests with races and killed processes: `make soak`."""
