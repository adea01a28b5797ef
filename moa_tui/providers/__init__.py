"""Adapters to the servers that run models; the HTTP library lives here and nowhere else."""
