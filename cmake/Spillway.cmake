# Compiler settings, dependencies and the spillway_room() helper shared by all folders.
include_guard()

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  message(FATAL_ERROR "GCC ${CMAKE_CXX_COMPILER_VERSION} lays out the frames of some coroutines wrongly: use GCC 13 "
                      "or newer, or Clang 16 or newer (scripts/build chooses; docs/decisions/compilers.md).")
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS url)
if(Boost_VERSION VERSION_GREATER SPILLWAY_BOOST_MAX)
  message(FATAL_ERROR "Boost ${Boost_VERSION} is newer than what was tried; if it is to be, -DSPILLWAY_BOOST_MAX=${Boost_VERSION}")
endif()
find_package(fmt 9 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
find_package(yaml-cpp 0.7 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
# Its own version file takes nothing but the same minor version.
find_package(simdjson REQUIRED)
if(simdjson_VERSION VERSION_LESS 3.0 OR simdjson_VERSION VERSION_GREATER_EQUAL 5.0)
  message(FATAL_ERROR "simdjson ${simdjson_VERSION} is not one that was tried: 3.x or 4.x is needed")
endif()
find_package(SQLite3 3.40 REQUIRED)
find_package(PostgreSQL 15 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(hiredis REQUIRED IMPORTED_TARGET hiredis>=0.14)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2>=1.52)
pkg_check_modules(POPPLER_CPP REQUIRED IMPORTED_TARGET poppler-cpp>=22.12)

include(EmbedAssets)

include(Profile)
include(Hardening)
if(SPILLWAY_REPRODUCIBLE)
  # Two builds of one commit are the same bytes, wherever they were made (deploy/checks/reproducible).
  add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}=. -ffile-prefix-map=${CMAKE_BINARY_DIR}=build)
  add_link_options(-Wl,--build-id=sha1)
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
if(SPILLWAY_SANITIZE)
  add_compile_options(-fsanitize=${SPILLWAY_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${SPILLWAY_SANITIZE})
  if(SPILLWAY_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=all)
  endif()
  if(SPILLWAY_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(spillway_flags INTERFACE -Wno-tsan)
  endif()
endif()
if(SPILLWAY_COVERAGE)
  add_compile_options(--coverage -O0 -fprofile-update=atomic)
  add_link_options(--coverage)
endif()

# What nearly every file includes costs 2 s of each compilation, and as much again in tests. Not in the release build:
# there each file is to include what it uses, and ccache to share its objects between checkouts.
if(SPILLWAY_PRECOMPILE AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")  # as ccache needs it
endif()
function(spillway_precompile target)
  if(SPILLWAY_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE <algorithm> <chrono> <coroutine> <functional> <memory> <optional> <span>
                              <string> <string_view> <unordered_map> <variant> <vector> <fmt/format.h> ${ARGN})
  endif()
endfunction()

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
  spillway_precompile(spillway_${name})
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
  spillway_precompile(${name}_tests <gmock/gmock.h> <gtest/gtest.h>)
  # The tests themselves need no optimization, and compile in half the time without.
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_options(${name}_tests PRIVATE -O0 -U_FORTIFY_SOURCE)
  endif()
  # The checkout's folder in an object file would keep ccache from sharing it: only where it is asked for.
  foreach(source ${sources})
    file(STRINGS ${source} uses REGEX SPILLWAY_SOURCE_DIR LIMIT_COUNT 1)
    if(uses)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS SPILLWAY_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    endif()
  endforeach()
  gtest_discover_tests(${name}_tests TEST_PREFIX "${name}/" DISCOVERY_TIMEOUT 60)
endfunction()
