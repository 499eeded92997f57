"""A small app for harnesses: kinds of jobs whose work is only to take time, to fail, or to kill its worker."""
