#pragma once
/// Where the gateway's store is if the configuration does not say: `gateway-….db` in $STATE_DIRECTORY
/// (systemd.exec(5)), or in the folder spillway of $XDG_STATE_HOME (XDG Base Directory Specification). The
/// name is the configuration file's: two gateways of one machine do not share theirs by chance.
///
/// Thread rule: reads the process's environment. Errors: empty if there is no such folder.
#include <string>

namespace spillway::app {

[[nodiscard]] std::string default_store(const std::string& configuration_file);

}  // namespace spillway::app
