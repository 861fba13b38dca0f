"""The figures of docs/benchmarks.md, each measured by a module of its own: `./dev bench NAME`."""
