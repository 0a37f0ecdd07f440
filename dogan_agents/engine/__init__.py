"""The workflow engine: MariaDB is the queue and the truth, Redis the speed, RQ the hands. Imports no Frappe."""
