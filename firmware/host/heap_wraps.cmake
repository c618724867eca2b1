# What src/host_heap.c takes the place of.
foreach(name malloc calloc realloc free strdup strndup)
  list(APPEND HEAP_WRAPS "LINKER:--wrap=${name}")
endforeach()
