/** The cases of nvs/api_test.c and nvs/flash_test.c that ESP-IDF's own NVS passes as the host port's does. */
export const API_CASES = [
  "integers",
  "strings",
  "blobs",
  "type_change",
  "keys",
  "handles",
  "namespaces",
  "full",
  "collects_best_page",
  "unchanged",
  "statistics",
  "iteration",
];
export const FLASH_CASES = [
  "second_partition",
  "behind_the_table",
  "no_free_pages",
  "torn_headers",
  "new_version",
  "corrupt_pages",
  "damaged_data",
  "damage_survives_collection",
  "random_damage",
];
