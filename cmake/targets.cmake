# fresco_library(core SOURCES a.cpp b.cpp DEPENDS fresco::x [TORCH]): one level of the library, target fresco::core.
# TORCH: the sources see ATen, through a precompiled header.
function(fresco_library name)
  cmake_parse_arguments(ARG "TORCH" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(fresco_${name} STATIC ${ARG_SOURCES})
  add_library(fresco::${name} ALIAS fresco_${name})
  target_include_directories(fresco_${name} PUBLIC "${PROJECT_SOURCE_DIR}/src")
  target_link_libraries(fresco_${name} PUBLIC ${ARG_DEPENDS} PRIVATE fresco_options)
  if(ARG_TORCH)
    target_link_libraries(fresco_${name} PUBLIC fresco::torch)
    target_precompile_headers(fresco_${name} PRIVATE <ATen/ATen.h>)
  endif()
endfunction()

# fresco_test(core SOURCES a_test.cpp DEPENDS fresco::core [TORCH] [SLOW]): one program of tests, found case by case by CTest.
function(fresco_test name)
  cmake_parse_arguments(ARG "TORCH;SLOW" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name} PRIVATE ${ARG_DEPENDS} fresco_options GTest::gtest_main GTest::gmock)
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_compile_definitions(test_${name} PRIVATE FRESCO_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(ARG_TORCH)
    target_link_libraries(test_${name} PRIVATE fresco::torch)
    target_precompile_headers(test_${name} PRIVATE <ATen/ATen.h>)
  endif()
  set(labels default)
  if(ARG_SLOW)
    set(labels slow)
  endif()
  # One CTest entry a program: starting a program that loads libtorch for each case would cost more than the cases.
  add_test(NAME ${name} COMMAND test_${name} --gtest_brief=1)
  # CTest runs programs side by side: one thread each, and no spinning where a test asks for more.
  set_tests_properties(${name} PROPERTIES LABELS ${labels} ENVIRONMENT "OMP_NUM_THREADS=1;GOMP_SPINCOUNT=100")
endfunction()
