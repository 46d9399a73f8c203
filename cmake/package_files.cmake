# Run by CPack over the files to be packaged, before it packs them.
cmake_minimum_required(VERSION 3.25)
set(root "${CPACK_TEMPORARY_INSTALL_DIRECTORY}/ALL_COMPONENTS_IN_ONE/usr")
set(libraries "${root}/lib/fresco")
set(documents "${root}/share/doc/fresco")

# Everything is looked for inside the package alone. NVIDIA's files stay as they are: their licence lets them be passed on so.
file(RPATH_SET FILE "${libraries}/fresco" NEW_RPATH "$ORIGIN")
file(GLOB of_libtorch "${libraries}/libtorch*.so" "${libraries}/libc10*.so")
foreach(library IN LISTS of_libtorch)
  file(RPATH_SET FILE "${library}" NEW_RPATH "$ORIGIN")
endforeach()
find_program(strip strip REQUIRED)
execute_process(COMMAND "${strip}" --strip-unneeded ${of_libtorch} COMMAND_ERROR_IS_FATAL ANY)
file(GLOB all "${libraries}/lib*")
file(CHMOD ${all} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

# Debian's places: the terms in `copyright`, packed pages.
file(COPY_FILE "${CPACK_FRESCO_SOURCES}/cmake/debian_copyright" "${documents}/copyright")
file(REMOVE "${documents}/LICENSE")
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE "${documents}/changelog.Debian"
  "fresco (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n  * Built from its repository.\n\n"
  " -- ${CPACK_PACKAGE_CONTACT}  ${now}\n")
find_program(gzip gzip REQUIRED)
execute_process(COMMAND "${gzip}" -9n "${documents}/changelog.Debian" "${root}/share/man/man1/fresco.1" COMMAND_ERROR_IS_FATAL ANY)
