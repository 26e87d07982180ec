"""What runs inside the emulator: ministack, with what it lacks for this project's stack added (`python -m` this).

Needs ministack only, and the Docker SDK where containers are to run: nothing else of this repository is in its image.
All that it uses of ministack comes through `internals`.
"""
