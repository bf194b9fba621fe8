"""Names of the project: lab, machine, topology, check, verdict, measurement. Imports nothing of ours."""
