<?php
echo "Hello from a .php WebJob\n";
echo "Arguments: ", implode(" ", array_slice($argv, 1)), "\n";
foreach (["NAME", "TYPE", "RUN_ID", "PATH", "DATA_PATH"] as $name) {
    echo "WEBJOBS_$name=", getenv("WEBJOBS_$name"), "\n";
}
exit(0);
