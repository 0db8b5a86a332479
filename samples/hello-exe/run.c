#include <windows.h>

static void say(const char *text) {
    DWORD written;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, lstrlenA(text), &written, NULL);
}

static void say_variable(const char *name) {
    char value[1024] = "";
    GetEnvironmentVariableA(name, value, sizeof value);
    say(name);
    say("=");
    say(value);
    say("\r\n");
}

static const char *arguments(void) {
    const char *text = GetCommandLineA();
    int quoted = 0;
    while (*text && (quoted || (*text != ' ' && *text != '\t'))) {
        quoted ^= *text == '"';
        text++;
    }
    while (*text == ' ' || *text == '\t') text++;
    return text;
}

void start(void) {
    say("Hello from an .exe WebJob\r\nArguments: ");
    say(arguments());
    say("\r\n");
    say_variable("WEBJOBS_NAME");
    say_variable("WEBJOBS_TYPE");
    say_variable("WEBJOBS_RUN_ID");
    say_variable("WEBJOBS_PATH");
    say_variable("WEBJOBS_DATA_PATH");
    ExitProcess(0);
}
