/* Runs the program that PROV_TEST names, with its arguments: "nvs_api_test integers /tmp/flash.bin". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

typedef int (*program_t)(int argc, char **argv);

int api_test_main(int argc, char **argv);
int flash_test_main(int argc, char **argv);
int model_test_main(int argc, char **argv);
int dump_main(int argc, char **argv);
int portal_main(int argc, char **argv);
int test_store_power_main(int argc, char **argv);
int test_store_room_main(int argc, char **argv);

static program_t find(const char *name)
{
    static const struct {
        const char *name;
        program_t run;
    } PROGRAMS[] = {
        {"nvs_api_test", api_test_main},           {"nvs_flash_test", flash_test_main},
        {"nvs_model_test", model_test_main},       {"nvs_dump", dump_main},
        {"portal", portal_main},
        {"test_store_power", test_store_power_main}, {"test_store_room", test_store_room_main},
    };
    for (size_t i = 0; name != NULL && i < sizeof PROGRAMS / sizeof PROGRAMS[0]; i++) {
        if (strcmp(PROGRAMS[i].name, name) == 0) {
            return PROGRAMS[i].run;
        }
    }
    return NULL;
}

void app_main(void)
{
    static char words[1024];
    char *argv[4] = {NULL};
    int argc = 0;
    snprintf(words, sizeof words, "%s", getenv("PROV_TEST") != NULL ? getenv("PROV_TEST") : "");
    for (char *rest = words; argc < 3 && (argv[argc] = strsep(&rest, " ")) != NULL; argc++) {
    }
    program_t run = find(argv[0]);
    /* One task, no tick: it comes as a signal, and would end the waitpid() of a program that forks its boots. */
    portMUX_TYPE never_left = portMUX_INITIALIZER_UNLOCKED;
    if (run != portal_main) {
        taskENTER_CRITICAL(&never_left);
    }
    int status = run != NULL ? run(argc, argv) : 2;
    fflush(NULL);
    _exit(status);
}
