import os
import sys

print("Hello from a .py WebJob")
print("Arguments:", *sys.argv[1:])
for name in ("NAME", "TYPE", "RUN_ID", "PATH", "DATA_PATH"):
    print(f"WEBJOBS_{name}={os.environ.get(f'WEBJOBS_{name}', '')}")
