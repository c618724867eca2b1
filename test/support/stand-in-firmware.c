/* A stand-in for the firmware, for tests of the board around it: tells how it was started, announces
 * an AP, reports the button, and ends in the way that STAND_IN asks for. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void announce(void)
{
    char path[512];
    unsigned long long mac = strtoull(getenv("PROV_HOST_MAC"), NULL, 16) + 1;
    snprintf(path, sizeof path, "%s/aps/%012llx.json", getenv("PROV_HOST_AIR"), mac);
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        exit(70);
    }
    fprintf(file,
            "{\"ssid\":\"Stand-In\",\"bssid\":\"00:00:00:00:00:00\",\"channel\":1,\"auth\":\"open\","
            "\"pmk\":null,\"base_url\":\"http://127.0.0.1:9\",\"pid\":%d}",
            (int)getpid());
    fclose(file);
}

static void touch_nvs(void)
{
    FILE *file = fopen(getenv("PROV_HOST_FLASH"), "r+b");
    if (file == NULL || fseek(file, 0x9000, SEEK_SET) != 0) {
        exit(71);
    }
    int count = fgetc(file);
    fseek(file, 0x9000, SEEK_SET);
    fputc(count == 0xff ? 1 : count + 1, file);
    fclose(file);
    printf("I (2) stand_in: boots %d\n", count == 0xff ? 1 : count + 1);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *reason = getenv("PROV_HOST_RESET_REASON");
    const char *how = getenv("STAND_IN") ? getenv("STAND_IN") : "run";
    printf("I (1) stand_in: reason %s clock %s\n", reason, getenv("PROV_HOST_CLOCK"));
    touch_nvs();
    if (strcmp(how, "crash") == 0 || (strcmp(how, "crash_once") == 0 && strcmp(reason, "panic") != 0)) {
        abort();
    }
    if (strcmp(how, "restart_once") == 0 && strcmp(reason, "sw") != 0) {
        return 88;
    }
    if (getenv("PROV_HOST_NVS_CUT_AT") != NULL) {
        kill(getpid(), 9);
    }
    announce();
    printf("I (3) stand_in: ready\n");
    char line[64];
    FILE *control = fdopen(atoi(getenv("PROV_HOST_CONTROL_FD")), "r");
    while (control != NULL && fgets(line, sizeof line, control) != NULL) {
        printf("I (4) stand_in: %s", line);
    }
    for (;;) {
        pause();
    }
}
