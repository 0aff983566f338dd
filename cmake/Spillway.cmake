# Compiler settings, dependencies and the spillway_room() helper shared by all folders.
include_guard()

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS url)
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(simdjson 3.0 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis>=0.14)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2>=1.52)
pkg_check_modules(POPPLER_CPP REQUIRED IMPORTED_TARGET poppler-cpp>=22.12)

include(EmbedAssets)

# Two builds in one folder, see scripts/build-trained. Not through ccache: what is compiled depends on profiles.
if(SPILLWAY_PROFILE STREQUAL "generate")
  add_compile_options(-fprofile-generate -fprofile-update=prefer-atomic)
  add_link_options(-fprofile-generate)
elseif(SPILLWAY_PROFILE STREQUAL "use")
  # What no training reached has no profile, and needs none.
  add_compile_options(-fprofile-use -fprofile-correction -Wno-missing-profile -Wno-coverage-mismatch)
endif()
if(SPILLWAY_PROFILE)
  include(ProcessorCount)
  ProcessorCount(cores)
  add_compile_options(-flto=${cores})
  add_link_options(-flto=${cores})
endif()

find_program(CCACHE ccache)
if(CCACHE AND NOT SPILLWAY_PROFILE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD AND NOT SPILLWAY_FUZZ AND NOT SPILLWAY_PROFILE)
  add_link_options(-fuse-ld=mold)
endif()

add_library(spillway_flags INTERFACE)
target_compile_options(spillway_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow
  $<$<BOOL:${SPILLWAY_WERROR}>:-Werror>)
# GCC 12 reports uninitialised and dangling uses inside coroutine frames and inlined library code
# that are not there (GCC bugs 105562, 98401), and takes the allocator of Asio's coroutine frames for a
# mismatch when it inlines only half of it (103993), and sees overlaps and overreads in std::string and
# small_vector that cannot be (105651, 105762); Clang and the sanitizers watch the same ground.
target_compile_options(spillway_flags INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-mismatched-new-delete;-Wno-restrict;-Wno-stringop-overread>)
if(SPILLWAY_SANITIZE)
  add_compile_options(-fsanitize=${SPILLWAY_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${SPILLWAY_SANITIZE})
  if(SPILLWAY_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=all)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented, the allocator of Asio's coroutine frames is inlined by half and taken for a mismatch.
    target_compile_options(spillway_flags INTERFACE -Wno-mismatched-new-delete)
  endif()
  if(SPILLWAY_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(spillway_flags INTERFACE -Wno-tsan)
  endif()
endif()
if(SPILLWAY_COVERAGE)
  add_compile_options(--coverage -O0 -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

# Asio and Beast as every room sees them: compiled once, in src/base/boost_impl.cpp.
add_library(spillway_boost INTERFACE)
target_compile_definitions(spillway_boost INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_DISABLE_VISIBILITY
  BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=64)
if(SPILLWAY_SANITIZE MATCHES "address")
  target_compile_definitions(spillway_boost INTERFACE BOOST_ASIO_DISABLE_AWAITABLE_FRAME_RECYCLING)
endif()
# Before all else, so that no translation unit sees Asio without it.
target_compile_options(spillway_boost INTERFACE "SHELL:-include ${CMAKE_SOURCE_DIR}/src/base/frame_pool.hpp")
target_link_libraries(spillway_boost INTERFACE Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

# spillway_room(<name> <what it may use>...): one folder, one static library, all its *.cpp
# but a main.cpp.
function(spillway_room name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    add_library(spillway_${name} INTERFACE)
    target_include_directories(spillway_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(spillway_${name} INTERFACE ${ARGN})
    return()
  endif()
  add_library(spillway_${name} STATIC ${sources})
  target_include_directories(spillway_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(spillway_${name} PUBLIC ${ARGN} PRIVATE spillway_flags)
endfunction()

# spillway_test(<room> <libraries>...): all tests/<room>/*_test.cpp in one GoogleTest binary.
function(spillway_test name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${name}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_tests ${sources})
  target_include_directories(${name}_tests PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(${name}_tests PRIVATE ${ARGN} spillway_flags GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name}_tests PRIVATE SPILLWAY_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(${name}_tests TEST_PREFIX "${name}/" DISCOVERY_TIMEOUT 60)
endfunction()
