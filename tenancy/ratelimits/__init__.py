"""Rate limits of clients: at most N requests in any sliding window, across all processes."""
