/*
 * Runs a harness over every file of the folders given: so the corpora are ordinary tests, with any
 * compiler. The corpus is small and in the tree; a folder that can't be read or is empty is a
 * failure, so that a wrong path can't pass as a success.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        return 1;
    }
    size_t size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(size + 1); /* never NULL for size 0, and a read past the size is one of ours */
    int failed = data == NULL || fread(data, 1, size, file) != size;
    if (failed) {
        perror(path);
    } else {
        (void)LLVMFuzzerTestOneInput(data, size);
    }
    free(data);
    fclose(file);
    return failed;
}

static int replay_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    if (entries == NULL) {
        perror(folder);
        return 1;
    }
    int failed = 0;
    int count = 0;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        char path[4096];
        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            failed |= replay_file(path);
            count++;
        }
    }
    closedir(entries);
    printf("%s: %d inputs\n", folder, count);
    return failed | (count == 0);
}

int main(int argc, char **argv)
{
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        failed |= replay_folder(argv[i]);
    }
    return failed;
}
