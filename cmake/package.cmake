# A Debian package, by `cpack --config build/release/CPackConfig.cmake` after a build: the program, the model that comes along, and the
# parts of libtorch that the program loads, with their licences. For processors; a GPU's libraries are too large to carry.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME fresco)
set(CPACK_PACKAGE_VENDOR fresco)
set(CPACK_PACKAGE_CONTACT "The fresco developers <fresco@localhost>" CACHE STRING "Maintainer of the Debian package: a name and a mail address")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL runtime libtorch)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/package_files.cmake")
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION graphics)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
# xz makes it a quarter smaller and takes five minutes for what zstd does in seconds.
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "pictures from sentences with latent diffusion models")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"Runs Stable Diffusion v1 and DeciDiffusion on a processor: text to image,
image to image, inpainting; measures, compares and trains such models. Carries
a small model that draws at once, and the parts of libtorch that it needs.")
# Dependencies are what Debian has of the libraries that are loaded; libtorch's own lie in the package itself.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
file(GLOB beside_libtorch "${LIBTORCH_LIBRARY_DIR}/../../nvidia/*/lib")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${LIBTORCH_LIBRARY_DIR}" ${beside_libtorch})
set(CPACK_FRESCO_SOURCES "${PROJECT_SOURCE_DIR}")
include(CPack)
