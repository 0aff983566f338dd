# Builds the pages in web/ and puts them, compressed, into C++ arrays.
#
#   spillway_page(<page> <library> <header> <namespace>)
#
# makes <library> from web/<page>: a static library that defines <namespace>::embedded_assets(), declared
# in <header>. As a script (cmake -DDIR=… -DOUT=… -DHEADER=… -DNAMESPACE=… -P) it writes that C++ file.
if(CMAKE_SCRIPT_MODE_FILE)
  file(GLOB_RECURSE files RELATIVE ${DIR} ${DIR}/*.gz)
  list(SORT files)
  if(NOT files)
    message(FATAL_ERROR "no files in ${DIR}")
  endif()
  set(arrays "")
  set(entries "")
  set(index 0)
  foreach(file ${files})
    file(READ ${DIR}/${file} hex HEX)
    string(LENGTH "${hex}" digits)
    math(EXPR bytes "${digits} / 2")
    string(REGEX REPLACE "(..)" "'\\\\x\\1'," hex "${hex}")
    string(REGEX REPLACE "\\.gz$" "" path "${file}")
    string(APPEND arrays "constexpr char data_${index}[] = {${hex}};\n")
    string(APPEND entries "    {\"${path}\", {data_${index}, ${bytes}}},\n")
    math(EXPR index "${index} + 1")
  endforeach()
  file(WRITE ${OUT} "// Made by cmake/EmbedAssets.cmake from the page's files.
#include \"${HEADER}\"

#include <array>

namespace ${NAMESPACE} {
namespace {
${arrays}
constexpr std::array<Asset, ${index}> all = {{
${entries}}};
}  // namespace

Assets embedded_assets() noexcept {
    return all;
}

}  // namespace ${NAMESPACE}
")
  return()
endif()

include_guard()
find_program(NODE node)
find_program(NPM npm)

set(SPILLWAY_WEB_DIR ${CMAKE_SOURCE_DIR}/web)
set(SPILLWAY_WEB_OUT ${CMAKE_BINARY_DIR}/web)
set(spillway_web_stamp ${SPILLWAY_WEB_DIR}/node_modules/.spillway-installed)

if(NOT NODE OR NOT NPM)
  message(WARNING "Node.js or npm is missing: the program will have no pages")
endif()

# Once for all pages and all build folders: node_modules stands in web/. A custom command is known in its own
# directory only, so all pages are to be declared in one CMakeLists.txt.
function(spillway_web_tools)
  get_property(there DIRECTORY PROPERTY spillway_web_tools)
  if(there)
    return()
  endif()
  set_property(DIRECTORY PROPERTY spillway_web_tools ON)
  add_custom_command(OUTPUT ${spillway_web_stamp}
    COMMAND ${NPM} ci --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${spillway_web_stamp}
    DEPENDS ${SPILLWAY_WEB_DIR}/package.json ${SPILLWAY_WEB_DIR}/package-lock.json
    WORKING_DIRECTORY ${SPILLWAY_WEB_DIR}
    COMMENT "Installing the pages' tools" VERBATIM)
endfunction()

function(spillway_page page library header namespace)
  set(out ${SPILLWAY_WEB_OUT}/${page})
  set(stamp ${SPILLWAY_WEB_OUT}/${page}.stamp)
  if(NODE AND NPM)
    spillway_web_tools()
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${SPILLWAY_WEB_DIR}/${page}/* ${SPILLWAY_WEB_DIR}/shared/*)
    add_custom_command(OUTPUT ${stamp}
      COMMAND ${NODE} build.mjs ${page} ${out}
      COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
      DEPENDS ${spillway_web_stamp} ${SPILLWAY_WEB_DIR}/build.mjs ${sources}
      WORKING_DIRECTORY ${SPILLWAY_WEB_DIR}
      COMMENT "Building the page web/${page}" VERBATIM)
  else()
    file(MAKE_DIRECTORY ${out})
    file(WRITE ${out}/index.html "<!doctype html><title>Spillway</title><p>Built without Node.js: no page.\n")
    add_custom_command(OUTPUT ${stamp}
      COMMAND gzip -kfn ${out}/index.html
      COMMAND ${CMAKE_COMMAND} -E touch ${stamp}
      COMMENT "Standing in for the page web/${page}" VERBATIM)
  endif()
  set(generated ${SPILLWAY_WEB_OUT}/${page}.cpp)
  add_custom_command(OUTPUT ${generated}
    COMMAND ${CMAKE_COMMAND} -DDIR=${out} -DOUT=${generated} -DHEADER=${header} -DNAMESPACE=${namespace}
            -P ${CMAKE_SOURCE_DIR}/cmake/EmbedAssets.cmake
    DEPENDS ${stamp} ${CMAKE_SOURCE_DIR}/cmake/EmbedAssets.cmake
    COMMENT "Embedding the page web/${page}" VERBATIM)
  add_library(${library} STATIC ${generated})
  target_include_directories(${library} PUBLIC ${CMAKE_SOURCE_DIR}/src)
endfunction()
