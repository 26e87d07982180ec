"""`make faults`: what the application does while things break or somebody wants to break them.

Each experiment (faults/experiments/) does one thing to a real application: API and UI processes on a PostgreSQL of
their own, or the API's image in a container of its compose size. The frame around it (faults/trial.py) holds a load
meanwhile, keeps a ledger of every product that was acknowledged, and afterwards asks what is missing, what is there
twice, how long it took to be well again, and what the processes still take when nobody asks for anything.
"""
