# What `cmake --install` writes, by component:
#   runtime      the program, the model that comes along, licences
#   development  headers, archives and the package file of find_package(fresco)
#   libtorch     the shared libraries that the program loads, copied to lib/fresco, with their licences. Only when it is asked for:
#                cmake --install build/release --prefix P --component libtorch
# A Python wheel takes components by name (python, and what it wants of these) and so never gets headers or archives.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# ---- The program ------------------------------------------------------------------------------------
# bin/fresco is a launcher; the program lies in lib/fresco, where libtorch may lie beside it.
set(carried "${CMAKE_INSTALL_LIBDIR}/fresco")
file(RELATIVE_PATH program_from_launcher "/${CMAKE_INSTALL_BINDIR}" "/${carried}")
# Where it looks for libtorch, in this order; -DFRESCO_RUNPATH= says otherwise.
if(NOT DEFINED FRESCO_RUNPATH)
  set(FRESCO_RUNPATH "$ORIGIN;${LIBTORCH_LIBRARY_DIR}")
endif()
set_target_properties(fresco_cli PROPERTIES INSTALL_RPATH "${FRESCO_RUNPATH}")
install(TARGETS fresco_cli RUNTIME DESTINATION "${carried}" COMPONENT runtime)
configure_file(cmake/launcher.sh.in "${PROJECT_BINARY_DIR}/launcher/fresco" @ONLY)
install(PROGRAMS "${PROJECT_BINARY_DIR}/launcher/fresco" DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT runtime)
install(DIRECTORY models/starter-128 DESTINATION "${CMAKE_INSTALL_DATADIR}/fresco/models" COMPONENT runtime
  PATTERN samples EXCLUDE PATTERN __pycache__ EXCLUDE)
configure_file(cmake/fresco.1.in "${PROJECT_BINARY_DIR}/fresco.1" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/fresco.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT runtime)
install(FILES LICENSE NOTICE THIRD_PARTY.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT runtime)
install(FILES data/clip_vocabulary/LICENSE RENAME LICENSE.clip-vocabulary DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT runtime)

# ---- For C++ users ----------------------------------------------------------------------------------
# fresco_targets(fresco OUT): the target and all of fresco's that it links, whatever the way.
function(fresco_targets target out)
  set(found ${target})
  get_target_property(links ${target} INTERFACE_LINK_LIBRARIES)
  foreach(link IN LISTS links)
    if(TARGET "${link}" AND link MATCHES "^fresco::" AND NOT link STREQUAL "fresco::torch")
      get_target_property(real ${link} ALIASED_TARGET)
      fresco_targets(${real} below)
      list(APPEND found ${below})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES found)
  set(${out} ${found} PARENT_SCOPE)
endfunction()

fresco_targets(fresco exported)
foreach(target IN LISTS exported)
  string(REPLACE "fresco_" "" short "${target}")
  set_target_properties(${target} PROPERTIES EXPORT_NAME "${short}")
endforeach()
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/fresco")
install(TARGETS ${exported} EXPORT fresco ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT fresco FILE fresco-targets.cmake NAMESPACE fresco:: DESTINATION "${package_dir}" COMPONENT development)

configure_package_config_file(cmake/fresco-config.cmake.in "${PROJECT_BINARY_DIR}/fresco-config.cmake"
  INSTALL_DESTINATION "${package_dir}" NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/fresco-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/fresco-config.cmake" "${PROJECT_BINARY_DIR}/fresco-config-version.cmake" cmake/FindLibtorch.cmake
  DESTINATION "${package_dir}" COMPONENT development)

# fresco.h needs no libtorch; the parts of a drawing below it are tensors in, tensors out. What they include comes along.
set(public_headers
  fresco/fresco.h
  fresco/image/grid.h fresco/image/resize.h
  fresco/pipeline/calibrate.h fresco/pipeline/denoise.h fresco/pipeline/inspect.h fresco/pipeline/pack.h
  fresco/text/text_encoder.h fresco/text/tokenizer.h
  fresco/unet/unet.h
  fresco/vae/vae.h)
install(CODE "
  set(sources \"${PROJECT_SOURCE_DIR}/src\")
  set(public_headers \"${public_headers}\")
  set(destination \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_INCLUDEDIR}\")
  include(\"${PROJECT_SOURCE_DIR}/cmake/install_headers.cmake\")" COMPONENT development)

# ---- libtorch beside the program --------------------------------------------------------------------
install(CODE "
  set(cuda \"${FRESCO_CUDA}\")
  set(torch_libraries \"${LIBTORCH_LIBRARY_DIR}\")
  set(destination \"\${CMAKE_INSTALL_PREFIX}/${carried}\")
  set(licences \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}\")
  include(\"${PROJECT_SOURCE_DIR}/cmake/install_libtorch.cmake\")" COMPONENT libtorch EXCLUDE_FROM_ALL)
