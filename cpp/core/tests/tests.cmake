# One program for each file test_NAME.cpp of tests/SUBJECT: test_SUBJECT_NAME.
foreach(subject ${test_folders})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/${subject}/test_*.cpp)
  foreach(source ${sources})
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "^test_(${subject}_)?" "test_${subject}_" name ${name})
    add_library(${name}_object OBJECT ${source})
    target_link_libraries(${name}_object PRIVATE lpsnmr_core)
    target_compile_definitions(${name}_object PRIVATE
      LPSNMR_GOLDENS="${PROJECT_SOURCE_DIR}/tests/efg/goldens")
    add_executable(${name} $<TARGET_OBJECTS:${name}_object>)
    target_link_libraries(${name} PRIVATE lpsnmr_core)
    add_test(NAME ${name} COMMAND ${name})
  endforeach()
endforeach()

# every version of the loops on every processor, by emulated intrinsics (Debian: libsimde-dev)
find_path(SIMDE_INCLUDE simde/x86/avx512.h)
if(NOT SIMDE_INCLUDE)
  message(WARNING "no SIMDe (libsimde-dev): the loops for AVX-512 are tested only on processors "
                  "that have it")
elseif(NOT LPSNMR_SANITIZE STREQUAL "thread")
  # each source that compiles versions, and the one that says which there are
  add_library(emulated_kernels OBJECT
    correlation/echo_kernel.cpp
    density/kernel.cpp
    efg/bridge.cpp efg/chain.cpp efg/expansion.cpp efg/features.cpp efg/field.cpp efg/predictor.cpp
    grades/covariance_factor.cpp
    neighbors/cell_bins.cpp neighbors/nearest_sites.cpp
    simd/instructions.cpp
    ufp/kernel.cpp)
  # UBSan of GCC 12 miscompiles vectors that are written element by element; linked last, so that
  # the option comes last
  add_library(emulation INTERFACE)
  target_compile_options(emulation INTERFACE -O1 -Wno-psabi -fno-sanitize=undefined)
  target_link_libraries(emulated_kernels PRIVATE lpsnmr_core emulation)
  target_precompile_headers(emulated_kernels PRIVATE
    ${CMAKE_CURRENT_LIST_DIR}/support/emulated_simd.h) # included before everything else
  target_include_directories(emulated_kernels SYSTEM PRIVATE ${SIMDE_INCLUDE})
  foreach(name correlation_echo density_kernel efg_goldens efg_predictor grades_covariance_factor
               neighbors_search simd_instructions ufp_kernel)
    add_executable(test_${name}_emulated
      $<TARGET_OBJECTS:test_${name}_object> $<TARGET_OBJECTS:emulated_kernels>)
    target_link_libraries(test_${name}_emulated PRIVATE lpsnmr_core)
    add_test(NAME test_${name}_emulated COMMAND test_${name}_emulated)
  endforeach()
endif()
