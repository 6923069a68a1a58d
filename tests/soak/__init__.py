"""The long version of the tests that attack refunds: `make soak`."""
