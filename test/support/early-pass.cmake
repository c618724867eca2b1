# Reads a component's CMakeLists.txt as ESP-IDF does first (component_get_requirements.cmake): in script mode,
# for the requirements alone. Wants -DIDF_VERSION_MAJOR, -DIDF_VERSION_MINOR and -DCOMPONENT (its folder).
set(CMAKE_BUILD_EARLY_EXPANSION 1)

macro(idf_component_register)
  cmake_parse_arguments(asked "" "" "SRCS;INCLUDE_DIRS;PRIV_REQUIRES" ${ARGN})
  message("${asked_PRIV_REQUIRES}")
  return()
endmacro()

include("${COMPONENT}/CMakeLists.txt")
