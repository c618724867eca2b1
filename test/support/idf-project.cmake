# Stands in for ESP-IDF's tools/cmake/project.cmake: says what firmware/CMakeLists.txt has set.
function(idf_build_set_property property value)
  message(NOTICE "${property}=${value}")
endfunction()

macro(project name)
  foreach(variable PROJECT_VER SDKCONFIG_DEFAULTS COMPONENTS)
    message(NOTICE "${variable}=${${variable}}")
  endforeach()
  _project(${name} NONE)
endmacro()
