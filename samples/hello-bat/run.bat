@echo off
echo Hello from a .bat WebJob
echo Arguments: %*
echo WEBJOBS_NAME=%WEBJOBS_NAME%
echo WEBJOBS_TYPE=%WEBJOBS_TYPE%
echo WEBJOBS_RUN_ID=%WEBJOBS_RUN_ID%
echo WEBJOBS_PATH=%WEBJOBS_PATH%
echo WEBJOBS_DATA_PATH=%WEBJOBS_DATA_PATH%
exit /b 0
