# What Debian builds its servers with (dpkg-buildflags, hardening=+all): a fault in memory ends the program rather than being
# of use to whoever caused it. scripts/check-hardening reads in a program whether it is so. Only where it is optimized:
# _FORTIFY_SOURCE needs that, and the sanitizers look harder themselves.
include_guard()
if(NOT CMAKE_BUILD_TYPE STREQUAL "Release" OR SPILLWAY_SANITIZE OR SPILLWAY_COVERAGE OR SPILLWAY_FUZZ)
  return()
endif()

add_compile_options(-fPIE -fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
                    -D_GLIBCXX_ASSERTIONS)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  add_compile_options(-fcf-protection)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  add_compile_options(-mbranch-protection=standard)
endif()
add_link_options(-pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
