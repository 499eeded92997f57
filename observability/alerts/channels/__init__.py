"""The channels that people are told on, one adapter each."""
