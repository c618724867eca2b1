/* In the place of libFuzzer, which not every compiler has: runs the target once on each file given. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        MUST(file != NULL && fseek(file, 0, SEEK_END) == 0);
        long size = ftell(file);
        rewind(file);
        uint8_t *data = malloc(size > 0 ? (size_t)size : 1); /* exact, so that ASan sees a byte too many */
        MUST(size >= 0 && data != NULL && fread(data, 1, (size_t)size, file) == (size_t)size);
        fclose(file);
        fprintf(stderr, "%s\n", argv[i]);
        LLVMFuzzerTestOneInput(data, (size_t)size);
        free(data);
    }
    printf("%d inputs\n", argc - 1);
    return 0;
}
