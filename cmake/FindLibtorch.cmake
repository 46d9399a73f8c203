# Imports the libtorch inside a `torch` wheel as fresco::torch. The wheel's own TorchConfig insists on a CUDA toolkit, so this
# module links the libraries themselves: libtorch_cpu and libc10, and with FRESCO_CUDA libtorch_cuda and libc10_cuda.
if(FRESCO_TORCH_DIR)
  set(_torch_dir "${FRESCO_TORCH_DIR}")
else()
  file(GLOB _torch_candidates "${PROJECT_SOURCE_DIR}/.deps/torch/lib/python3*/site-packages/torch")
  list(GET _torch_candidates 0 _torch_dir)
endif()

find_path(LIBTORCH_INCLUDE_DIR ATen/ATen.h PATHS "${_torch_dir}/include" NO_DEFAULT_PATH)
find_library(LIBTORCH_CPU_LIBRARY torch_cpu PATHS "${_torch_dir}/lib" NO_DEFAULT_PATH)
find_library(LIBTORCH_C10_LIBRARY c10 PATHS "${_torch_dir}/lib" NO_DEFAULT_PATH)
set(_torch_required LIBTORCH_CPU_LIBRARY LIBTORCH_C10_LIBRARY LIBTORCH_INCLUDE_DIR)
if(FRESCO_CUDA)
  find_library(LIBTORCH_CUDA_LIBRARY torch_cuda PATHS "${_torch_dir}/lib" NO_DEFAULT_PATH)
  find_library(LIBTORCH_C10_CUDA_LIBRARY c10_cuda PATHS "${_torch_dir}/lib" NO_DEFAULT_PATH)
  list(APPEND _torch_required LIBTORCH_CUDA_LIBRARY LIBTORCH_C10_CUDA_LIBRARY)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtorch REQUIRED_VARS ${_torch_required}
  REASON_FAILURE_MESSAGE "run ./fresco once (it sets up .deps/torch), or set FRESCO_TORCH_DIR to a libtorch 2.11")

add_library(fresco_torch INTERFACE)
add_library(fresco::torch ALIAS fresco_torch)
target_include_directories(fresco_torch SYSTEM INTERFACE "${LIBTORCH_INCLUDE_DIR}" "${LIBTORCH_INCLUDE_DIR}/torch/csrc/api/include")
# libtorch carries headers of a newer fmt than the system's library: where they are seen, fmt is compiled in.
target_compile_definitions(fresco_torch INTERFACE _GLIBCXX_USE_CXX11_ABI=1 FMT_HEADER_ONLY=1)
# at::parallel_for is inline and wants OpenMP; libgomp itself is the one beside libtorch, so that a process has a single runtime.
target_compile_options(fresco_torch INTERFACE -fopenmp)
set(_torch_gomp)
if(EXISTS "${_torch_dir}/lib/libgomp.so.1")
  set(_torch_gomp "${_torch_dir}/lib/libgomp.so.1")
endif()
target_link_libraries(fresco_torch INTERFACE "${LIBTORCH_CPU_LIBRARY}" "${LIBTORCH_C10_LIBRARY}" ${_torch_gomp})
# The wheel's libraries need CUDA's runtime beside them; they find it by their own run path, the linker need not.
target_link_options(fresco_torch INTERFACE -Wl,--allow-shlib-undefined "-Wl,-rpath,${_torch_dir}/lib")
if(FRESCO_CUDA)
  target_link_options(fresco_torch INTERFACE -Wl,--no-as-needed "${LIBTORCH_CUDA_LIBRARY}" "${LIBTORCH_C10_CUDA_LIBRARY}" -Wl,--as-needed)
  target_compile_definitions(fresco_torch INTERFACE FRESCO_CUDA=1)
endif()
