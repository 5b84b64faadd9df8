"""Execution environments in containers: made by podman, docker, runc, crun or gVisor's runsc instead of by us."""
