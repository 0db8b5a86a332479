Write-Output "Hello from a .ps1 WebJob"
Write-Output "Arguments: $args"
foreach ($name in "NAME", "TYPE", "RUN_ID", "PATH", "DATA_PATH") {
    $value = [Environment]::GetEnvironmentVariable("WEBJOBS_$name")
    Write-Output "WEBJOBS_$name=$value"
}
exit 0
