# Imports the libtorch inside a `torch` wheel as fresco::torch. The wheel's own TorchConfig insists on a CUDA toolkit, so this
# module links the libraries themselves: libtorch_cpu and libc10, and with the component CUDA libtorch_cuda and libc10_cuda.
# It is installed too, for users' find_package(fresco).
#
# Looks into FRESCO_TORCH_DIR, the variable or the environment's, else into each of LIBTORCH_PLACES. A place holds libraries in lib/ or
# itself, and headers in include/. Sets LIBTORCH_PLACE, LIBTORCH_LIBRARY_DIR, and where there are headers LIBTORCH_INCLUDE_DIR and
# LIBTORCH_VERSION. A copy that only runs programs has none; it does for whoever includes <fresco/fresco.h> alone.
set(_torch_places ${FRESCO_TORCH_DIR})
if(NOT _torch_places)
  set(_torch_places $ENV{FRESCO_TORCH_DIR})
endif()
if(NOT _torch_places)
  set(_torch_places ${LIBTORCH_PLACES})
endif()

unset(LIBTORCH_PLACE)
set(LIBTORCH_LIBRARY_DIR LIBTORCH_LIBRARY_DIR-NOTFOUND)
set(LIBTORCH_INCLUDE_DIR LIBTORCH_INCLUDE_DIR-NOTFOUND)
unset(LIBTORCH_VERSION)
foreach(_place IN LISTS _torch_places)
  foreach(_folder "${_place}/lib" "${_place}")
    if(NOT LIBTORCH_LIBRARY_DIR AND EXISTS "${_folder}/libtorch_cpu.so" AND EXISTS "${_folder}/libc10.so")
      set(LIBTORCH_PLACE "${_place}")
      set(LIBTORCH_LIBRARY_DIR "${_folder}")
      if(EXISTS "${_place}/include/ATen/ATen.h")
        set(LIBTORCH_INCLUDE_DIR "${_place}/include")
      endif()
    endif()
  endforeach()
endforeach()
if(LIBTORCH_INCLUDE_DIR)
  file(STRINGS "${LIBTORCH_INCLUDE_DIR}/torch/headeronly/version.h" _line REGEX "^ *\"[0-9.]+\"")
  string(REGEX MATCH "[0-9.]+" LIBTORCH_VERSION "${_line}")
endif()

set(_torch_libraries "${LIBTORCH_LIBRARY_DIR}/libtorch_cpu.so" "${LIBTORCH_LIBRARY_DIR}/libc10.so")
# One OpenMP runtime in a process: libtorch's own, where one lies beside it.
if(EXISTS "${LIBTORCH_LIBRARY_DIR}/libgomp.so.1")
  list(APPEND _torch_libraries "${LIBTORCH_LIBRARY_DIR}/libgomp.so.1")
endif()
set(Libtorch_CUDA_FOUND FALSE)
if(EXISTS "${LIBTORCH_LIBRARY_DIR}/libtorch_cuda.so" AND EXISTS "${LIBTORCH_LIBRARY_DIR}/libc10_cuda.so")
  set(Libtorch_CUDA_FOUND TRUE)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch REQUIRED_VARS LIBTORCH_LIBRARY_DIR HANDLE_COMPONENTS
  REASON_FAILURE_MESSAGE "run ./fresco once (it sets up .deps/torch), or set FRESCO_TORCH_DIR to a libtorch 2.11")

if(Libtorch_FOUND AND NOT TARGET fresco::torch)
  add_library(fresco::torch INTERFACE IMPORTED)
  if(LIBTORCH_INCLUDE_DIR)
    target_include_directories(fresco::torch INTERFACE "${LIBTORCH_INCLUDE_DIR}" "${LIBTORCH_INCLUDE_DIR}/torch/csrc/api/include")
  endif()
  # libtorch carries headers of a newer fmt than the system's library: where they are seen, fmt is compiled in.
  target_compile_definitions(fresco::torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1 FMT_HEADER_ONLY=1)
  # at::parallel_for is inline and wants OpenMP.
  target_compile_options(fresco::torch INTERFACE -fopenmp)
  target_link_libraries(fresco::torch INTERFACE ${_torch_libraries})
  # The wheel's libraries need CUDA's runtime beside them; they find it by their own run path, the linker need not.
  target_link_options(fresco::torch INTERFACE -Wl,--allow-shlib-undefined)
  if("CUDA" IN_LIST Libtorch_FIND_COMPONENTS)
    # Nothing of them is called by name: they register themselves.
    target_link_options(fresco::torch INTERFACE
      -Wl,--no-as-needed "${LIBTORCH_LIBRARY_DIR}/libtorch_cuda.so" "${LIBTORCH_LIBRARY_DIR}/libc10_cuda.so" -Wl,--as-needed)
    target_compile_definitions(fresco::torch INTERFACE FRESCO_CUDA=1)
  endif()
endif()
