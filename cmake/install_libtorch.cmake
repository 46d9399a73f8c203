# Run by `cmake --install --component libtorch` with `torch_libraries`, `destination`, `licences` and `cuda` set: copies libtorch's
# libraries and those of its wheels that they load into one folder, where they find each other, and their licences.
cmake_minimum_required(VERSION 3.25)
if(cuda)
  message(FATAL_ERROR "the libtorch component is for builds without FRESCO_CUDA: a GPU's libraries are gigabytes that stay in their wheels")
endif()

set(first "${torch_libraries}/libtorch_cpu.so" "${torch_libraries}/libc10.so")
file(GET_RUNTIME_DEPENDENCIES LIBRARIES ${first} RESOLVED_DEPENDENCIES_VAR loaded UNRESOLVED_DEPENDENCIES_VAR absent
  POST_EXCLUDE_REGEXES "^/lib" "^/usr/lib")
if(absent)
  message(FATAL_ERROR "libtorch in ${torch_libraries} loads what is not there: ${absent}")
endif()
set(libraries ${first} ${loaded})
# The system's own does: Debian's libgomp1, GPL with the runtime exception.
list(FILTER libraries EXCLUDE REGEX "/libgomp[^/]*$")
list(TRANSFORM libraries REPLACE "//+" "/")
foreach(library IN LISTS libraries)
  file(INSTALL "${library}" DESTINATION "${destination}" TYPE SHARED_LIBRARY FOLLOW_SYMLINK_CHAIN)
endforeach()

# The wheels keep their licences beside their packages.
get_filename_component(packages "${torch_libraries}/../.." ABSOLUTE)
foreach(part torch nvidia_cuda_runtime nvidia_cuda_cupti)
  file(GLOB texts "${packages}/${part}-*.dist-info/licenses/*")
  if(NOT texts)
    message(FATAL_ERROR "no licence of ${part} in ${packages}: what is passed on must carry its licence")
  endif()
  file(INSTALL ${texts} DESTINATION "${licences}/${part}" TYPE FILE)
endforeach()
