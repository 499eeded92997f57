"""From nothing to a working system on embedded parts: data folder, people, web and worker, a demonstration."""
